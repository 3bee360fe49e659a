using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Squall.Rpc.Tests;

/// What a channel makes of connections and streams that end, frame by frame.
public sealed class ClientHttp2Tests : IDisposable
{
    private const int Cancel = 8;
    private static readonly byte[] NoError = [0, 0, 0, 0];

    private readonly TcpListener listener = new(IPAddress.Loopback, 0);

    public ClientHttp2Tests() => listener.Start();

    public void Dispose() => listener.Dispose();

    [Fact, Wire("C1.3.21", "C1.5.05")]
    public async Task A_server_that_closes_its_connections_loses_no_call()
    {
        const int Connections = 20;
        int refused = 0;
        Task serving = ServeAsync();
        using GrpcChannel channel = GrpcChannel.ForAddress($"http://{listener.LocalEndpoint}");
        var client = new EchoService.EchoServiceClient(channel);
        for (int at = 0; at < Connections; at++)
        {
            Assert.Equal($"{at}", (await client.UnaryAsync(new() { Text = $"{at}" })
                .ResponseAsync.WaitAsync(ScriptedServer.Net)).Text);
        }

        await serving.WaitAsync(ScriptedServer.Net);
        Assert.Equal(Connections - 1, refused);

        // Each connection answers one call. It goes away just when the next one has come over it, and never sees that.
        async Task ServeAsync()
        {
            List<Task> closing = [];
            for (int at = 0; at < Connections; at++)
            {
                Http2Wire wire = await Http2Wire.AcceptAsync(listener);
                await wire.ReadToAsync(frame => frame.IsEnd);
                await wire.AnswerAsync(1, Script.Frame($"{at}"));
                if (at < Connections - 1)
                {
                    await wire.ReadToAsync(frame => frame is { Type: Http2Frame.Headers, Stream: 3 });
                    refused++;
                    await wire.SendAsync(Http2Frame.GoAway, 0, 0, [0, 0, 0, 1, .. NoError]);
                }

                closing.Add(wire.CloseAsync());
            }

            await Task.WhenAll(closing);
        }
    }

    [Theory, Wire("C1.3.21", "C1.5.05")]
    [InlineData(3, false, StatusCode.OK, 4)]
    [InlineData(4, false, StatusCode.Unavailable, 4)]
    [InlineData(1, true, StatusCode.Unavailable, 1)]
    public async Task A_call_that_is_given_to_a_connection_as_it_ends_is_sent_over_another(
        int failures, bool hasLeft, StatusCode expected, int attempts)
    {
        await using ServerHost host = await ServerHost.StartAsync();
        foreach (ClientWorld world in (ClientWorld[])[new("grpc", 2), new("connect", 2), new("connect", 1)])
        {
            var ending = new Ending(failures, hasLeft);
            GrpcChannelOptions options = world.Options();
            options.HttpHandler = ending;
            using GrpcChannel channel = GrpcChannel.ForAddress(host.Address, options);
            using AsyncUnaryCall<EchoResponse> call =
                new EchoService.EchoServiceClient(channel).UnaryAsync(new() { Text = "x" });
            await call.ResponseAsync.WaitAsync(ScriptedServer.Net).ContinueWith(_ => { }, TaskScheduler.Default);
            Assert.Equal((expected, attempts), (call.GetStatus().StatusCode, ending.Attempts));
        }
    }

    [Theory, InlineData(true), InlineData(false), Wire("C1.5.05")]
    public async Task A_connection_that_is_closed_while_idle_is_replaced_by_the_next_call(bool isTold)
    {
        var closed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Task serving = ServeAsync();
        using GrpcChannel channel = GrpcChannel.ForAddress($"http://{listener.LocalEndpoint}");
        var client = new EchoService.EchoServiceClient(channel);
        Assert.Equal("0", (await client.UnaryAsync(new()).ResponseAsync.WaitAsync(ScriptedServer.Net)).Text);
        await closed.Task.WaitAsync(ScriptedServer.Net);
        Assert.Equal("1", (await client.UnaryAsync(new()).ResponseAsync.WaitAsync(ScriptedServer.Net)).Text);
        await serving.WaitAsync(ScriptedServer.Net);

        async Task ServeAsync()
        {
            foreach (int at in (int[])[0, 1])
            {
                using Http2Wire wire = await Http2Wire.AcceptAsync(listener);
                await wire.ReadToAsync(frame => frame.IsEnd);
                await wire.AnswerAsync(1, Script.Frame($"{at}"));
                if (isTold)
                {
                    await wire.SendAsync(Http2Frame.GoAway, 0, 0, [0, 0, 0, 1, .. NoError]);
                }

                await wire.CloseAsync();
                closed.TrySetResult();
            }
        }
    }

    [Fact, Wire("C1.5.05", "C1.3.24")]
    public async Task An_idle_connection_of_http1_may_be_closed_as_well()
    {
        using var closed = new SemaphoreSlim(0);
        Task serving = ServeAsync();
        using GrpcChannel channel = GrpcChannel.ForAddress(
            $"http://{listener.LocalEndpoint}", new ClientWorld("connect", 1).Options());
        var client = new EchoService.EchoServiceClient(channel);
        for (int at = 0; at < 3; at++)
        {
            using AsyncUnaryCall<EchoResponse> call = client.UnaryAsync(new());
            Assert.Equal("", (await call.ResponseAsync.WaitAsync(ScriptedServer.Net)).Text);
            Assert.Equal("ab", (await call.ResponseHeadersAsync).GetValue("x-a"));
            Assert.Equal("ab", call.GetTrailers().GetValue("x-a"));
            Assert.True(await closed.WaitAsync(ScriptedServer.Net));
        }

        await serving.WaitAsync(ScriptedServer.Net);

        async Task ServeAsync()
        {
            List<TcpClient> served = [];
            for (int at = 0; at < 3; at++)
            {
                TcpClient tcp = await listener.AcceptTcpClientAsync();
                served.Add(tcp);
                byte[] buffer = new byte[4096];
                string request = "";
                while (!request.Contains("\r\n\r\n", StringComparison.Ordinal))
                {
                    request += Encoding.Latin1.GetString(buffer, 0, await tcp.GetStream().ReadAsync(buffer));
                }

                // It does not say that it closes.
                await tcp.GetStream().WriteAsync(Encoding.Latin1.GetBytes(
                    "HTTP/1.1 200 OK\r\ncontent-type: application/proto\r\ncontent-length: 0\r\n" +
                    "x-a: a\u0080\u00e9\u00ffb\r\ntrailer-x-a: a\u0080\u00e9\u00ffb\r\n\r\n"));
                await EndAsync(tcp.Client);
                closed.Release();
            }

            served.ForEach(tcp => tcp.Dispose());
        }
    }

    [Fact, Wire("C1.3.24")]
    public async Task Bytes_beyond_ascii_that_a_server_sends_are_dropped()
    {
        Task serving = ServeAsync();
        using GrpcChannel channel = GrpcChannel.ForAddress($"http://{listener.LocalEndpoint}");
        using AsyncUnaryCall<EchoResponse> call = new EchoService.EchoServiceClient(channel).UnaryAsync(new());
        Assert.Equal("x", (await call.ResponseAsync.WaitAsync(ScriptedServer.Net)).Text);
        Assert.Equal("ab", (await call.ResponseHeadersAsync).GetValue("x-a"));
        Assert.Equal("ab", call.GetTrailers().GetValue("x-a"));
        await serving.WaitAsync(ScriptedServer.Net);

        async Task ServeAsync()
        {
            using Http2Wire wire = await Http2Wire.AcceptAsync(listener);
            await wire.ReadToAsync(frame => frame.IsEnd);
            await wire.AnswerAsync(1, Script.Frame("x"), ("x-a", " a\u0080\u00e9\u00ffb "));
            await wire.CloseAsync();
        }
    }

    [Theory, Wire("C1.3.25")]
    [InlineData("grpc")]
    [InlineData("web")]
    [InlineData("connect")]
    public async Task Metadata_that_is_more_than_the_server_takes_is_internal(string protocol)
    {
        await using ServerHost host = await ServerHost.StartAsync();
        using GrpcChannel channel = GrpcChannel.ForAddress(host.Address, new ClientWorld(protocol, 2).Options());
        var client = new EchoService.EchoServiceClient(channel);
        // After this one the client knows what its server takes, and does not even send more.
        Assert.Equal("", (await client.UnaryAsync(new()).ResponseAsync.WaitAsync(ScriptedServer.Net)).Text);
        RpcException thrown = await Assert.ThrowsAsync<RpcException>(
            () => client.UnaryAsync(new(), Large(40)).ResponseAsync.WaitAsync(ScriptedServer.Net));
        Assert.Equal(StatusCode.Internal, thrown.StatusCode);
        Assert.Equal("", (await client.UnaryAsync(new()).ResponseAsync.WaitAsync(ScriptedServer.Net)).Text);
        Assert.Equal(2, host.Probe.Calls);
    }

    [Theory, Wire("C1.3.01", "C1.3.25")]
    [InlineData("grpc", 2, 0, StatusCode.Unknown)]
    [InlineData("grpc", 2, 9, StatusCode.Internal)]
    [InlineData("web", 1, 0, StatusCode.Unknown)]
    [InlineData("web", 1, 9, StatusCode.Internal)]
    [InlineData("connect", 1, 9, StatusCode.Unknown)]
    public async Task A_431_is_the_calls_doing_only_after_much_metadata(
        string protocol, int version, int kilobytes, StatusCode expected)
    {
        await using ScriptedServer server = await ScriptedServer.StartAsync(http =>
        {
            http.Response.StatusCode = 431;
            return Task.CompletedTask;
        }, new ClientWorld(protocol, version).Options(), protocols: (HttpProtocols)version);
        RpcException thrown = await Assert.ThrowsAsync<RpcException>(
            () => server.Client.UnaryAsync(new(), Large(kilobytes)).ResponseAsync.WaitAsync(ScriptedServer.Net));
        Assert.Equal(expected, thrown.StatusCode);
        Assert.Contains("431", thrown.Status.Detail, StringComparison.Ordinal);
    }

    [Theory, InlineData(true), InlineData(false), Wire("C1.3.11", "C1.3.13")]
    public async Task A_call_that_is_given_up_cancels_its_stream(bool isLate)
    {
        var time = new StandingTime();
        using GrpcChannel channel = GrpcChannel.ForAddress(
            $"http://{listener.LocalEndpoint}", new GrpcChannelOptions { Time = time });
        using AsyncUnaryCall<EchoResponse> call = new EchoService.EchoServiceClient(channel).UnaryAsync(
            new(), deadline: time.GetUtcNow().UtcDateTime.AddMinutes(1));
        using Http2Wire wire = await Http2Wire.AcceptAsync(listener);
        await wire.ReadToAsync(frame => frame.IsEnd);
        if (isLate)
        {
            time.Now += TimeSpan.FromMinutes(1);
            time.Ring();
        }
        else
        {
            call.Dispose();
        }

        List<Http2Frame> frames = await wire.ReadToAsync(frame => frame.Type == Http2Frame.Reset);
        Assert.Equal(Cancel, frames[^1].Error);
        RpcException thrown = await Assert.ThrowsAsync<RpcException>(
            () => call.ResponseAsync.WaitAsync(ScriptedServer.Net));
        Assert.Equal(isLate ? StatusCode.DeadlineExceeded : StatusCode.Cancelled, thrown.StatusCode);
    }

    [Fact, Wire("C1.3.06")]
    public async Task A_stream_that_is_cancelled_after_the_deadline_is_late()
    {
        var time = new StandingTime();
        using GrpcChannel channel = GrpcChannel.ForAddress(
            $"http://{listener.LocalEndpoint}", new GrpcChannelOptions { Time = time });
        var client = new EchoService.EchoServiceClient(channel);
        foreach ((int minutes, StatusCode expected) in
            ((int, StatusCode)[])[(1, StatusCode.Cancelled), (10, StatusCode.DeadlineExceeded)])
        {
            using AsyncUnaryCall<EchoResponse> call = client.UnaryAsync(
                new(), deadline: time.GetUtcNow().UtcDateTime.AddMinutes(10));
            using Http2Wire wire = await Http2Wire.AcceptAsync(listener);
            await wire.ReadToAsync(frame => frame.IsEnd);
            time.Now += TimeSpan.FromMinutes(minutes);
            byte[] error = new byte[4];
            BinaryPrimitives.WriteInt32BigEndian(error, Cancel);
            await wire.SendAsync(Http2Frame.Reset, 0, 1, error);
            Assert.Equal(expected, (await Assert.ThrowsAsync<RpcException>(
                () => call.ResponseAsync.WaitAsync(ScriptedServer.Net))).StatusCode);
            await wire.SendAsync(Http2Frame.GoAway, 0, 0, [0, 0, 0, 1, .. NoError]);
            await wire.CloseAsync();
        }
    }

    private static Metadata Large(int kilobytes)
    {
        var metadata = new Metadata();
        foreach (int at in Enumerable.Range(0, kilobytes))
        {
            metadata.Add($"x-{at}", new string('a', 1_000));
        }

        return metadata;
    }

    /// Sends no more, and waits until the other end has been told: a call that it sends before that may be lost.
    private static async Task EndAsync(Socket socket)
    {
        const int Tcp = 6;
        const int Information = 11;
        const byte FinWait2 = 5;
        using var net = new CancellationTokenSource(ScriptedServer.Net);
        socket.Shutdown(SocketShutdown.Send);
        byte[] state = new byte[1];
        while (state[0] != FinWait2)
        {
            net.Token.ThrowIfCancellationRequested();
            await Task.Yield();
            socket.GetRawSocketOption(Tcp, Information, state);
        }
    }

    /// Fails as .NET's handler does with a connection that ends just when it is to carry a request.
    private sealed class Ending(int failures, bool hasLeft) : DelegatingHandler(new SocketsHttpHandler())
    {
        public int Attempts { get; private set; }

        protected override async Task<HttpResponseMessage> SendAsync(
            HttpRequestMessage request, CancellationToken token)
        {
            if (Attempts++ >= failures)
            {
                return await base.SendAsync(request, token);
            }

            if (hasLeft)
            {
                await request.Content!.CopyToAsync(Stream.Null, token);
            }

            throw new HttpRequestException(
                "It ended.", new HttpProtocolException(0, "The HTTP/2 server closed the connection.", null));
        }
    }

    /// A clock that stands, and rings its alarms when it is told to.
    private sealed class StandingTime : TimeProvider
    {
        private readonly ConcurrentQueue<Action> alarms = [];

        public DateTimeOffset Now { get; set; } = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override DateTimeOffset GetUtcNow() => Now;

        public override long GetTimestamp() => Now.UtcTicks;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            alarms.Enqueue(() => callback(state));
            return System.CreateTimer(_ => { }, null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }

        public void Ring()
        {
            foreach (Action alarm in alarms)
            {
                alarm();
            }
        }
    }
}
