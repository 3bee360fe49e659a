using Squall.Server.Tests;
using Squall.V1;

namespace Squall.Client.Tests;

/// <summary>What a subscription tells while nothing breaks, and how it ends.</summary>
public sealed class SubscribeTests : IAsyncLifetime
{
    private readonly World world = new();

    public Task InitializeAsync() => world.InitializeAsync();

    public Task DisposeAsync() => world.DisposeAsync();

    [Fact]
    public async Task It_starts_now_and_tells_changes_in_order_with_their_cursors()
    {
        var (client, list) = await WithListAsync();
        await client.Tasks.CreateAsync(list.Id, "before");
        await using var subscriber = new Subscriber(client);
        Assert.NotEmpty((await subscriber.NextAsync<SubscriptionEvent.Synced>()).Cursor!);
        var first = await client.Tasks.CreateAsync(list.Id, "first");
        await client.Tasks.CreateAsync(list.Id, "second");
        await client.Tasks.DeleteAsync(first.Id);
        var change = await subscriber.CreatedAsync("first");
        Assert.Equal(change.Notification.Cursor, change.Cursor);
        await subscriber.CreatedAsync("second");
        var left = await subscriber.NextAsync<SubscriptionEvent.Left>();
        Assert.Equal(first.Id, left.Notification.TaskDeleted.TaskId);
        Assert.Equal(left.Notification.Cursor, left.Cursor);

        await using var later = new Subscriber(client, new SubscribeSettings { After = change.Cursor! });
        await later.CreatedAsync("second");
        await later.NextAsync<SubscriptionEvent.Left>();
        await later.NextAsync<SubscriptionEvent.Synced>();
    }

    [Fact]
    public async Task A_snapshot_tells_what_is_there_and_then_what_changes()
    {
        var (client, list) = await WithListAsync();
        await client.Tasks.CreateAsync(list.Id, "one");
        await client.Tasks.CreateAsync(list.Id, "two");
        await using var subscriber = new Subscriber(client, new SubscribeSettings { Snapshot = true });
        var tasks = new[]
        {
            await subscriber.NextAsync<SubscriptionEvent.SnapshotTask>(),
            await subscriber.NextAsync<SubscriptionEvent.SnapshotTask>(),
        };
        Assert.Equal(["one", "two"], tasks.Select(told => told.Task.Title).Order());
        Assert.All(tasks, told => Assert.Null(told.Cursor));
        Assert.NotEmpty((await subscriber.NextAsync<SubscriptionEvent.Synced>()).Cursor!);
        await client.Tasks.CreateAsync(list.Id, "three");
        await subscriber.CreatedAsync("three");
    }

    [Fact]
    public async Task A_filter_lets_through_what_matches_and_tells_what_no_longer_does()
    {
        var (client, list) = await WithListAsync();
        await using var subscriber = new Subscriber(client, new SubscribeSettings { Filter = "state = OPEN" });
        await subscriber.NextAsync<SubscriptionEvent.Synced>();
        var task = await client.Tasks.CreateAsync(list.Id, "a task");
        await client.Tasks.CompleteAsync(task.Id);
        await subscriber.CreatedAsync("a task");
        Assert.NotNull((await subscriber.NextAsync<SubscriptionEvent.Left>()).Notification.TaskCompleted);
    }

    [Fact]
    public async Task It_ends_with_its_callers_cancellation_or_with_its_loop_and_the_server_knows()
    {
        var ended = new SemaphoreSlim(0);
        world.Log.Ended += method =>
        {
            if (method == "Subscribe")
            {
                ended.Release();
            }
        };
        var (client, _) = await WithListAsync();
        await using var subscriber = new Subscriber(client);
        await subscriber.NextAsync<SubscriptionEvent.Synced>();
        var next = subscriber.Next;
        await subscriber.Cancel.CancelAsync();
        var end = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => next);
        Assert.Equal(subscriber.Cancel.Token, end.CancellationToken);
        Assert.True(await ended.WaitAsync(Net.TimeMax));

        await foreach (var told in client.SubscribeAsync())
        {
            Assert.IsType<SubscriptionEvent.Synced>(told);
            break;
        }

        Assert.True(await ended.WaitAsync(Net.TimeMax));
    }

    [Fact]
    public async Task It_ends_with_its_client()
    {
        var (client, _) = await WithListAsync();
        await using var subscriber = new Subscriber(client);
        await subscriber.NextAsync<SubscriptionEvent.Synced>();
        var next = subscriber.Next;
        await client.DisposeAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => next);
    }

    [Fact]
    public async Task What_trying_again_cannot_help_is_told_at_once()
    {
        var (client, _) = await WithListAsync();
        await FailsAsync<SquallValidationException>(client, new SubscribeSettings { Filter = "state =" });
        await FailsAsync<SquallValidationException>(client, new SubscribeSettings { After = "nonsense" });
        await FailsAsync<SquallValidationException>(
            client, new SubscribeSettings { Heartbeat = TimeSpan.FromHours(1) });
        await FailsAsync<SquallUnauthenticatedException>(world.Client(), new SubscribeSettings());
        Assert.Equal(3, world.Log.Count("Subscribe"));
    }

    [Fact]
    public async Task More_subscriptions_than_an_account_may_have_are_refused()
    {
        await using var small = await World.StartAsync(options => options.Limits.AccountSubscriptionsMax = 1);
        var client = await small.SignedInAsync();
        await using var first = new Subscriber(client);
        await first.NextAsync<SubscriptionEvent.Synced>();
        await FailsAsync<SquallRateLimitedException>(client, new SubscribeSettings());
    }

    [Fact]
    public async Task A_cursor_that_the_server_does_not_continue_from_is_a_gap()
    {
        var (client, list) = await WithListAsync();
        await client.Tasks.CreateAsync(list.Id, "there");
        var cursor = await StrangeCursorAsync();
        var gap = await FailsAsync<SquallGapException>(client, new SubscribeSettings { After = cursor });
        Assert.Equal(cursor, gap.Cursor);

        await using var subscriber = new Subscriber(
            client, new SubscribeSettings { After = cursor, OnGap = OnGap.Resnapshot });
        Assert.Equal(cursor, (await subscriber.NextAsync<SubscriptionEvent.Gap>()).LostCursor);
        Assert.Equal("there", (await subscriber.NextAsync<SubscriptionEvent.SnapshotTask>()).Task.Title);
        await subscriber.NextAsync<SubscriptionEvent.Synced>();
        await client.Tasks.CreateAsync(list.Id, "new");
        await subscriber.CreatedAsync("new");
    }

    [Fact]
    public async Task Heartbeats_are_told_to_whoever_asks_for_control_events()
    {
        var time = new FakeTime();
        await using var slow = await World.StartAsync(time: time);
        var client = await slow.SignedInAsync();
        await using var subscriber = new Subscriber(client, new SubscribeSettings { ControlEvents = true });
        var synced = await subscriber.NextAsync<SubscriptionEvent.Synced>();
        var next = subscriber.Next;
        await time.TimerSetAsync(TimeSpan.FromSeconds(15));
        time.Advance(TimeSpan.FromSeconds(15));
        Assert.Equal(synced.Cursor, Assert.IsType<SubscriptionEvent.Heartbeat>(await next).Cursor);
    }

    [Fact]
    public async Task More_than_a_hundred_subscriptions_are_all_told()
    {
        await using var large = await World.StartAsync(options => options.Limits.AccountSubscriptionsMax = 1_000);
        var client = await large.SignedInAsync();
        var list = await client.Lists.CreateAsync("a list");
        var subscribers = Enumerable.Range(0, 230).Select(_ => new Subscriber(client)).ToList();
        await Task.WhenAll(subscribers.Select(one => one.NextAsync<SubscriptionEvent.Synced>()));
        await client.Tasks.CreateAsync(list.Id, "for all");
        await Task.WhenAll(subscribers.Select(one => one.CreatedAsync("for all")));
        Assert.All(
            large.Log.CallsOf("Subscribe").CountBy(call => call.Peer),
            connection => Assert.InRange(connection.Value, 1, 100));
        foreach (var subscriber in subscribers)
        {
            await subscriber.DisposeAsync();
        }
    }

    private static async Task<T> FailsAsync<T>(SquallClient client, SubscribeSettings settings)
        where T : SquallException
    {
        await using var subscriber = new Subscriber(client, settings);
        return await Assert.ThrowsAsync<T>(() => subscriber.Next.WaitAsync(Net.TimeMax));
    }

    private static async Task<string> StrangeCursorAsync()
    {
        await using var other = await World.StartAsync();
        var client = await other.SignedInAsync();
        return (await client.ListNotifications().AllAsync())[^1].Cursor!;
    }

    private async Task<(SquallClient Client, TaskList List)> WithListAsync()
    {
        var client = await world.SignedInAsync();
        return (client, await client.Lists.CreateAsync("a list"));
    }
}
