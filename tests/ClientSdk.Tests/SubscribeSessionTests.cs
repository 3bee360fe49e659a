using Squall.Server;
using Squall.Server.Tests;
using Squall.V1;

namespace Squall.Client.Tests;

/// <summary>What becomes of a subscription when its session changes; and how long it tries to get back.</summary>
public sealed class SubscribeSessionTests : IAsyncLifetime
{
    private static readonly string Password = Secrets.Password();
    private static readonly SubscribeSettings Control = new() { ControlEvents = true };
    private readonly FakeTime time = new();
    private readonly World world;

    public SubscribeSessionTests() => world = new World(null, time);

    public Task InitializeAsync() => world.InitializeAsync();

    public Task DisposeAsync() => world.DisposeAsync();

    [Fact]
    public async Task It_ends_when_its_session_ends()
    {
        var tokens = await world.SignInAsync();
        var store = new MemoryTokenStore(tokens);
        await using var subscriber = new Subscriber(Client(store));
        await subscriber.NextAsync<SubscriptionEvent.Synced>();
        var next = subscriber.Next;
        await Client(new MemoryTokenStore(tokens)).LogoutAsync();
        var end = await Assert.ThrowsAsync<SquallUnauthenticatedException>(() => next.WaitAsync(Net.TimeMax));
        Assert.Equal("SESSION_ENDED", end.Reason);
        Assert.Null(store.Current);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task It_outlives_its_access_token_and_renews_it_when_it_opens_a_stream(bool knows)
    {
        var store = new MemoryTokenStore(await world.SignInAsync());
        // A clock that is behind does not know that the token has expired: the server refuses it.
        var client = Client(store, options => options.TimeProvider = knows ? time : new FakeTime());
        var writer = Client(new MemoryTokenStore(await world.SignInAsync("writer")));
        var list = await client.Lists.CreateAsync("a list");
        await client.Lists.SetMemberAsync(list.Id, "writer", Role.Editor);
        await using var subscriber = new Subscriber(client);
        await subscriber.NextAsync<SubscriptionEvent.Synced>();
        time.Advance(TimeSpan.FromMinutes(16));
        await writer.Tasks.CreateAsync(list.Id, "live");
        await subscriber.CreatedAsync("live");
        Assert.Equal((0, 1), (store.Saves, world.Log.Count("Subscribe")));

        world.Proxy.Cut();
        await writer.Tasks.CreateAsync(list.Id, "after the cut");
        await subscriber.CreatedAsync("after the cut");
        Assert.Equal((1, 2), (store.Saves, world.Log.Count("Subscribe")));
    }

    [Fact]
    public async Task It_does_not_become_another_accounts()
    {
        var client = Client(null);
        await client.RegisterAsync("first", Password);
        await client.RegisterAsync("second", Password);
        await client.LoginAsync("first", Password);
        await using var subscriber = new Subscriber(client);
        await subscriber.NextAsync<SubscriptionEvent.Synced>();

        await client.LoginAsync("first", Password);
        world.Proxy.Cut();
        var list = await client.Lists.CreateAsync("of the first");
        Assert.Equal(list.Id, (await subscriber.NextAsync<SubscriptionEvent.Changed>()).Notification.TaskListId);

        await client.LoginAsync("second", Password);
        world.Proxy.Cut();
        await client.Lists.CreateAsync("of the second");
        await Assert.ThrowsAsync<SquallUnauthenticatedException>(() => subscriber.Next.WaitAsync(Net.TimeMax));
    }

    [Fact]
    public async Task It_gives_up_after_as_long_as_it_was_told_to_try()
    {
        var own = new FakeTime();
        var client = Client(new MemoryTokenStore(await world.SignInAsync()), options => options.TimeProvider = own);
        await using var subscriber = new Subscriber(client, Control with { GiveUpAfter = TimeSpan.FromSeconds(30) });
        await subscriber.NextAsync<SubscriptionEvent.Synced>();
        // Time that the application takes for itself is none of trying.
        own.Advance(TimeSpan.FromHours(1));
        world.Proxy.Refuse();
        Assert.Equal(1, (await subscriber.NextAsync<SubscriptionEvent.Reconnecting>()).Attempt);
        own.Advance(TimeSpan.FromSeconds(29));
        Assert.Equal(2, (await subscriber.NextAsync<SubscriptionEvent.Reconnecting>()).Attempt);
        own.Advance(TimeSpan.FromSeconds(1));
        await Assert.ThrowsAsync<SquallUnavailableException>(() => subscriber.Next.WaitAsync(Net.TimeMax));
    }

    [Fact]
    public async Task Its_waits_grow_up_to_a_bound_and_begin_anew_once_a_stream_lasts()
    {
        var client = Client(new MemoryTokenStore(await world.SignInAsync()), options =>
        {
            options.BackoffFirst = options.BackoffMax = TimeSpan.FromMilliseconds(100);
            options.ReconnectMax = TimeSpan.FromSeconds(2);
        });
        await using var subscriber = new Subscriber(client, Control);
        await subscriber.NextAsync<SubscriptionEvent.Synced>();
        world.Proxy.Refuse();
        var delays = new List<TimeSpan>();
        for (var attempt = 1; attempt <= 40; attempt++)
        {
            var reconnecting = await subscriber.NextAsync<SubscriptionEvent.Reconnecting>();
            Assert.Equal(attempt, reconnecting.Attempt);
            Assert.InRange(reconnecting.Delay, TimeSpan.Zero, Bound(attempt));
            delays.Add(reconnecting.Delay);
            if (attempt == 40)
            {
                world.Proxy.Admit();
            }

            subscriber.Begin();
            time.Advance(reconnecting.Delay);
        }

        // Of 35 random parts of 2 s, some are above half of it, and no two need be alike.
        Assert.Contains(delays, delay => delay > TimeSpan.FromSeconds(1));
        Assert.InRange(delays.Distinct().Count(), 30, 40);
        await subscriber.NextAsync<SubscriptionEvent.Resumed>();
        time.Advance(TimeSpan.FromSeconds(2));
        world.Proxy.Cut();
        var next = await subscriber.NextAsync<SubscriptionEvent.Reconnecting>();
        Assert.Equal(1, next.Attempt);
        Assert.InRange(next.Delay, TimeSpan.Zero, Bound(1));

        static TimeSpan Bound(int attempt) =>
            TimeSpan.FromMilliseconds(Math.Min(100 * Math.Pow(2, attempt - 1), 2_000));
    }

    [Fact]
    public async Task A_server_that_answers_and_fails_at_once_is_asked_ever_more_seldom()
    {
        var client = Client(new MemoryTokenStore(await world.SignInAsync()), options =>
        {
            options.BackoffFirst = options.BackoffMax = TimeSpan.FromMilliseconds(100);
            options.ReconnectMax = TimeSpan.FromHours(1);
        });
        await using var subscriber = new Subscriber(client, Control);
        await subscriber.NextAsync<SubscriptionEvent.Synced>();
        var waits = TimeSpan.Zero;
        for (var attempt = 1; attempt <= 20; attempt++)
        {
            // Once it has answered, by Synced or Resumed.
            world.Proxy.Cut();
            var reconnecting = await subscriber.NextAsync<SubscriptionEvent.Reconnecting>();
            Assert.Equal(attempt, reconnecting.Attempt);
            waits += reconnecting.Delay;
            subscriber.Begin();
            time.Advance(reconnecting.Delay);
            await subscriber.NextAsync<SubscriptionEvent.Resumed>();
        }

        // Of random parts of up to an hour; were it asked as after a first failure, of 2 s altogether.
        Assert.True(waits > TimeSpan.FromMinutes(1), $"{waits}");
        await client.Lists.CreateAsync("a list");
        await subscriber.NextAsync<SubscriptionEvent.Changed>();
        world.Proxy.Cut();
        Assert.Equal(1, (await subscriber.NextAsync<SubscriptionEvent.Reconnecting>()).Attempt);
    }

    [Fact]
    public async Task A_server_that_stops_says_when_to_come_back()
    {
        var client = Client(new MemoryTokenStore(await world.SignInAsync()));
        await using var subscriber = new Subscriber(client, Control);
        await subscriber.NextAsync<SubscriptionEvent.Synced>();
        var stopping = world.Server.Server.StopAsync();
        var reconnecting = await subscriber.NextAsync<SubscriptionEvent.Reconnecting>();
        var asked = Assert.IsType<SquallUnavailableException>(reconnecting.Cause).RetryAfter;
        Assert.NotNull(asked);
        Assert.Equal(asked, reconnecting.Delay);
        await stopping;
    }

    [Fact]
    public async Task A_server_that_refuses_renewed_tokens_too_ends_it()
    {
        world.Log.Fail("Subscribe", 10, () => Fault.Unauthenticated("TOKEN_EXPIRED", "The token has expired."));
        var store = new MemoryTokenStore(await world.SignInAsync());
        await using var subscriber = new Subscriber(Client(store), Control);
        var end = await Assert.ThrowsAsync<SquallUnauthenticatedException>(
            () => subscriber.Next.WaitAsync(Net.TimeMax));
        Assert.Equal(("TOKEN_EXPIRED", 1, 2), (end.Reason, store.Saves, world.Log.Count("Subscribe")));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_server_that_says_when_to_come_back_is_not_asked_before(bool isBusy)
    {
        var wait = TimeSpan.FromSeconds(7);
        world.Log.Fail("Subscribe", 1, () => isBusy
            ? Fault.Busy("TOO_MUCH", "Come back later.", wait)
            : Fault.Unavailable("STOPPING", "Come back later.", wait));
        var client = Client(new MemoryTokenStore(await world.SignInAsync()));
        await using var subscriber = new Subscriber(client, Control);
        var reconnecting = await subscriber.NextAsync<SubscriptionEvent.Reconnecting>();
        Assert.Equal(wait, reconnecting.Delay);
        subscriber.Begin();
        time.Advance(wait - TimeSpan.FromMilliseconds(1));
        Assert.Equal(1, world.Log.Count("Subscribe"));
        time.Advance(TimeSpan.FromMilliseconds(1));
        await subscriber.NextAsync<SubscriptionEvent.Synced>();
        Assert.Equal(2, world.Log.Count("Subscribe"));
    }

    [Fact]
    public async Task Its_own_dead_streams_that_the_server_still_counts_do_not_end_it()
    {
        await using var small = await World.StartAsync(options => options.Limits.AccountSubscriptionsMax = 1, time);
        var tokens = await small.SignInAsync();
        var client = small.Client(options =>
        {
            options.TokenStore = new MemoryTokenStore(tokens);
            options.TimeProvider = time;
            options.BackoffFirst = options.BackoffMax = options.ReconnectMax = TimeSpan.Zero;
        });
        await using var subscriber = new Subscriber(client, Control with { Heartbeat = TimeSpan.FromSeconds(10) });
        await subscriber.NextAsync<SubscriptionEvent.Synced>();
        small.Proxy.Stall();
        var next = subscriber.Next;
        await time.TimerSetAsync(TimeSpan.FromSeconds(25));
        time.Advance(TimeSpan.FromSeconds(25));
        Assert.IsType<SquallUnavailableException>(
            Assert.IsType<SubscriptionEvent.Reconnecting>(await next.WaitAsync(Net.TimeMax)).Cause);
        Assert.IsType<SquallRateLimitedException>((await subscriber.NextAsync<SubscriptionEvent.Reconnecting>()).Cause);
        // Now the server finds it dead, too.
        small.Proxy.Cut();
        SubscriptionEvent told;
        while ((told = await subscriber.Next.WaitAsync(Net.TimeMax)) is SubscriptionEvent.Reconnecting)
        {
            // It was refused once more before that.
        }

        Assert.IsType<SubscriptionEvent.Resumed>(told);
    }

    private SquallClient Client(ITokenStore? store, Action<SquallClientOptions>? adjust = null) =>
        world.Client(options =>
        {
            options.TokenStore = store;
            options.TimeProvider = time;
            options.BackoffFirst = options.BackoffMax = options.ReconnectMax = TimeSpan.Zero;
            adjust?.Invoke(options);
        });
}
