using System.Net.Sockets;
using System.Text;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Logging;
using static Squall.Rpc.Tests.ServerWire;

namespace Squall.Rpc.Tests;

/// gRPC over HTTP/2, in bytes.
public sealed class ServerGrpcTests
{
    private static readonly TimeSpan Net = TimeSpan.FromSeconds(10);

    [Theory, Wire("1.1.04")]
    [InlineData("123456789S", StatusCode.InvalidArgument)]
    [InlineData("1s", StatusCode.InvalidArgument)]
    [InlineData("-1S", StatusCode.InvalidArgument)]
    [InlineData("1S,2S", StatusCode.InvalidArgument)]
    [InlineData("0n", StatusCode.DeadlineExceeded)]
    [InlineData("99999999H", StatusCode.OK)]
    public async Task A_timeout_is_honoured_or_refused(string timeout, StatusCode code)
    {
        await using ServerHost host = await ServerHost.StartAsync();
        RawAnswer answer = await host.Http2.GrpcAsync(Unary, FrameOf(new EchoRequest()), ("grpc-timeout", timeout));
        Assert.Equal(code, (StatusCode)answer.Status);
        Assert.Equal(code == StatusCode.OK ? 1 : 0, host.Probe.Calls);
    }

    [Theory, InlineData(1), InlineData(3), InlineData(7), InlineData(1000), Wire("1.1.06", "1.1.09")]
    public async Task Messages_may_be_cut_anywhere_and_the_end_come_by_itself(int pieces)
    {
        await using ServerHost host = await ServerHost.StartAsync();
        byte[] body = [.. FrameOf(new EchoRequest { Text = "ab" }), .. FrameOf(new EchoRequest { Text = "cde" })];
        using var call = new ServerDuplex(host.Http2, Collect, "application/grpc");
        foreach (byte[] piece in body.Chunk(pieces))
        {
            call.Send(piece);
        }

        await host.Http2.GrpcAsync(Unary, FrameOf(new EchoRequest()));
        call.Done();
        Assert.Equal("abcde", EchoResponse.Parser.ParseFrom(await call.ReadFrameAsync()).Text);
        using var unary = new ServerDuplex(host.Http2, Unary, "application/grpc");
        unary.Send(FrameOf(new EchoRequest { Text = "one" }));
        await host.Http2.GrpcAsync(Unary, FrameOf(new EchoRequest()));
        Assert.False(unary.Answer.IsCompleted, "It was answered before its end.");
        unary.Done();
        Assert.Equal("one", EchoResponse.Parser.ParseFrom(await unary.ReadFrameAsync()).Text);
    }

    [Theory, Wire("1.4.01", "1.1.10")]
    [InlineData("gzip", new byte[] { 1, 0, 0, 0, 0 }, StatusCode.OK)]
    [InlineData("gzip", new byte[] { 0, 0, 0, 0, 0 }, StatusCode.OK)]
    [InlineData("gzip", new byte[] { 1, 0, 0, 0, 3, 1, 2, 3 }, StatusCode.Internal)]
    [InlineData("identity", new byte[] { 1, 0, 0, 0, 0 }, StatusCode.Internal)]
    [InlineData("br", new byte[] { 0, 0, 0, 0, 0 }, StatusCode.Unimplemented)]
    [InlineData("gzip,br", new byte[] { 0, 0, 0, 0, 0 }, StatusCode.Unimplemented)]
    public async Task A_message_is_in_the_encoding_that_is_named(string encoding, byte[] body, StatusCode code)
    {
        await using ServerHost host = await ServerHost.StartAsync();
        RawAnswer answer = await host.Http2.GrpcAsync(Unary, body, ("grpc-encoding", encoding));
        Assert.Equal(code, (StatusCode)answer.Status);
        Assert.Equal("identity,gzip", answer.Header("grpc-accept-encoding"));
        Assert.Equal(code == StatusCode.Unimplemented, answer.Message.Contains("identity,gzip"));
    }

    [Fact, Wire("1.1.12")]
    public async Task Reserved_names_are_not_shown_as_metadata()
    {
        await using ServerHost host = await ServerHost.StartAsync();
        string[] seen = [];
        host.Probe.Before = context =>
        {
            seen = [.. context.RequestHeaders.Select(entry => entry.Key)];
            return Task.CompletedTask;
        };
        await host.Http2.GrpcAsync(
            Unary, FrameOf(new EchoRequest()), ("grpc-timeout", "9S"), ("grpc-foo", "1"), ("x-mine", "1"));
        Assert.Contains("x-mine", seen);
        Assert.Empty(seen.Intersect(["grpc-timeout", "grpc-foo", "te", "content-type", ":path", ":method"]));
    }

    [Fact, Wire("1.1.13")]
    public async Task Bytes_beyond_ascii_in_metadata_harm_nothing()
    {
        await using ServerHost host = await ServerHost.StartAsync();
        using var tcp = new TcpClient();
        await tcp.ConnectAsync(host.EndPoint);
        byte[] head = Encoding.Latin1.GetBytes(
            $"POST {Unary} HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n" +
            "content-length: 2\r\necho-x: a\u0080\u00e9\u00ffb\r\nconnection: close\r\n\r\n{}");
        await tcp.GetStream().WriteAsync(head);
        using var answer = new StreamReader(tcp.GetStream(), Encoding.Latin1);
        string text = await answer.ReadToEndAsync().WaitAsync(Net);
        Assert.StartsWith("HTTP/1.1 200", text, StringComparison.Ordinal);
        Assert.Contains("echo-x: ab\r\n", text, StringComparison.Ordinal);
    }

    [Fact, Wire("1.2.04")]
    public async Task Headers_go_out_before_any_message()
    {
        await using ServerHost host = await ServerHost.StartAsync();
        using var call = new ServerDuplex(host.Http2, Chat, "application/grpc", ("echo-a", "1"));
        using HttpResponseMessage answer = await call.Answer;
        Assert.Equal("1", answer.Headers.GetValues("echo-a").Single());
        Assert.False(answer.Headers.Contains("grpc-status"));
    }

    [Fact, Wire("1.2.05")]
    public async Task A_call_may_end_before_its_requests_do()
    {
        await using ServerHost host = await ServerHost.StartAsync();
        using var call = new ServerDuplex(host.Http2, Chat, "application/grpc");
        call.Send(FrameOf(new EchoRequest { FailCode = 9, FailMessage = "enough" }));
        using HttpResponseMessage answer = await call.Answer;
        Assert.NotNull(await call.ReadFrameAsync());
        Assert.Null(await call.ReadFrameAsync());
        Assert.Equal("9", answer.TrailingHeaders.GetValues("grpc-status").Single());
    }

    [Fact, Wire("1.2.08")]
    public async Task Details_that_are_too_large_are_left_out_and_the_status_arrives()
    {
        await using ServerHost host = await ServerHost.StartAsync();
        foreach ((int length, int expected) in ((int, int)[])[(1000, 1), (10_000, 0)])
        {
            var request = new EchoRequest { FailCode = 5, FailMessage = "lost", Reason = new string('R', length) };
            WorldAnswer answer = await new World("grpc", 2).CallAsync(host, Unary, [request]);
            Assert.Equal((StatusCode.NotFound, "lost"), (answer.Code, answer.Message));
            Assert.Equal(expected, answer.Details.Length);
        }
    }

    [Fact, Wire("1.2.09")]
    public async Task What_a_handler_throws_is_logged_and_not_told()
    {
        await using ServerHost host = await ServerHost.StartAsync();
        host.Probe.Before = _ => throw new InvalidOperationException("the secret");
        RawAnswer answer = await host.Http2.GrpcAsync(Unary, FrameOf(new EchoRequest()));
        Assert.Equal((int)StatusCode.Unknown, answer.Status);
        Assert.DoesNotContain("secret", answer.Message, StringComparison.Ordinal);
        Assert.Contains("the secret", Assert.Single(host.Logs.At(LogLevel.Error)), StringComparison.Ordinal);
        await using ServerHost open = await ServerHost.StartAsync(grpc => grpc.EnableDetailedErrors = true);
        open.Probe.Before = _ => throw new InvalidOperationException("the detail");
        answer = await open.Http2.GrpcAsync(Unary, FrameOf(new EchoRequest()));
        Assert.Contains("the detail", answer.Message, StringComparison.Ordinal);
    }

    [Fact, Wire("1.2.10", "1.2.11")]
    public async Task A_status_that_is_not_ok_goes_without_a_message_and_so_does_no_message()
    {
        await using ServerHost host = await ServerHost.StartAsync();
        host.Probe.Before = context =>
        {
            context.Status = new Status(StatusCode.DataLoss, "lost");
            return Task.CompletedTask;
        };
        RawAnswer answer = await host.Http2.GrpcAsync(Unary, FrameOf(new EchoRequest()));
        Assert.True(answer.IsTrailersOnly);
        Assert.Equal(((int)StatusCode.DataLoss, "lost"), (answer.Status, answer.Message));
        host.Probe.Before = _ => Task.CompletedTask;
        host.Probe.AnswersNothing = true;
        answer = await host.Http2.GrpcAsync(Unary, FrameOf(new EchoRequest()));
        Assert.Equal((int)StatusCode.Cancelled, answer.Status);
    }

    [Fact, Wire("1.5.02")]
    public async Task Streams_are_told_when_the_server_stops()
    {
        await using ServerHost host = await ServerHost.StartAsync();
        Task<WorldAnswer> open = new World("grpc", 2).CallAsync(
            host, Repeat, [new EchoRequest { Count = 1, Hang = true }]);
        await host.Probe.Started.Task.WaitAsync(Net);
        Task stopping = host.StopAsync();
        WorldAnswer answer = await open.WaitAsync(Net);
        Assert.Equal(StatusCode.Unavailable, answer.Code);
        Assert.Equal(["google.rpc.RetryInfo"], answer.DetailTypes);
        await stopping.WaitAsync(Net);
    }

    [Fact]
    public async Task A_message_that_may_wait_is_sent_with_the_next_or_at_the_end_or_when_there_is_much()
    {
        var go = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var written = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var method = new Method<EchoRequest, EchoResponse>(
            MethodType.ServerStreaming, "test.Waiting", "Listen",
            Marshallers.Create(request => request.ToByteArray(), EchoRequest.Parser.ParseFrom),
            Marshallers.Create(response => response.ToByteArray(), EchoResponse.Parser.ParseFrom));
        await using ServerHost host = await ServerHost.StartAsync(map: app => app.MapGrpcService(
            ServerServiceDefinition.CreateBuilder().AddMethod(method, ListenAsync).Build()));
        using GrpcChannel channel = GrpcChannel.ForAddress(host.Address);
        CallInvoker calls = channel.CreateCallInvoker();
        using var listen = calls.AsyncServerStreamingCall(method, null, default, new EchoRequest());
        Assert.True(await listen.ResponseStream.MoveNext().WaitAsync(Net));
        Task<bool> second = listen.ResponseStream.MoveNext();
        await written.Task.WaitAsync(Net);
        await new EchoService.EchoServiceClient(channel).UnaryAsync(new());
        Assert.False(second.IsCompleted);
        go.SetResult();
        Assert.True(await second.WaitAsync(Net));
        Assert.Equal("may wait", listen.ResponseStream.Current.Text);
        Assert.Equal(999, await listen.ResponseStream.ReadAllAsync().CountAsync());

        async Task ListenAsync(
            EchoRequest request, IServerStreamWriter<EchoResponse> responses, ServerCallContext context)
        {
            await responses.WriteAsync(new() { Text = "sent at once" });
            responses.WriteOptions = new WriteOptions(WriteFlags.BufferHint);
            await responses.WriteAsync(new() { Text = "may wait" });
            written.SetResult();
            await go.Task;
            for (int at = 2; at < 1_000; at++)
            {
                await responses.WriteAsync(new() { Text = new string('m', 1_000) });
            }

            await responses.WriteAsync(new() { Text = "at the end" });
        }
    }

    [Fact, Wire("1.5.02")]
    public async Task Streams_whose_handlers_end_at_the_same_moment_are_told_as_well()
    {
        const int Streams = 500;
        await using ServerHost host = await ServerHost.StartAsync();
        int begun = 0;
        host.Probe.Before = context =>
        {
            if (Interlocked.Increment(ref begun) == Streams)
            {
                host.Probe.Started.TrySetResult();
            }

            return Task.Delay(Timeout.Infinite, context.CancellationToken);
        };
        Task<WorldAnswer>[] open = [.. Enumerable.Range(0, Streams).Select(_ => new World("grpc", 2).CallAsync(
            host, Repeat, [new EchoRequest()]))];
        await host.Probe.Started.Task.WaitAsync(Net);
        Task stopping = host.StopAsync();
        WorldAnswer[] answers = await Task.WhenAll(open).WaitAsync(Net);
        Assert.All(answers, answer => Assert.Equal(StatusCode.Unavailable, answer.Code));
        await stopping.WaitAsync(Net);
    }
}
