using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;

namespace Squall.Interop;

/// <summary>The interop cases, as a client goes through them: each throws where a server does not do right.</summary>
public sealed class InteropClient : IDisposable
{
    private const int LargeRequest = 271_828;
    private const int LargeResponse = 314_159;
    private const string SpecialMessage = "\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n";

    private static readonly int[] RequestSizes = [27_182, 8, 1_828, 45_904];
    private static readonly int[] ResponseSizes = [31_415, 9, 2_653, 58_979];

    private readonly FrameFlagsHandler frames;
    private readonly GrpcChannel channel;
    private readonly TestService.TestServiceClient client;
    private readonly TimeProvider time = TimeProvider.System;

    /// <summary>A client of the server at an address, with options beyond its own.</summary>
    public InteropClient(Uri address)
    {
        frames = new FrameFlagsHandler(new SocketsHttpHandler { EnableMultipleHttp2Connections = true });
        channel = GrpcChannel.ForAddress(
            address, new GrpcChannelOptions { HttpHandler = frames, DisposeHttpClient = true });
        client = new TestService.TestServiceClient(channel);
    }

    /// <summary>The cases by their names.</summary>
    public static IReadOnlyDictionary<string, Func<InteropClient, Task>> Cases { get; } =
        new Dictionary<string, Func<InteropClient, Task>>
        {
            ["empty_unary"] = self => self.EmptyUnaryAsync(),
            ["large_unary"] = self => self.LargeUnaryAsync(),
            ["client_streaming"] = self => self.ClientStreamingAsync(),
            ["server_streaming"] = self => self.ServerStreamingAsync(),
            ["ping_pong"] = self => self.PingPongAsync(),
            ["empty_stream"] = self => self.EmptyStreamAsync(),
            ["client_compressed_unary"] = self => self.ClientCompressedUnaryAsync(),
            ["client_compressed_streaming"] = self => self.ClientCompressedStreamingAsync(),
            ["server_compressed_unary"] = self => self.ServerCompressedUnaryAsync(),
            ["server_compressed_streaming"] = self => self.ServerCompressedStreamingAsync(),
            ["custom_metadata"] = self => self.CustomMetadataAsync(),
            ["status_code_and_message"] = self => self.StatusCodeAndMessageAsync("test status message"),
            ["special_status_message"] = self => self.SpecialStatusMessageAsync(),
            ["unimplemented_method"] = self => self.UnimplementedMethodAsync(),
            ["unimplemented_service"] = self => self.UnimplementedServiceAsync(),
            ["cancel_after_begin"] = self => self.CancelAfterBeginAsync(),
            ["cancel_after_first_response"] = self => self.CancelAfterFirstResponseAsync(),
            ["timeout_on_sleeping_server"] = self => self.TimeoutOnSleepingServerAsync(),
        };

    /// <summary>Ends when the server answers.</summary>
    public async Task WaitForServerAsync() =>
        await client.EmptyCallAsync(new Empty(), new CallOptions().WithWaitForReady());

    /// <inheritdoc/>
    public void Dispose() => channel.Dispose();

    private static Metadata Gzip => new() { { "grpc-internal-encoding-request", "gzip" } };

    private static Payload Zeros(int length) => new() { Body = ByteString.CopyFrom(new byte[length]) };

    private static void Same<T>(T expected, T actual)
    {
        if (!Equals(expected, actual))
        {
            throw new InvalidOperationException($"Expected {expected}, and got {actual}.");
        }
    }

    private static async Task FailsAsync(StatusCode expected, Func<Task> call, string? message = null)
    {
        try
        {
            await call();
        }
        catch (RpcException e)
        {
            Same(expected, e.StatusCode);
            Same(message ?? e.Status.Detail, e.Status.Detail);
            return;
        }

        throw new InvalidOperationException($"Expected {expected}, and the call succeeded.");
    }

    private async Task EmptyUnaryAsync() => Same(0, (await client.EmptyCallAsync(new Empty())).CalculateSize());

    private async Task LargeUnaryAsync()
    {
        SimpleResponse response = await client.UnaryCallAsync(
            new SimpleRequest { ResponseSize = LargeResponse, Payload = Zeros(LargeRequest) });
        Same(Zeros(LargeResponse), response.Payload);
    }

    private async Task ClientStreamingAsync()
    {
        using AsyncClientStreamingCall<StreamingInputCallRequest, StreamingInputCallResponse> call =
            client.StreamingInputCall();
        foreach (int size in RequestSizes)
        {
            await call.RequestStream.WriteAsync(new StreamingInputCallRequest { Payload = Zeros(size) });
        }

        await call.RequestStream.CompleteAsync();
        Same(74_922, (await call).AggregatedPayloadSize);
    }

    private async Task ServerStreamingAsync()
    {
        var request = new StreamingOutputCallRequest();
        request.ResponseParameters.Add(ResponseSizes.Select(
            size => new ResponseParameters { Size = size, IntervalUs = 1_000 }));
        using AsyncServerStreamingCall<StreamingOutputCallResponse> call = client.StreamingOutputCall(request);
        foreach (int size in ResponseSizes)
        {
            Same(true, await call.ResponseStream.MoveNext());
            Same(Zeros(size), call.ResponseStream.Current.Payload);
        }

        Same(false, await call.ResponseStream.MoveNext());
    }

    private async Task PingPongAsync()
    {
        using AsyncDuplexStreamingCall<StreamingOutputCallRequest, StreamingOutputCallResponse> call =
            client.FullDuplexCall();
        foreach ((int requestSize, int responseSize) in RequestSizes.Zip(ResponseSizes))
        {
            await call.RequestStream.WriteAsync(Ping(requestSize, responseSize));
            Same(true, await call.ResponseStream.MoveNext());
            Same(Zeros(responseSize), call.ResponseStream.Current.Payload);
        }

        await call.RequestStream.CompleteAsync();
        Same(false, await call.ResponseStream.MoveNext());
    }

    private async Task EmptyStreamAsync()
    {
        using AsyncDuplexStreamingCall<StreamingOutputCallRequest, StreamingOutputCallResponse> call =
            client.FullDuplexCall();
        await call.RequestStream.CompleteAsync();
        Same(false, await call.ResponseStream.MoveNext());
        Same(StatusCode.OK, call.GetStatus().StatusCode);
    }

    private static StreamingOutputCallRequest Ping(int requestSize, int responseSize) => new()
    {
        Payload = Zeros(requestSize),
        ResponseParameters = { new ResponseParameters { Size = responseSize } },
    };

    private async Task ClientCompressedUnaryAsync()
    {
        SimpleRequest Request(bool expectCompressed) => new()
        {
            ResponseSize = LargeResponse,
            Payload = Zeros(LargeRequest),
            ExpectCompressed = new BoolValue { Value = expectCompressed },
        };

        // A server that does not look at what it is sent would let this pass.
        await FailsAsync(StatusCode.InvalidArgument, async () => await client.UnaryCallAsync(Request(true)));
        Same(LargeResponse, (await client.UnaryCallAsync(Request(true), Gzip)).Payload.Body.Length);
        var plain = new CallOptions(Gzip, writeOptions: new WriteOptions(WriteFlags.NoCompress));
        Same(LargeResponse, (await client.UnaryCallAsync(Request(false), plain)).Payload.Body.Length);
    }

    private async Task ClientCompressedStreamingAsync()
    {
        var first = new StreamingInputCallRequest
        {
            Payload = Zeros(27_182), ExpectCompressed = new BoolValue { Value = true },
        };
        var second = new StreamingInputCallRequest
        {
            Payload = Zeros(45_904), ExpectCompressed = new BoolValue { Value = false },
        };
        await FailsAsync(StatusCode.InvalidArgument, async () =>
        {
            using var probe = client.StreamingInputCall();
            await probe.RequestStream.WriteAsync(first);
            await probe.RequestStream.CompleteAsync();
            await probe;
        });
        using var call = client.StreamingInputCall(Gzip);
        await call.RequestStream.WriteAsync(first);
        call.RequestStream.WriteOptions = new WriteOptions(WriteFlags.NoCompress);
        await call.RequestStream.WriteAsync(second);
        await call.RequestStream.CompleteAsync();
        Same(73_086, (await call).AggregatedPayloadSize);
    }

    private async Task ServerCompressedUnaryAsync()
    {
        foreach (bool compressed in new[] { true, false })
        {
            SimpleResponse response = await client.UnaryCallAsync(new SimpleRequest
            {
                ResponseSize = LargeResponse,
                Payload = Zeros(LargeRequest),
                ResponseCompressed = new BoolValue { Value = compressed },
            });
            Same(Zeros(LargeResponse), response.Payload);
            Same(compressed, frames.Last!.WasNextCompressed());
        }
    }

    private async Task ServerCompressedStreamingAsync()
    {
        var request = new StreamingOutputCallRequest
        {
            ResponseParameters =
            {
                new ResponseParameters { Size = 31_415, Compressed = new BoolValue { Value = true } },
                new ResponseParameters { Size = 92_653, Compressed = new BoolValue { Value = false } },
            },
        };
        using var call = client.StreamingOutputCall(request);
        foreach (ResponseParameters expected in request.ResponseParameters)
        {
            Same(true, await call.ResponseStream.MoveNext());
            Same(Zeros(expected.Size), call.ResponseStream.Current.Payload);
            Same(expected.Compressed.Value, frames.Last!.WasNextCompressed());
        }

        Same(false, await call.ResponseStream.MoveNext());
    }

    private async Task CustomMetadataAsync()
    {
        const string Initial = "x-grpc-test-echo-initial";
        const string Trailing = "x-grpc-test-echo-trailing-bin";
        Metadata Sent() => new() { { Initial, "test_initial_metadata_value" }, { Trailing, [0xAB, 0xAB, 0xAB] } };
        void Check(Metadata headers, Metadata trailers)
        {
            Same("test_initial_metadata_value", headers.GetValue(Initial));
            Same("ABABAB", Convert.ToHexString(trailers.GetValueBytes(Trailing) ?? []));
        }

        using var unary = client.UnaryCallAsync(
            new SimpleRequest { ResponseSize = LargeResponse, Payload = Zeros(LargeRequest) }, Sent());
        await unary;
        Check(await unary.ResponseHeadersAsync, unary.GetTrailers());

        using var duplex = client.FullDuplexCall(Sent());
        await duplex.RequestStream.WriteAsync(Ping(LargeRequest, LargeResponse));
        await duplex.RequestStream.CompleteAsync();
        Same(true, await duplex.ResponseStream.MoveNext());
        Same(false, await duplex.ResponseStream.MoveNext());
        Check(await duplex.ResponseHeadersAsync, duplex.GetTrailers());
    }

    private async Task StatusCodeAndMessageAsync(string message)
    {
        var status = new EchoStatus { Code = (int)StatusCode.Unknown, Message = message };
        await FailsAsync(StatusCode.Unknown,
            async () => await client.UnaryCallAsync(new SimpleRequest { ResponseStatus = status }), message);
        await FailsAsync(StatusCode.Unknown, async () =>
        {
            using var duplex = client.FullDuplexCall();
            await duplex.RequestStream.WriteAsync(new StreamingOutputCallRequest { ResponseStatus = status });
            await duplex.RequestStream.CompleteAsync();
            await duplex.ResponseStream.MoveNext();
        }, message);
    }

    private async Task SpecialStatusMessageAsync() => await FailsAsync(
        StatusCode.Unknown,
        async () => await client.UnaryCallAsync(new SimpleRequest
        {
            ResponseStatus = new EchoStatus { Code = (int)StatusCode.Unknown, Message = SpecialMessage },
        }),
        SpecialMessage);

    private Task UnimplementedMethodAsync() => FailsAsync(
        StatusCode.Unimplemented, async () => await client.UnimplementedCallAsync(new Empty()));

    private Task UnimplementedServiceAsync() => FailsAsync(
        StatusCode.Unimplemented,
        async () => await new UnimplementedService.UnimplementedServiceClient(channel)
            .UnimplementedCallAsync(new Empty()));

    private async Task CancelAfterBeginAsync()
    {
        using var cancel = new CancellationTokenSource();
        using var call = client.StreamingInputCall(cancellationToken: cancel.Token);
        await cancel.CancelAsync();
        await FailsAsync(StatusCode.Cancelled, () => call.ResponseAsync);
        Same(StatusCode.Cancelled, call.GetStatus().StatusCode);
    }

    private async Task CancelAfterFirstResponseAsync()
    {
        using var cancel = new CancellationTokenSource();
        using var call = client.FullDuplexCall(cancellationToken: cancel.Token);
        await call.RequestStream.WriteAsync(Ping(27_182, 31_415));
        Same(true, await call.ResponseStream.MoveNext());
        await cancel.CancelAsync();
        await FailsAsync(StatusCode.Cancelled, () => call.ResponseStream.MoveNext());
    }

    private async Task TimeoutOnSleepingServerAsync()
    {
        DateTime deadline = (time.GetUtcNow() + TimeSpan.FromMilliseconds(1)).UtcDateTime;
        using var call = client.FullDuplexCall(deadline: deadline);
        await FailsAsync(StatusCode.DeadlineExceeded, async () =>
        {
            await call.RequestStream.WriteAsync(new StreamingOutputCallRequest { Payload = Zeros(27_182) });
            await call.ResponseStream.MoveNext();
        });
    }
}
