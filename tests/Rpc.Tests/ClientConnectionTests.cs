using System.Net;
using System.Net.Sockets;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Http.Features;

namespace Squall.Rpc.Tests;

/// How connections are kept, made anew and given up.
public sealed class ClientConnectionTests
{
    private static readonly byte[] Settings = [0, 0, 0, 4, 0, 0, 0, 0, 0];

    [Fact]
    [Wire("C1.5.01")]
    public void A_connection_is_pinged_while_calls_are_under_way()
    {
        using SocketsHttpHandler handler = ChannelTransport.CreateHandler(
            new Uri("http://localhost:1"), TimeSpan.FromSeconds(30));
        Assert.InRange(handler.KeepAlivePingDelay, TimeSpan.FromSeconds(10), TimeSpan.FromMinutes(1));
        Assert.InRange(handler.KeepAlivePingTimeout, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(1));
        Assert.Equal(HttpKeepAlivePingPolicy.WithActiveRequests, handler.KeepAlivePingPolicy);
    }

    [Fact]
    [Wire("C1.5.01")]
    public async Task A_peer_that_does_not_answer_pings_is_unavailable()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var done = new CancellationTokenSource();
        Task serving = SwallowAsync(listener, done.Token);
        using GrpcChannel channel = GrpcChannel.ForAddress($"http://{listener.LocalEndpoint}", new GrpcChannelOptions
        {
            HttpHandler = new SocketsHttpHandler
            {
                KeepAlivePingDelay = TimeSpan.FromSeconds(1),
                KeepAlivePingTimeout = TimeSpan.FromSeconds(1),
                KeepAlivePingPolicy = HttpKeepAlivePingPolicy.WithActiveRequests,
            },
            DisposeHttpClient = true,
        });
        var client = new EchoService.EchoServiceClient(channel);
        RpcException thrown = await Assert.ThrowsAsync<RpcException>(
            () => client.UnaryAsync(new()).ResponseAsync.WaitAsync(ScriptedServer.Net));
        Assert.Equal(StatusCode.Unavailable, thrown.StatusCode);
        await done.CancelAsync();
        await serving;
    }

    [Fact]
    [Wire("C1.5.04")]
    public async Task A_server_that_finds_pings_too_many_gets_half_of_them()
    {
        byte[] goAway = [0, 0, 22, 7, 0, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 11, .. "too_many_pings"u8];
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var done = new CancellationTokenSource();
        Task serving = SwallowAsync(listener, done.Token, goAway);
        using GrpcChannel channel = GrpcChannel.ForAddress($"http://{listener.LocalEndpoint}");
        var client = new EchoService.EchoServiceClient(channel);
        AsyncUnaryCall<EchoResponse>[] calls = [client.UnaryAsync(new()), client.UnaryAsync(new())];
        foreach (AsyncUnaryCall<EchoResponse> call in calls)
        {
            RpcException thrown = await Assert.ThrowsAsync<RpcException>(
                () => call.ResponseAsync.WaitAsync(ScriptedServer.Net));
            Assert.Equal(StatusCode.ResourceExhausted, thrown.StatusCode);
        }

        Assert.Equal(TimeSpan.FromSeconds(60), channel.Transport.PingDelay);
        await done.CancelAsync();
        await serving;
    }

    [Fact]
    [Wire("C1.3.12")]
    public void The_channels_own_handler_neither_redirects_nor_keeps_cookies_nor_inflates()
    {
        using SocketsHttpHandler handler = ChannelTransport.CreateHandler(
            new Uri("http://localhost:1"), TimeSpan.FromSeconds(30));
        Assert.False(handler.AllowAutoRedirect);
        Assert.False(handler.UseCookies);
        Assert.Equal(DecompressionMethods.None, handler.AutomaticDecompression);
        Assert.True(handler.EnableMultipleHttp2Connections);
        Assert.InRange(handler.PooledConnectionIdleTimeout, TimeSpan.Zero, TimeSpan.FromSeconds(129));
    }

    [Fact]
    [Wire("C1.3.22")]
    public async Task Calls_that_wait_dial_together_and_later_each_time()
    {
        var time = new StoppedTime();
        var redial = new Redial(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(4), time);
        Assert.True(redial.WaitAsync(CancellationToken.None).IsCompleted);
        List<TimeSpan> waits = [];
        for (int failure = 0; failure < 200; failure++)
        {
            redial.Failed();
            // What fails meanwhile does not put the next dial off.
            redial.Failed();
            waits.Add(await time.PassAsync(redial.WaitAsync(CancellationToken.None)));
        }

        Assert.InRange(waits[0], TimeSpan.Zero, TimeSpan.FromSeconds(1));
        Assert.InRange(waits.Max(), TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(4));
        redial.Succeeded();
        redial.Failed();
        Assert.InRange(await time.PassAsync(redial.WaitAsync(CancellationToken.None)),
            TimeSpan.Zero, TimeSpan.FromSeconds(1));
    }

    [Fact]
    [Wire("C1.3.22")]
    public async Task A_call_that_waits_for_the_server_outlives_a_connection_that_takes_too_long()
    {
        await using ScriptedServer server = await ScriptedServer.StartAsync(Script.EchoAsync);
        int dials = 0;
        using GrpcChannel channel = GrpcChannel.ForAddress(server.Address, new GrpcChannelOptions
        {
            InitialReconnectBackoff = TimeSpan.FromMilliseconds(1),
            HttpHandler = new SocketsHttpHandler
            {
                ConnectTimeout = TimeSpan.FromMilliseconds(100),
                ConnectCallback = async (_, cancellationToken) =>
                {
                    if (Interlocked.Increment(ref dials) == 1)
                    {
                        await Task.Delay(Timeout.Infinite, cancellationToken);
                    }

                    var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
                    await socket.ConnectAsync(IPAddress.Loopback, server.Address.Port, cancellationToken);
                    return new NetworkStream(socket, ownsSocket: true);
                },
            },
            DisposeHttpClient = true,
        });
        var client = new EchoService.EchoServiceClient(channel);
        EchoResponse answer = await client.UnaryAsync(new() { Text = "late" }, new CallOptions().WithWaitForReady())
            .ResponseAsync.WaitAsync(ScriptedServer.Net);
        Assert.Equal("late", answer.Text);
        Assert.True(dials > 1);
    }

    [Theory]
    [InlineData(404)]
    [InlineData(0)]
    public async Task A_handler_is_asked_for_the_connection_that_it_alone_can_make(int status)
    {
        await using ScriptedServer server = await ScriptedServer.StartAsync(http =>
        {
            http.Response.StatusCode = status;
            if (status == 0)
            {
                http.Features.Get<IHttpResetFeature>()!.Reset(1);
            }

            return Task.CompletedTask;
        });
        bool isThere = true;
        using GrpcChannel channel = GrpcChannel.ForAddress("http://known-to-it-alone.invalid", new GrpcChannelOptions
        {
            HttpHandler = new SocketsHttpHandler
            {
                ConnectCallback = async (_, cancellationToken) =>
                {
                    var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
                    await socket.ConnectAsync(
                        IPAddress.Loopback, isThere ? server.Address.Port : 1, cancellationToken);
                    return new NetworkStream(socket, ownsSocket: true);
                },
                PooledConnectionLifetime = TimeSpan.Zero,
            },
            DisposeHttpClient = true,
        });
        await channel.ConnectAsync().WaitAsync(ScriptedServer.Net);
        Assert.Equal(ConnectivityState.Ready, channel.State);
        isThere = false;
        RpcException thrown = await Assert.ThrowsAsync<RpcException>(
            () => channel.ConnectAsync().WaitAsync(ScriptedServer.Net));
        Assert.Equal(StatusCode.Unavailable, thrown.StatusCode);
        Assert.Equal(ConnectivityState.TransientFailure, channel.State);
    }

    [Fact]
    public async Task A_connection_that_nobody_waits_for_any_more_is_not_being_made()
    {
        using GrpcChannel channel = GrpcChannel.ForAddress("http://127.0.0.1:1");
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => channel.ConnectAsync(new CancellationToken(canceled: true)));
        Assert.Equal(ConnectivityState.Idle, channel.State);
    }

    /// Takes a connection and what comes over it, and says no more than that it speaks HTTP/2, and a last word.
    private static async Task SwallowAsync(TcpListener listener, CancellationToken done, byte[]? lastWord = null)
    {
        try
        {
            byte[] buffer = new byte[4096];
            using Socket socket = await listener.AcceptSocketAsync(done);
            await socket.SendAsync(Settings, done);
            for (int seen = 0; await socket.ReceiveAsync(buffer, done) is > 0 and int read;)
            {
                seen += read;
                // The preface and settings, and at least two requests.
                if (seen > 300 && lastWord is not null)
                {
                    await socket.SendAsync(lastWord, done);
                    socket.Shutdown(SocketShutdown.Send);
                    lastWord = null;
                }
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException)
        {
            // The test, or the client, is done.
        }
    }

    /// A clock that stands until a wait is to pass.
    private sealed class StoppedTime : TimeProvider
    {
        private DateTimeOffset now = DateTimeOffset.UnixEpoch;
        private (TimerCallback Callback, object? State, TimeSpan Due)? timer;

        public override DateTimeOffset GetUtcNow() => now;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            timer = (callback, state, dueTime);
            return System.CreateTimer(_ => { }, null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }

        /// Lets a wait pass; how long it was.
        public async Task<TimeSpan> PassAsync(Task wait)
        {
            if (wait.IsCompleted)
            {
                return TimeSpan.Zero;
            }

            (TimerCallback callback, object? state, TimeSpan due) = timer!.Value;
            now += due + TimeSpan.FromTicks(1);
            callback(state);
            await wait.WaitAsync(ScriptedServer.Net);
            return due;
        }
    }
}
