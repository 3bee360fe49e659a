using Grpc.Core;
using Squall.Server.Tests;

namespace Squall.Client.Tests;

/// <summary>How a session's tokens are renewed: client and server go by one clock, which a test moves.</summary>
public sealed class RenewalTests : IAsyncLifetime
{
    private const string Refresh = "RefreshSession";
    private readonly FakeTime time = new();
    private readonly World world;

    public RenewalTests() => world = new World(null, time);

    public Task InitializeAsync() => world.InitializeAsync();

    public Task DisposeAsync() => world.DisposeAsync();

    [Theory]
    [InlineData(14.5)]
    [InlineData(16)]
    public async Task Fifty_calls_at_once_around_the_expiry_renew_once(double minutes)
    {
        // Without a store, from which the calls could take over what the first of them renewed.
        var client = await ClientAsync(options => options.TokenStore = null);
        await client.RegisterAsync("fifty", World.Password);
        await client.LoginAsync("fifty", World.Password);
        time.Advance(TimeSpan.FromMinutes(minutes));
        await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => client.GetAccountAsync()));
        Assert.Equal(1, world.Log.Count(Refresh));
    }

    [Fact]
    public async Task Fifty_calls_with_a_token_that_is_refused_renew_once_and_are_repeated()
    {
        // This client's clock is behind: it does not know that its token has expired.
        var behind = new FakeTime();
        var client = await ClientAsync(options => options.TimeProvider = behind);
        await client.GetAccountAsync();
        time.Advance(TimeSpan.FromMinutes(16));
        await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => client.GetAccountAsync()));
        Assert.Equal(1, world.Log.Count(Refresh));
        Assert.Equal(51, world.Log.Count("GetAccount"));
    }

    [Fact]
    public async Task A_token_that_is_refused_though_it_is_new_is_not_renewed_again()
    {
        world.Log.Fail("GetAccount", int.MaxValue, () => Failure(StatusCode.Unauthenticated));
        var client = await ClientAsync();
        await Assert.ThrowsAsync<SquallUnauthenticatedException>(() => client.GetAccountAsync());
        Assert.Equal(2, world.Log.Count("GetAccount"));
        Assert.Equal(1, world.Log.Count(Refresh));
    }

    [Fact]
    public async Task A_new_pair_is_saved_before_it_is_used()
    {
        var store = new MemoryTokenStore(await world.SignInAsync());
        var client = await ClientAsync(options => options.TokenStore = store);
        time.Advance(TimeSpan.FromMinutes(16));
        await client.GetAccountAsync();
        Assert.Equal(1, store.Saves);
        Assert.Equal(
            $"Bearer {store.Current!.AccessToken}",
            world.Log.CallsOf("GetAccount").Single().Headers.GetValue("authorization"));
    }

    [Fact]
    public async Task A_login_during_a_renewal_wins()
    {
        var held = Hold();
        var store = new MemoryTokenStore(await world.SignInAsync());
        var client = await ClientAsync(options => options.TokenStore = store);
        await client.RegisterAsync("winner", World.Password);
        time.Advance(TimeSpan.FromMinutes(16));
        var call = client.GetAccountAsync();
        await world.Log.CountedAsync(Refresh, 1);
        var login = client.LoginAsync("winner", World.Password);
        await world.Log.CountedAsync("Login", 1);
        held.SetResult();
        await Task.WhenAll(call, login);
        Assert.Equal("winner", (await client.GetAccountAsync()).Username);
        var later = await ClientAsync(options => options.TokenStore = store);
        Assert.Equal("winner", (await later.GetAccountAsync()).Username);
    }

    [Fact]
    public async Task A_renewal_that_waited_for_a_login_leaves_the_login_alone()
    {
        var store = new MemoryTokenStore(await world.SignInAsync());
        var client = await ClientAsync(options => options.TokenStore = store);
        await client.RegisterAsync("latest", World.Password);
        await client.GetAccountAsync();
        time.Advance(TimeSpan.FromMinutes(16));
        var saving = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var reached = store.HoldSave(saving.Task);
        // Nothing tells the renewal of the login but the client itself.
        store.IsBlind = true;
        var login = client.LoginAsync("latest", World.Password);
        await reached.WaitAsync(Net.TimeMax);
        // The old token has expired, and the login's is not in use yet.
        var call = client.GetAccountAsync();
        saving.SetResult();
        await login;
        Assert.Equal("latest", (await call).Username);
        Assert.Equal(0, world.Log.Count(Refresh));
    }

    [Fact]
    public async Task A_logout_during_a_renewal_wins()
    {
        var held = Hold();
        var store = new MemoryTokenStore(await world.SignInAsync());
        var client = await ClientAsync(options => options.TokenStore = store);
        time.Advance(TimeSpan.FromMinutes(16));
        var call = client.GetAccountAsync();
        await world.Log.CountedAsync(Refresh, 1);
        var logout = client.LogoutAsync();
        held.SetResult();
        await logout;
        // It may have come before the logout, or not.
        await Record.ExceptionAsync(() => call);
        Assert.Null(store.Current);
        var refused = await Assert.ThrowsAsync<SquallUnauthenticatedException>(() => client.GetAccountAsync());
        Assert.Equal("TOKEN_MISSING", refused.Reason);
    }

    [Fact]
    public async Task An_answer_that_is_cut_off_does_not_end_the_session()
    {
        world.Log.After(Refresh, count =>
        {
            if (count == 1)
            {
                world.Proxy.Cut();
            }

            return Task.CompletedTask;
        });
        var client = await ClientAsync();
        time.Advance(TimeSpan.FromMinutes(16));
        await client.GetAccountAsync();
        Assert.Equal(2, world.Log.Count(Refresh));
        await NextRenewalWorksAsync(client);
    }

    [Fact]
    public async Task An_answer_that_never_comes_does_not_end_the_session()
    {
        var stalled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        world.Log.After(Refresh, count =>
        {
            if (count == 1)
            {
                world.Proxy.Stall();
                stalled.SetResult();
            }

            return Task.CompletedTask;
        });
        var client = await ClientAsync();
        time.Advance(TimeSpan.FromMinutes(16));
        var call = client.GetAccountAsync();
        await stalled.Task.WaitAsync(Net.TimeMax);
        time.Advance(TimeSpan.FromSeconds(2.5));
        await call;
        Assert.Equal(2, world.Log.Count(Refresh));
        await NextRenewalWorksAsync(client);
    }

    [Fact]
    public async Task An_early_renewal_that_fails_costs_a_call_neither_its_success_nor_each_call_another_try()
    {
        world.Log.Fail(Refresh, int.MaxValue, () => Failure(StatusCode.Internal));
        var client = await ClientAsync();
        time.Advance(TimeSpan.FromMinutes(14.5));
        await client.GetAccountAsync();
        await client.GetAccountAsync();
        Assert.Equal(1, world.Log.Count(Refresh));
        time.Advance(TimeSpan.FromSeconds(5));
        await client.GetAccountAsync();
        Assert.Equal(2, world.Log.Count(Refresh));
    }

    [Fact]
    public async Task A_session_that_was_ended_elsewhere_is_forgotten()
    {
        var tokens = await world.SignInAsync();
        var store = new MemoryTokenStore(tokens);
        var client = await ClientAsync(options => options.TokenStore = store);
        await client.GetAccountAsync();
        var other = await ClientAsync(options => options.TokenStore = new MemoryTokenStore(tokens));
        await other.LogoutAsync();
        await Assert.ThrowsAsync<SquallUnauthenticatedException>(() => client.GetAccountAsync());
        Assert.Null(store.Current);
    }

    [Fact]
    public async Task A_deadline_holds_while_a_token_is_waited_for()
    {
        var held = Hold();
        var client = await ClientAsync();
        time.Advance(TimeSpan.FromMinutes(16));
        var call = client.GetAccountAsync(new CallSettings { Timeout = TimeSpan.FromSeconds(1) });
        await world.Log.CountedAsync(Refresh, 1);
        time.Advance(TimeSpan.FromSeconds(1));
        await Assert.ThrowsAsync<SquallTimeoutException>(() => call);
        held.SetResult();
        await client.GetAccountAsync();
        Assert.Equal(1, world.Log.Count(Refresh));
    }

    [Fact]
    public async Task One_callers_cancellation_leaves_the_renewal_to_the_others()
    {
        var held = Hold();
        var client = await ClientAsync();
        time.Advance(TimeSpan.FromMinutes(16));
        using var cancel = new CancellationTokenSource();
        var cancelled = client.GetAccountAsync(cancellationToken: cancel.Token);
        var other = client.GetAccountAsync();
        await world.Log.CountedAsync(Refresh, 1);
        await cancel.CancelAsync();
        var end = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled);
        Assert.Equal(cancel.Token, end.CancellationToken);
        held.SetResult();
        await other;
        Assert.Equal(1, world.Log.Count(Refresh));
    }

    [Fact]
    public async Task A_token_that_was_given_is_sent_as_it_is_and_never_renewed()
    {
        var tokens = await world.SignInAsync();
        var client = world.Client(options => (options.Token, options.TimeProvider) = (tokens.AccessToken, time));
        await client.GetAccountAsync();
        time.Advance(TimeSpan.FromMinutes(16));
        var refused = await Assert.ThrowsAsync<SquallUnauthenticatedException>(() => client.GetAccountAsync());
        Assert.Equal("TOKEN_EXPIRED", refused.Reason);
        Assert.Equal(0, world.Log.Count(Refresh));
        await Assert.ThrowsAsync<InvalidOperationException>(() => client.LoginAsync("ada", World.Password));
    }

    private Task<SquallClient> ClientAsync(Action<SquallClientOptions>? adjust = null) => world.SignedInAsync(options =>
    {
        options.TimeProvider = time;
        options.BackoffFirst = options.BackoffMax = TimeSpan.Zero;
        adjust?.Invoke(options);
    });

    private static RpcException Failure(StatusCode code) => new(new Status(code, "Made up."));

    /// <summary>The first renewal waits for the test.</summary>
    private TaskCompletionSource Hold()
    {
        var held = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        world.Log.Before(Refresh, count => count == 1 ? held.Task : Task.CompletedTask);
        return held;
    }

    private async Task NextRenewalWorksAsync(SquallClient client)
    {
        time.Advance(TimeSpan.FromMinutes(16));
        Assert.NotEmpty((await client.GetAccountAsync()).Id);
    }
}
