using Grpc.Core;
using Grpc.Net.Client;

namespace Squall.Rpc.Tests;

/// Deadlines and cancellation.
public sealed class ClientTimeTests
{
    [Fact]
    [Wire("C1.3.11")]
    public async Task A_deadline_is_sent_and_ends_the_call_here_and_there()
    {
        string? timeout = null;
        var gone = new TaskCompletionSource();
        await using ScriptedServer server = await ScriptedServer.StartAsync(async http =>
        {
            timeout = http.Request.Headers["grpc-timeout"];
            await Script.HangAsync(http, gone);
        });
        using AsyncUnaryCall<EchoResponse> call =
            server.Client.UnaryAsync(new(), deadline: In(TimeSpan.FromSeconds(2)));
        await FailsAsync(StatusCode.DeadlineExceeded, call.ResponseAsync);
        await gone.Task.WaitAsync(ScriptedServer.Net);
        Assert.True(GrpcTimeout.TryParse(timeout, out TimeSpan left), timeout);
        Assert.InRange(left, TimeSpan.FromTicks(1), TimeSpan.FromSeconds(2));
        await FailsAsync(StatusCode.DeadlineExceeded, call.ResponseHeadersAsync);
    }

    [Fact]
    [Wire("C1.3.11")]
    public async Task A_deadline_holds_while_a_response_streams()
    {
        var gone = new TaskCompletionSource();
        await using ScriptedServer server = await ScriptedServer.StartAsync(async http =>
        {
            await http.WriteAsync(Script.Frame("one"));
            await Script.HangAsync(http, gone);
        });
        using AsyncServerStreamingCall<EchoResponse> call =
            server.Client.Repeat(new(), deadline: In(TimeSpan.FromSeconds(3)));
        Assert.True(await call.ResponseStream.MoveNext());
        await FailsAsync(StatusCode.DeadlineExceeded, call.ResponseStream.MoveNext());
        await FailsAsync(StatusCode.DeadlineExceeded, call.ResponseStream.MoveNext());
        Assert.Equal(StatusCode.DeadlineExceeded, call.GetStatus().StatusCode);
        await gone.Task.WaitAsync(ScriptedServer.Net);
    }

    [Fact]
    [Wire("C1.3.11")]
    public async Task A_deadline_holds_though_the_handler_hangs()
    {
        using GrpcChannel channel = GrpcChannel.ForAddress(
            "http://localhost:1", new GrpcChannelOptions { HttpHandler = new Hanging() });
        var client = new EchoService.EchoServiceClient(channel);
        using AsyncUnaryCall<EchoResponse> call =
            client.UnaryAsync(new(), deadline: In(TimeSpan.FromMilliseconds(50)));
        await FailsAsync(StatusCode.DeadlineExceeded, call.ResponseAsync);
        using AsyncDuplexStreamingCall<EchoRequest, EchoResponse> chat =
            client.Chat(deadline: In(TimeSpan.FromMilliseconds(50)));
        await FailsAsync(StatusCode.DeadlineExceeded, chat.RequestStream.WriteAsync(new()));
        await FailsAsync(StatusCode.DeadlineExceeded, chat.ResponseStream.MoveNext());
    }

    [Fact]
    public async Task A_deadline_in_the_past_sends_nothing()
    {
        int calls = 0;
        await using ScriptedServer server = await ScriptedServer.StartAsync(http =>
        {
            calls++;
            return Script.EchoAsync(http);
        });
        foreach (DateTime past in new[] { In(TimeSpan.FromSeconds(-1)), DateTime.MinValue })
        {
            using AsyncUnaryCall<EchoResponse> call = server.Client.UnaryAsync(new(), deadline: past);
            await FailsAsync(StatusCode.DeadlineExceeded, call.ResponseAsync);
        }

        await server.Client.UnaryAsync(new() { Text = "x" }, deadline: DateTime.MaxValue);
        await server.Client.UnaryAsync(new() { Text = "x" }, deadline: In(TimeSpan.FromDays(300_000)));
        Assert.Equal(2, calls);
        var local = new DateTime(2100, 1, 1, 0, 0, 0, DateTimeKind.Local);
        Assert.Throws<InvalidOperationException>(() => server.Client.UnaryAsync(new(), deadline: local));
    }

    [Fact]
    [Wire("C1.3.13")]
    public async Task A_cancelled_call_is_over_here_and_there()
    {
        var arrived = new TaskCompletionSource();
        var gone = new TaskCompletionSource();
        await using ScriptedServer server = await ScriptedServer.StartAsync(http =>
        {
            arrived.TrySetResult();
            return Script.HangAsync(http, gone);
        });
        using var cancel = new CancellationTokenSource();
        using AsyncUnaryCall<EchoResponse> call = server.Client.UnaryAsync(new(), cancellationToken: cancel.Token);
        await arrived.Task.WaitAsync(ScriptedServer.Net);
        await cancel.CancelAsync();
        await FailsAsync(StatusCode.Cancelled, call.ResponseAsync);
        await gone.Task.WaitAsync(ScriptedServer.Net);
    }

    [Fact]
    [Wire("C1.3.13")]
    public async Task A_disposed_call_is_cancelled_on_the_server_too()
    {
        var gone = new TaskCompletionSource();
        await using ScriptedServer server = await ScriptedServer.StartAsync(async http =>
        {
            await http.WriteAsync(Script.Frame("one"));
            await Script.HangAsync(http, gone);
        });
        AsyncServerStreamingCall<EchoResponse> call = server.Client.Repeat(new());
        Assert.True(await call.ResponseStream.MoveNext());
        call.Dispose();
        await gone.Task.WaitAsync(ScriptedServer.Net);
        Assert.Equal(StatusCode.Cancelled, call.GetStatus().StatusCode);
        await FailsAsync(StatusCode.Cancelled, call.ResponseStream.MoveNext());
    }

    [Fact]
    public async Task Cancellation_throws_what_the_options_say()
    {
        var options = new GrpcChannelOptions { ThrowOperationCanceledOnCancellation = true };
        await using ScriptedServer server = await ScriptedServer.StartAsync(http => Script.HangAsync(http), options);
        using var cancel = new CancellationTokenSource();
        using AsyncUnaryCall<EchoResponse> call = server.Client.UnaryAsync(new(), cancellationToken: cancel.Token);
        await cancel.CancelAsync();
        var thrown = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call.ResponseAsync);
        Assert.Equal(cancel.Token, thrown.CancellationToken);
        Assert.Equal(StatusCode.Cancelled, Assert.IsType<RpcException>(thrown.InnerException).StatusCode);
    }

    [Fact]
    public async Task A_read_that_is_cancelled_throws_with_its_own_token()
    {
        var options = new GrpcChannelOptions { ThrowOperationCanceledOnCancellation = true };
        await using ScriptedServer server = await ScriptedServer.StartAsync(http => Script.HangAsync(http), options);
        using var cancel = new CancellationTokenSource();
        using AsyncServerStreamingCall<EchoResponse> call = server.Client.Repeat(new());
        Task<bool> read = call.ResponseStream.MoveNext(cancel.Token);
        await cancel.CancelAsync();
        var thrown = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => read);
        Assert.Equal(cancel.Token, thrown.CancellationToken);
    }

    [Fact]
    [Wire("C1.3.22")]
    public async Task A_call_that_waits_for_the_server_outlives_refused_connections()
    {
        using var taken = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        taken.Start();
        int port = ((System.Net.IPEndPoint)taken.LocalEndpoint).Port;
        taken.Stop();
        using GrpcChannel channel = GrpcChannel.ForAddress($"http://127.0.0.1:{port}");
        var client = new EchoService.EchoServiceClient(channel);
        using AsyncUnaryCall<EchoResponse> unary =
            client.UnaryAsync(new() { Text = "late" }, new CallOptions().WithWaitForReady());
        using AsyncDuplexStreamingCall<EchoRequest, EchoResponse> chat =
            client.Chat(new CallOptions().WithWaitForReady());
        Task write = chat.RequestStream.WriteAsync(new() { Text = "later" });
        while (channel.State != ConnectivityState.TransientFailure)
        {
            await channel.WaitForStateChangedAsync(channel.State).WaitAsync(ScriptedServer.Net);
        }

        await using ScriptedServer server = await ScriptedServer.StartAsync(Script.EchoAsync, port: port);
        Assert.Equal("late", (await unary.ResponseAsync.WaitAsync(ScriptedServer.Net)).Text);
        await write.WaitAsync(ScriptedServer.Net);
        Assert.True(await chat.ResponseStream.MoveNext().WaitAsync(ScriptedServer.Net));
        Assert.Equal("later", chat.ResponseStream.Current.Text);
    }

    private static DateTime In(TimeSpan time) => (TimeProvider.System.GetUtcNow() + time).UtcDateTime;

    private static async Task FailsAsync(StatusCode expected, Task task) => Assert.Equal(
        expected, (await Assert.ThrowsAsync<RpcException>(() => task.WaitAsync(ScriptedServer.Net))).StatusCode);

    private sealed class Hanging : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken token) =>
            new TaskCompletionSource<HttpResponseMessage>().Task;
    }
}
