using System.Buffers;
using System.Diagnostics;
using System.Globalization;
using System.IO.Pipelines;
using System.Net;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Squall.Rpc;
using Squall.V1;

namespace Squall.Bench;

/// <summary>
/// Streams, by the runtime or, as their floor, by an endpoint that writes frames that were made once. What is told to
/// it on standard input it does: it sends to all open streams for a second, or tells what its heap holds.
/// </summary>
internal sealed class StreamServer
{
    public const string SayPath = "/bench.Streams/Say";
    public const string CountPath = "/bench.Streams/Count";
    public const string BufferedPath = "/bench.Streams/CountBuffered";
    public const string ListenPath = "/bench.Streams/Listen";
    public const int CountMessages = 1_000;
    private static readonly byte[] FloorOfCount = ConstantServer.Frame(Small);
    private readonly byte[] _floorOfListen;
    private readonly EncodedMessage<SayHelloResponse> _encoded;
    private readonly List<IListener> _listeners = [];
    private readonly TaskCompletionSource _end = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <param name="messageBytes">What is sent to each of many has so many.</param>
    private StreamServer(int messageBytes)
    {
        const int TagAndLength = 3;
        var message = new SayHelloResponse { Message = new string('m', messageBytes - TagAndLength) };
        _floorOfListen = ConstantServer.Frame(message);
        _encoded = new(message);
    }

    /// <summary>Who listens.</summary>
    private interface IListener
    {
        Task SendAsync();
    }

    /// <summary>A small one.</summary>
    public static SayHelloResponse Small => new() { Message = "Hello, bench" };

    public static async Task<int> RunAsync(bool isFloor, int messageBytes)
    {
        var server = new StreamServer(messageBytes);
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.UseRpcDefaults();
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2);
        });
        builder.Services.AddRoutingCore();
        if (!isFloor)
        {
            builder.Services.AddGrpc();
        }

        await using WebApplication app = builder.Build();
        if (isFloor)
        {
            app.Run(server.AnswerAsync);
        }
        else
        {
            app.UseRouting();
            app.MapGrpcService(server.Definition());
            app.UseEndpoints(_ => { });
        }

        await app.StartAsync();
        await Console.Out.WriteLineAsync($"Listening on {app.Urls.First()}");
        while (await Console.In.ReadLineAsync() is { } command)
        {
            await Console.Out.WriteLineAsync(await server.DoAsync(command));
        }

        return 0;
    }

    /// <summary>A count, bytes, or the deliveries, milliseconds and CPU milliseconds of a broadcast.</summary>
    private async Task<string> DoAsync(string command)
    {
        switch (command)
        {
            case "streams":
                return Count().ToString(CultureInfo.InvariantCulture);
            case "heap":
                GC.Collect();
                GC.WaitForPendingFinalizers();
                return GC.GetTotalMemory(forceFullCollection: true).ToString(CultureInfo.InvariantCulture);
            case "end":
                _end.TrySetResult();
                return "0";
            case "allocated":
                return GC.GetTotalAllocatedBytes(precise: true).ToString(CultureInfo.InvariantCulture);
            default:
                return await SendAsync(TimeSpan.FromSeconds(1));
        }
    }

    private int Count()
    {
        lock (_listeners)
        {
            return _listeners.Count;
        }
    }

    private async Task<string> SendAsync(TimeSpan duration)
    {
        long begun = Stopwatch.GetTimestamp();
        TimeSpan cpu = Process.GetCurrentProcess().TotalProcessorTime;
        long sent = 0;
        var pending = new List<Task>();
        while (Stopwatch.GetElapsedTime(begun) < duration)
        {
            foreach (IListener listener in _listeners)
            {
                Task sending = listener.SendAsync();
                if (!sending.IsCompletedSuccessfully)
                {
                    pending.Add(sending);
                }
            }

            await Task.WhenAll(pending);
            pending.Clear();
            sent += _listeners.Count;
        }

        cpu = Process.GetCurrentProcess().TotalProcessorTime - cpu;
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{sent} {Stopwatch.GetElapsedTime(begun).TotalMilliseconds} {cpu.TotalMilliseconds}");
    }

    private void Add(IListener listener)
    {
        lock (_listeners)
        {
            _listeners.Add(listener);
        }
    }

    private ServerServiceDefinition Definition()
    {
        var requests = Marshallers.Create(
            (SayHelloRequest message, SerializationContext output) => Write(message, output),
            input => SayHelloRequest.Parser.ParseFrom(input.PayloadAsReadOnlySequence()));
        var responses = Marshallers.Create(
            (SayHelloResponse message, SerializationContext output) => Write(message, output),
            input => SayHelloResponse.Parser.ParseFrom(input.PayloadAsReadOnlySequence()));
        Method<SayHelloRequest, SayHelloResponse> Of(string path) => new(
            MethodType.ServerStreaming, path.Split('/')[1], path.Split('/')[2], requests, responses);
        return ServerServiceDefinition.CreateBuilder()
            .AddMethod(
                new Method<SayHelloRequest, SayHelloResponse>(
                    MethodType.Unary, "bench.Streams", "Say", requests, responses),
                (SayHelloRequest _, ServerCallContext _) => Task.FromResult(Small))
            .AddMethod(Of(CountPath), CountAsync)
            .AddMethod(Of(BufferedPath), CountBufferedAsync)
            .AddMethod(Of(ListenPath), ListenAsync)
            .Build();
    }

    private static async Task CountAsync(
        SayHelloRequest request, IServerStreamWriter<SayHelloResponse> stream, ServerCallContext context)
    {
        SayHelloResponse answer = Small;
        for (int at = 0; at < CountMessages; at++)
        {
            await stream.WriteAsync(answer);
        }
    }

    private static Task CountBufferedAsync(
        SayHelloRequest request, IServerStreamWriter<SayHelloResponse> stream, ServerCallContext context)
    {
        stream.WriteOptions = new WriteOptions(WriteFlags.BufferHint);
        return CountAsync(request, stream, context);
    }

    private async Task ListenAsync(
        SayHelloRequest request, IServerStreamWriter<SayHelloResponse> stream, ServerCallContext context)
    {
        await context.WriteResponseHeadersAsync([]);
        Add(new Stream(stream, _encoded));
        await _end.Task;
    }

    private static void Write(IMessage message, SerializationContext output)
    {
        output.SetPayloadLength(message.CalculateSize());
        message.WriteTo(output.GetBufferWriter());
        output.Complete();
    }

    private async Task AnswerAsync(HttpContext http)
    {
        PipeReader body = http.Request.BodyReader;
        ReadResult read;
        do
        {
            read = await body.ReadAsync();
            body.AdvanceTo(read.Buffer.End);
        }
        while (!read.IsCompleted);

        http.Response.ContentType = "application/grpc";
        PipeWriter output = http.Response.BodyWriter;
        string path = http.Request.Path.Value!;
        if (path == SayPath)
        {
            output.Write(FloorOfCount);
        }
        else if (path != ListenPath)
        {
            for (int at = 0; at < CountMessages; at++)
            {
                output.Write(FloorOfCount);
                await output.FlushAsync();
            }
        }
        else
        {
            await output.FlushAsync();
            Add(new Floor(output, _floorOfListen));
            await _end.Task;
        }

        http.Response.AppendTrailer("grpc-status", "0");
    }

    private sealed class Stream(
        IServerStreamWriter<SayHelloResponse> stream, EncodedMessage<SayHelloResponse> message) : IListener
    {
        public Task SendAsync() => stream.WriteAsync(message);
    }

    private sealed class Floor(PipeWriter output, byte[] frame) : IListener
    {
        public Task SendAsync()
        {
            output.Write(frame);
            ValueTask<FlushResult> flush = output.FlushAsync();
            return flush.IsCompletedSuccessfully ? Task.CompletedTask : flush.AsTask();
        }
    }
}
