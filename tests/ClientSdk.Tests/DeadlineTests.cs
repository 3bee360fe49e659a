using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Squall.Server.Tests;
using Squall.V1;

namespace Squall.Client.Tests;

/// <summary>How long calls may take, and what callers are told when one took too long or was cancelled.</summary>
public sealed class DeadlineTests(World world) : IClassFixture<World>
{
    [Fact]
    public async Task A_unary_call_has_ten_seconds_unless_it_is_told_otherwise()
    {
        var timeouts = new List<string?>();
        var client = await ClientAsync(timeouts);
        await client.GetAccountAsync();
        await client.GetAccountAsync(new CallSettings { Timeout = TimeSpan.FromMinutes(2) });
        await client.GetAccountAsync(new CallSettings { Timeout = Timeout.InfiniteTimeSpan });
        await client.Raw.Accounts.GetAccountAsync(
            new GetAccountRequest(), deadline: TimeProvider.System.GetUtcNow().UtcDateTime.AddSeconds(50));
        Assert.InRange(Seconds(timeouts[0]), 9, 10);
        Assert.InRange(Seconds(timeouts[1]), 118, 120);
        Assert.Null(timeouts[2]);
        Assert.InRange(Seconds(timeouts[3]), 48, 50);
    }

    [Fact]
    public async Task The_options_say_what_calls_have_by_default()
    {
        var timeouts = new List<string?>();
        var client = await ClientAsync(timeouts, options => options.Timeout = TimeSpan.FromSeconds(25));
        await client.GetAccountAsync();
        var endless = await ClientAsync(timeouts, options => options.Timeout = Timeout.InfiniteTimeSpan);
        await endless.GetAccountAsync();
        Assert.InRange(Seconds(timeouts[0]), 24, 25);
        Assert.Null(timeouts[1]);
    }

    [Fact]
    public async Task A_call_that_asks_the_server_to_wait_has_that_time_as_well()
    {
        var timeouts = new List<string?>();
        var client = await ClientAsync(timeouts);
        var request = new LeaseWorkRequest { Wait = Duration.FromTimeSpan(TimeSpan.FromSeconds(60)) };
        await Assert.ThrowsAsync<RpcException>(async () => await client.Raw.Work.LeaseWorkAsync(request));
        Assert.InRange(Seconds(timeouts[0]), 68, 70);
    }

    [Fact]
    public async Task A_subscription_has_no_deadline()
    {
        var timeouts = new List<string?>();
        var client = await ClientAsync(timeouts, options => options.Timeout = TimeSpan.FromMilliseconds(1));
        await foreach (var told in client.SubscribeAsync())
        {
            Assert.IsType<SubscriptionEvent.Synced>(told);
            break;
        }

        using var raw = client.Raw.Notifications.Subscribe(new SubscribeRequest());
        Assert.True(await raw.ResponseStream.MoveNext(CancellationToken.None));
        Assert.Equal([null, null], timeouts);
    }

    [Fact]
    public async Task A_call_that_takes_too_long_is_given_up_on_both_sides()
    {
        var time = new FakeTime();
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var alone = await World.StartAsync();
        alone.Log.Before("SayHello", _ => new TaskCompletionSource().Task);
        alone.Log.Ended += _ => ended.TrySetResult();
        var late = alone.Client(options => options.TimeProvider = time);
        var call = late.SayHelloAsync();
        await alone.Log.CountedAsync("SayHello", 1);
        time.Advance(TimeSpan.FromSeconds(10));
        var timeout = await Assert.ThrowsAsync<SquallTimeoutException>(() => call);
        Assert.Equal(StatusCode.DeadlineExceeded, timeout.Code);
        await ended.Task.WaitAsync(Net.TimeMax);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-5)]
    public async Task A_call_without_any_time_is_late_at_once_and_nothing_is_sent(int seconds)
    {
        var timeouts = new List<string?>();
        var client = await ClientAsync(timeouts);
        await Assert.ThrowsAsync<SquallTimeoutException>(
            () => client.GetAccountAsync(new CallSettings { Timeout = TimeSpan.FromSeconds(seconds) }));
        Assert.Empty(timeouts);
    }

    [Fact]
    public async Task A_callers_cancellation_comes_back_with_the_callers_token()
    {
        await using var alone = await World.StartAsync();
        alone.Log.Before("SayHello", _ => new TaskCompletionSource().Task);
        var client = alone.Client();
        using var cancel = new CancellationTokenSource();
        var call = client.SayHelloAsync(cancellationToken: cancel.Token);
        await alone.Log.CountedAsync("SayHello", 1);
        await cancel.CancelAsync();
        var end = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
        Assert.Equal(cancel.Token, end.CancellationToken);

        end = await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => client.SayHelloAsync(cancellationToken: cancel.Token));
        Assert.Equal(cancel.Token, end.CancellationToken);
        Assert.Equal(1, alone.Log.Count("SayHello"));
    }

    [Fact]
    public async Task A_cancellation_that_is_not_the_callers_is_a_failure_of_the_call()
    {
        await using var alone = await World.StartAsync();
        alone.Log.Fail("SayHello", 1, () => new RpcException(new Status(StatusCode.Cancelled, "By the server.")));
        using var cancel = new CancellationTokenSource();
        var failure = await Assert.ThrowsAsync<SquallException>(
            () => alone.Client().SayHelloAsync(cancellationToken: cancel.Token));
        Assert.Equal(StatusCode.Cancelled, failure.Code);
    }

    private static double Seconds(string? timeout)
    {
        Assert.NotNull(timeout);
        var amount = double.Parse(timeout[..^1]);
        return timeout[^1] switch
        {
            'S' => amount,
            'm' => amount / 1e3,
            'u' => amount / 1e6,
            'n' => amount / 1e9,
            _ => throw new InvalidOperationException($"{timeout} is no time of this test's."),
        };
    }

    /// <summary>A client whose calls' timeouts are noted as they go out.</summary>
    private Task<SquallClient> ClientAsync(
        List<string?> timeouts, Action<SquallClientOptions>? adjust = null) => world.SignedInAsync(options =>
    {
        options.HandlerFactory = () => new Interposed(request =>
        {
            timeouts.Add(request.Headers.TryGetValues("grpc-timeout", out var values) ? values.Single() : null);
            return null;
        });
        adjust?.Invoke(options);
    });
}
