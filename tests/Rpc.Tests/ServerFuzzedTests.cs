using System.Buffers;
using System.Net.Sockets;
using System.Text;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Microsoft.Extensions.Logging;
using static Squall.Rpc.Tests.ServerWire;

namespace Squall.Rpc.Tests;

/// What fuzzing found: callers' faults that the server took for its own, and calls that did not end.
public sealed class ServerFuzzedTests
{
    private static readonly TimeSpan Net = TimeSpan.FromSeconds(20);

    private static readonly Marshaller<Google.Rpc.Status> Nested = Marshallers.Create(
        (message, context) => context.Complete(message.ToByteArray()),
        context => Google.Rpc.Status.Parser.ParseFrom(context.PayloadAsReadOnlySequence()));

    /// Lengths near 2 GiB overflow within Google.Protobuf, some of them unseen.
    [Theory, Wire("1.1.17")]
    [InlineData(new byte[] { 0x1A, 0xFF, 0xFF, 0xFF, 0xFF, 0x07 })]
    [InlineData(new byte[] { 0x1A, 0xFB, 0xFF, 0xFF, 0xFF, 0x07, 0x8A })]
    [InlineData(new byte[] { 0x12, 0xFF, 0xFF, 0xFF, 0xFF, 0x07 })]
    [InlineData(new byte[] { 0x12, 0xFB, 0xFF, 0xFF, 0xFF, 0x07 })]
    [InlineData(new byte[] { 0xE2, 0x01, 0xFF, 0xFF, 0xFF, 0xFF, 0x07 })]
    [InlineData(new byte[] { 0x0A, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F })]
    [InlineData(new byte[] { 0x1A, 0x06, 0x0A, 0xF9, 0xFF, 0xFF, 0xFF, 0x07 })]
    public void A_length_past_the_end_is_the_callers_fault(byte[] message)
    {
        RpcException refused = Assert.ThrowsAny<RpcException>(
            () => MessageCodec.Proto.Decode(new ReadOnlySequence<byte>(message), Nested));
        Assert.Equal(StatusCode.InvalidArgument, refused.StatusCode);
    }

    [Fact, Wire("1.1.17")]
    public async Task A_request_with_a_length_past_its_end_is_told_so()
    {
        await using ServerHost host = await ServerHost.StartAsync();
        foreach (byte field in (byte[])[0x0A, 0x12, 0x2A, 0x7A])
        {
            byte[] message = [field, 0xFF, 0xFF, 0xFF, 0xFF, 0x07];
            Assert.Equal(3, (await host.Http2.GrpcAsync(Unary, FrameOf(message))).Status);
        }

        Assert.Empty(host.Logs.At(LogLevel.Error));
    }

    [Theory, Wire("1.7.16")]
    [InlineData(new byte[] { 1, 2, 3 })]
    [InlineData(new byte[] { 0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3 })]
    public async Task A_body_that_is_not_in_its_encoding_is_invalid_argument(byte[] body)
    {
        await using ServerHost host = await ServerHost.StartAsync();
        foreach (HttpClient http in (HttpClient[])[host.Http1, host.Http2])
        {
            RawAnswer answer = await http.SendAsync(
                Unary, new ByteArrayContent(body), "application/proto", [("content-encoding", "gzip")]);
            Assert.Equal(400, (int)answer.Http);
            Assert.Contains("\"invalid_argument\"", answer.Text, StringComparison.Ordinal);
        }
    }

    [Theory, Wire("1.4.07")]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(300)]
    public async Task Gzip_may_come_in_several_members(int first)
    {
        var request = new EchoRequest { Text = new string('x', 500) };
        byte[] plain = request.ToByteArray();
        byte[] packed =
        [
            .. Gzip.Provider.Deflate(plain.AsMemory(0, first)).Span,
            .. Gzip.Provider.Deflate(plain.AsMemory(first)).Span,
        ];
        await using ServerHost host = await ServerHost.StartAsync();
        RawAnswer whole = await host.Http2.GrpcAsync(Unary, FrameOf(packed, 1), ("grpc-encoding", "gzip"));
        Assert.Equal(request.Text, Assert.Single(whole.Messages).Text);
        RawAnswer cut = await host.Http2.GrpcAsync(Unary, FrameOf(packed[..^5], 1), ("grpc-encoding", "gzip"));
        Assert.Equal(13, cut.Status);
    }

    [Theory, Wire("1.5.16")]
    [InlineData("application/json")]
    [InlineData("application/grpc-web")]
    [InlineData("application/grpc-web-text")]
    public async Task A_body_that_breaks_off_is_no_error(string type)
    {
        await using ServerHost host = await ServerHost.StartAsync();
        using var tcp = new TcpClient();
        await tcp.ConnectAsync(host.EndPoint);
        await tcp.GetStream().WriteAsync(Encoding.ASCII.GetBytes(
            $"POST {Unary} HTTP/1.1\r\nhost: a\r\ncontent-type: {type}\r\ntransfer-encoding: chunked\r\n\r\n"
            + "FFFFFFFFFFFFFFFF\r\n"));
        using var reader = new StreamReader(tcp.GetStream());
        string answer = await reader.ReadToEndAsync().WaitAsync(Net);
        string status = type == "application/json" ? "499" : "200";
        Assert.StartsWith($"HTTP/1.1 {status} ", answer, StringComparison.Ordinal);
        Assert.Empty(host.Logs.At(LogLevel.Error));
    }

    [Theory, Wire("1.7.14")]
    [InlineData("""{"":1}""")]
    [InlineData("""{ "a": {"b": [{"" : null}]} }""")]
    public void JSON_that_no_answer_could_hold_is_the_callers_fault(string json)
    {
        var codec = new JsonCodec(TypeRegistry);
        RpcException refused = Assert.ThrowsAny<RpcException>(
            () => codec.Decode<Struct>(new ReadOnlySequence<byte>(Encoding.UTF8.GetBytes(json))));
        Assert.Equal(StatusCode.InvalidArgument, refused.StatusCode);
    }

    [Fact, Wire("1.1.05")]
    public async Task A_handler_that_writes_after_the_deadline_is_told_and_does_not_wait_for_ever()
    {
        var ended = new TaskCompletionSource<Exception?>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using ServerHost host = await ServerHost.StartAsync(options => options.Interceptors.Add<EndWatch>(ended));
        host.Probe.Before = async context =>
        {
            var late = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            using CancellationTokenRegistration cancelled = context.CancellationToken.Register(() => late.SetResult());
            await late.Task;
            // By the time that a call is refused, its response is complete.
            while (!context.GetHttpContext().Response.HasStarted)
            {
                await Task.Yield();
            }
        };
        RawAnswer answer = await host.Http2.GrpcAsync(
            Repeat, FrameOf(new EchoRequest { Count = 3 }), ("grpc-timeout", "50m"));
        Assert.Equal(4, answer.Status);
        Assert.IsAssignableFrom<OperationCanceledException>(await ended.Task.WaitAsync(Net));
    }

    private static Google.Protobuf.Reflection.TypeRegistry TypeRegistry =>
        Google.Protobuf.Reflection.TypeRegistry.FromMessages(Struct.Descriptor);

    private sealed class EndWatch(TaskCompletionSource<Exception?> ended) : Interceptor
    {
        public override async Task ServerStreamingServerHandler<TRequest, TResponse>(
            TRequest request, IServerStreamWriter<TResponse> responseStream, ServerCallContext context,
            ServerStreamingServerMethod<TRequest, TResponse> continuation)
        {
            try
            {
                await continuation(request, responseStream, context);
                ended.SetResult(null);
            }
            catch (Exception exception)
            {
                ended.SetResult(exception);
                throw;
            }
        }
    }
}
