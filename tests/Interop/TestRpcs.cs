using Google.Protobuf;
using Grpc.Core;
using Microsoft.AspNetCore.Http;

namespace Squall.Interop;

/// <summary>The service of the interop cases.</summary>
public sealed class TestRpcs(TimeProvider time) : TestService.TestServiceBase
{
    private const string InitialKey = "x-grpc-test-echo-initial";
    private const string TrailingKey = "x-grpc-test-echo-trailing-bin";

    public override Task<Empty> EmptyCall(Empty request, ServerCallContext context) => Task.FromResult(new Empty());

    public override async Task<SimpleResponse> UnaryCall(SimpleRequest request, ServerCallContext context)
    {
        await EchoMetadataAsync(context);
        Check(request.ExpectCompressed, context);
        Fail(request.ResponseStatus);
        Compress(request.ResponseCompressed, flags => context.WriteOptions = flags);
        return new SimpleResponse { Payload = Zeros(request.ResponseSize) };
    }

    public override async Task StreamingOutputCall(
        StreamingOutputCallRequest request,
        IServerStreamWriter<StreamingOutputCallResponse> responseStream,
        ServerCallContext context)
    {
        await EchoMetadataAsync(context);
        await AnswerAsync(request, responseStream, context);
    }

    public override async Task<StreamingInputCallResponse> StreamingInputCall(
        IAsyncStreamReader<StreamingInputCallRequest> requestStream, ServerCallContext context)
    {
        int sum = 0;
        await foreach (StreamingInputCallRequest request in requestStream.ReadAllAsync(context.CancellationToken))
        {
            Check(request.ExpectCompressed, context);
            sum += request.Payload.Body.Length;
        }

        return new StreamingInputCallResponse { AggregatedPayloadSize = sum };
    }

    public override async Task FullDuplexCall(
        IAsyncStreamReader<StreamingOutputCallRequest> requestStream,
        IServerStreamWriter<StreamingOutputCallResponse> responseStream,
        ServerCallContext context)
    {
        await EchoMetadataAsync(context);
        await foreach (StreamingOutputCallRequest request in requestStream.ReadAllAsync(context.CancellationToken))
        {
            await AnswerAsync(request, responseStream, context);
        }
    }

    public override async Task HalfDuplexCall(
        IAsyncStreamReader<StreamingOutputCallRequest> requestStream,
        IServerStreamWriter<StreamingOutputCallResponse> responseStream,
        ServerCallContext context)
    {
        await EchoMetadataAsync(context);
        List<StreamingOutputCallRequest> requests = [];
        await foreach (StreamingOutputCallRequest request in requestStream.ReadAllAsync(context.CancellationToken))
        {
            requests.Add(request);
        }

        foreach (StreamingOutputCallRequest request in requests)
        {
            await AnswerAsync(request, responseStream, context);
        }
    }

    private static Payload Zeros(int length) => new() { Body = ByteString.CopyFrom(new byte[length]) };

    private static void Fail(EchoStatus? status)
    {
        if (status is { Code: not 0 })
        {
            throw new RpcException(new Status((StatusCode)status.Code, status.Message));
        }
    }

    /// <summary>The frame that a message came in tells whether it was compressed; in Connect's unary calls, which
    /// frame nothing, the headers do.</summary>
    private static void Check(BoolValue? expectCompressed, ServerCallContext context)
    {
        HttpRequest request = context.GetHttpContext().Request;
        bool wasCompressed = request.Body is FrameFlags frames
            ? frames.WasNextCompressed()
            : request.Headers.ContentEncoding.Count > 0;
        if (expectCompressed is not null && expectCompressed.Value != wasCompressed)
        {
            throw new RpcException(new Status(StatusCode.InvalidArgument,
                $"The message was {(wasCompressed ? "" : "not ")}compressed, against what was said."));
        }
    }

    private static void Compress(BoolValue? wanted, Action<WriteOptions> set) =>
        set(new WriteOptions(wanted is { Value: true } ? default : WriteFlags.NoCompress));

    private static async Task EchoMetadataAsync(ServerCallContext context)
    {
        if (context.RequestHeaders.GetValueBytes(TrailingKey) is { } trailing)
        {
            context.ResponseTrailers.Add(TrailingKey, trailing);
        }

        if (context.RequestHeaders.GetValue(InitialKey) is { } initial)
        {
            await context.WriteResponseHeadersAsync(new Metadata { { InitialKey, initial } });
        }
    }

    private async Task AnswerAsync(
        StreamingOutputCallRequest request,
        IServerStreamWriter<StreamingOutputCallResponse> responses,
        ServerCallContext context)
    {
        Fail(request.ResponseStatus);
        foreach (ResponseParameters response in request.ResponseParameters)
        {
            if (response.IntervalUs > 0)
            {
                await Task.Delay(
                    TimeSpan.FromMicroseconds(response.IntervalUs), time, context.CancellationToken);
            }

            Compress(response.Compressed, flags => responses.WriteOptions = flags);
            await responses.WriteAsync(new StreamingOutputCallResponse { Payload = Zeros(response.Size) });
        }
    }
}
