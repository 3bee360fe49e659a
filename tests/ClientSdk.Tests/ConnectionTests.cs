using System.Net;
using System.Net.Sockets;
using Grpc.Core;
using Squall.Server;
using Squall.Server.Tests;
using Squall.V1;

namespace Squall.Client.Tests;

/// <summary>When a client connects, how often, and what it does with connections that died.</summary>
public sealed class ConnectionTests
{
    [Fact]
    public async Task Making_a_client_connects_to_nothing_and_its_calls_share_one_connection()
    {
        await using var world = await World.StartAsync();
        var client = world.Client();
        Assert.Equal(0, world.Proxy.Accepted);
        await client.ConnectAsync();
        await client.ConnectAsync();
        await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => client.SayHelloAsync()));
        // .NET's own handler sometimes opens one beside the first that it does not need.
        Assert.InRange(world.Proxy.Accepted, 1, 2);
    }

    [Fact]
    public async Task A_client_that_was_there_before_the_server_can_be_used_once_the_server_is_there()
    {
        var port = FreePort();
        using var client = new SquallClient($"http://127.0.0.1:{port}");
        await Assert.ThrowsAsync<SquallUnavailableException>(() => client.ConnectAsync());

        await using var world = await World.StartAsync(options => options.Http = HostPort.Localhost(port));
        Assert.Equal("Hello, world", (await client.ConnectAsync()).Message);
    }

    [Fact]
    public async Task A_restart_between_calls_goes_unnoticed()
    {
        await using var world = await World.StartAsync();
        var client = await world.SignedInAsync();
        var before = await client.GetAccountAsync();
        await world.RestartAsync();
        Assert.Equal(before, await client.GetAccountAsync());
    }

    [Fact]
    public async Task More_than_a_hundred_calls_at_once_open_another_connection()
    {
        await using var world = await World.StartAsync();
        var release = new TaskCompletionSource();
        var all = new TaskCompletionSource();
        world.Log.Before("SayHello", count =>
        {
            if (count == 250)
            {
                all.SetResult();
            }

            return release.Task;
        });
        var client = world.Client();
        var calls = Enumerable.Range(0, 250).Select(_ => client.SayHelloAsync()).ToList();
        await all.Task.WaitAsync(Net.TimeMax);
        Assert.All(Connections(world).CountBy(peer => peer), connection => Assert.InRange(connection.Value, 1, 100));
        release.SetResult();
        await Task.WhenAll(calls);
        var accepted = world.Proxy.Accepted;
        await client.SayHelloAsync();
        Assert.Equal(accepted, world.Proxy.Accepted);
    }

    [Fact]
    public async Task Streams_that_were_read_to_their_end_give_their_place_back()
    {
        await using var world = await World.StartAsync();
        var client = await world.SignedInAsync();
        await client.ConnectAsync();
        var accepted = world.Proxy.Accepted;
        for (var count = 0; count < 220; count++)
        {
            // As a user of raw clients might: read until it fails, and forget it.
            var call = client.Raw.Notifications.Subscribe(new SubscribeRequest { After = "nonsense" });
            await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext(CancellationToken.None));
        }

        Assert.InRange(world.Proxy.Accepted, accepted, accepted + 1);
    }

    [Fact]
    public async Task A_connection_that_fell_silent_costs_one_deadline_and_no_more()
    {
        await using var world = await World.StartAsync();
        var time = new FakeTime();
        var client = world.Client(options => options.TimeProvider = time);
        await client.ConnectAsync();
        world.Proxy.Stall();
        var call = client.SayHelloAsync(settings: new CallSettings { Timeout = TimeSpan.FromSeconds(6) });
        await time.TimerSetAsync(TimeSpan.FromSeconds(6));
        time.Advance(TimeSpan.FromSeconds(6));
        await Assert.ThrowsAsync<SquallTimeoutException>(() => call);
        await client.SayHelloAsync();
        Assert.Equal(2, Connections(world).Distinct().Count());
    }

    [Fact]
    public async Task A_slow_answer_on_a_connection_that_speaks_does_not_cost_the_connection()
    {
        await using var world = await World.StartAsync();
        world.Log.Before("GetAccount", _ => new TaskCompletionSource().Task);
        var time = new FakeTime();
        var client = await world.SignedInAsync(options => options.TimeProvider = time);
        await client.ConnectAsync();
        var slow = client.GetAccountAsync(new CallSettings { Timeout = TimeSpan.FromSeconds(6) });
        await world.Log.CountedAsync("GetAccount", 1);
        time.Advance(TimeSpan.FromSeconds(1));
        await client.SayHelloAsync();
        time.Advance(TimeSpan.FromSeconds(5));
        await Assert.ThrowsAsync<SquallTimeoutException>(() => slow);
        await client.SayHelloAsync();
        Assert.Single(Connections(world).Distinct());
    }

    [Fact]
    public async Task A_disposed_client_ends_its_calls_and_makes_no_more()
    {
        await using var world = await World.StartAsync();
        world.Log.Before("SayHello", _ => new TaskCompletionSource().Task);
        var client = world.Client();
        var call = client.SayHelloAsync();
        await world.Log.CountedAsync("SayHello", 1);
        await client.DisposeAsync();
        client.Dispose();
        var ended = await Assert.ThrowsAsync<SquallException>(() => call);
        Assert.Equal(StatusCode.Cancelled, ended.Code);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => client.SayHelloAsync());
    }

    /// <summary>On which connection each greeting was called for.</summary>
    private static IEnumerable<string> Connections(World world) =>
        world.Log.CallsOf("SayHello").Select(call => call.Peer);

    private static int FreePort()
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }
}
