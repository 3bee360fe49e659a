using Squall.Server.Tests;
using Squall.V1;

namespace Squall.Client.Tests;

/// <summary>Subscriptions over breaks: nothing is lost, nothing told twice, all of it in order.</summary>
public sealed class SubscribeBreakTests : IAsyncLifetime
{
    private static readonly SubscribeSettings Control = new() { ControlEvents = true };
    private readonly World world = new();

    public Task InitializeAsync() => world.InitializeAsync();

    public Task DisposeAsync() => world.DisposeAsync();

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Twenty_cuts_under_a_writer_lose_nothing_and_double_nothing(int seed)
    {
        const int Cuts = 20;
        var random = new Random(seed);
        var (client, writer, list) = await WithListAsync();
        await using var subscriber = new Subscriber(client, Control);
        await subscriber.NextAsync<SubscriptionEvent.Synced>();
        using var enough = new CancellationTokenSource();
        var writing = Task.Run(async () =>
        {
            var count = 0;
            while (!enough.IsCancellationRequested)
            {
                await writer.Tasks.CreateAsync(list.Id, $"{++count}");
            }

            return count;
        });
        var told = 0;
        var resumed = 0;
        var cutAt = random.Next(1, 25);
        while (resumed < Cuts || told < await writing)
        {
            switch (await subscriber.Next.WaitAsync(Net.TimeMax))
            {
                case SubscriptionEvent.Changed change:
                    Assert.Equal($"{++told}", change.Notification.TaskCreated?.Task.Title);
                    if (told == cutAt)
                    {
                        world.Proxy.Cut();
                    }

                    break;
                case SubscriptionEvent.Resumed when ++resumed < Cuts:
                    cutAt = told + random.Next(1, 25);
                    break;
                case SubscriptionEvent.Resumed:
                    await enough.CancelAsync();
                    break;
                case var other:
                    Assert.IsType<SubscriptionEvent.Reconnecting>(other);
                    break;
            }
        }
    }

    [Fact]
    public async Task It_goes_on_after_a_restart_of_the_server_and_says_so_if_asked_to()
    {
        var (client, _, list) = await WithListAsync();
        await using var subscriber = new Subscriber(client, Control);
        await subscriber.NextAsync<SubscriptionEvent.Synced>();
        var next = subscriber.Next;
        world.Proxy.Refuse();
        await world.RestartAsync();
        world.Proxy.Admit();
        await client.Tasks.CreateAsync(list.Id, "meanwhile");
        var told = await next.WaitAsync(Net.TimeMax);
        for (var attempt = 1; told is SubscriptionEvent.Reconnecting reconnecting; attempt++)
        {
            Assert.Equal(attempt, reconnecting.Attempt);
            Assert.IsType<SquallUnavailableException>(reconnecting.Cause);
            told = await subscriber.Next.WaitAsync(Net.TimeMax);
        }

        var created = told is SubscriptionEvent.Resumed ? await subscriber.Next.WaitAsync(Net.TimeMax) : told;
        Assert.Equal("meanwhile", ((SubscriptionEvent.Changed)created).Notification.TaskCreated.Task.Title);
    }

    [Fact]
    public async Task It_can_be_begun_before_the_server_is_there()
    {
        var (client, writer, list) = await WithListAsync();
        world.Proxy.Refuse();
        await using var subscriber = new Subscriber(client, Control);
        await subscriber.NextAsync<SubscriptionEvent.Reconnecting>();
        world.Proxy.Admit();
        SubscriptionEvent told;
        while ((told = await subscriber.Next.WaitAsync(Net.TimeMax)) is SubscriptionEvent.Reconnecting)
        {
            // It was refused once more before it was admitted.
        }

        Assert.IsType<SubscriptionEvent.Synced>(told);
        await writer.Tasks.CreateAsync(list.Id, "live");
        await subscriber.CreatedAsync("live");
    }

    [Fact]
    public async Task A_server_that_falls_silent_is_found_dead_and_reached_on_a_fresh_connection()
    {
        var time = new FakeTime();
        var (client, writer, list) = await WithListAsync(options => options.TimeProvider = time);
        await using var subscriber = new Subscriber(client, Control);
        await subscriber.NextAsync<SubscriptionEvent.Synced>();
        var next = subscriber.Next;
        world.Proxy.Stall();
        await writer.Tasks.CreateAsync(list.Id, "meanwhile");
        await time.TimerSetAsync(TimeSpan.FromSeconds(37.5));
        time.Advance(TimeSpan.FromSeconds(37));
        Assert.False(next.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(0.5));
        var reconnecting = Assert.IsType<SubscriptionEvent.Reconnecting>(await next.WaitAsync(Net.TimeMax));
        Assert.Contains("silent", reconnecting.Cause.Message, StringComparison.Ordinal);
        next = subscriber.Next;
        time.Advance(reconnecting.Delay);
        var change = Assert.IsType<SubscriptionEvent.Changed>(await next.WaitAsync(Net.TimeMax));
        Assert.Equal("meanwhile", change.Notification.TaskCreated.Task.Title);
        Assert.Equal(2, world.Log.CallsOf("Subscribe").Select(call => call.Peer).Distinct().Count());
    }

    [Fact]
    public async Task A_server_that_never_answers_is_given_up_as_well()
    {
        var time = new FakeTime();
        var (client, writer, list) = await WithListAsync(options => options.TimeProvider = time);
        await client.ConnectAsync();
        world.Proxy.Stall();
        await using var subscriber = new Subscriber(
            client, Control with { Heartbeat = TimeSpan.FromSeconds(1) });
        var next = subscriber.Next;
        await time.TimerSetAsync(TimeSpan.FromSeconds(10));
        time.Advance(TimeSpan.FromSeconds(10));
        var reconnecting = Assert.IsType<SubscriptionEvent.Reconnecting>(await next.WaitAsync(Net.TimeMax));
        next = subscriber.Next;
        time.Advance(reconnecting.Delay);
        Assert.IsType<SubscriptionEvent.Synced>(await next.WaitAsync(Net.TimeMax));
        await writer.Tasks.CreateAsync(list.Id, "live");
        await subscriber.CreatedAsync("live");
    }

    [Fact]
    public async Task A_server_that_hangs_up_one_way_is_reached_again()
    {
        var (client, writer, list) = await WithListAsync();
        await using var subscriber = new Subscriber(client, Control);
        await subscriber.NextAsync<SubscriptionEvent.Synced>();
        world.Proxy.HalfClose();
        await subscriber.NextAsync<SubscriptionEvent.Reconnecting>();
        await subscriber.NextAsync<SubscriptionEvent.Resumed>();
        await writer.Tasks.CreateAsync(list.Id, "live");
        await subscriber.CreatedAsync("live");
    }

    [Fact]
    public async Task A_consumer_that_is_slow_is_no_silent_server()
    {
        var time = new FakeTime();
        var (client, writer, list) = await WithListAsync(options => options.TimeProvider = time);
        await using var subscriber = new Subscriber(client, Control);
        await subscriber.NextAsync<SubscriptionEvent.Synced>();
        time.Advance(TimeSpan.FromHours(1));
        await writer.Tasks.CreateAsync(list.Id, "one");
        await writer.Tasks.CreateAsync(list.Id, "two");
        await subscriber.CreatedAsync("one");
        time.Advance(TimeSpan.FromHours(1));
        await subscriber.CreatedAsync("two");
        Assert.Equal(1, world.Log.Count("Subscribe"));
    }

    [Fact]
    public async Task A_consumer_that_the_server_has_given_up_misses_nothing()
    {
        await using var strict = await World.StartAsync(
            options => options.Limits.StalledWriteMax = TimeSpan.FromSeconds(1));
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        strict.Log.Ended += method => _ = method == "Subscribe" && ended.TrySetResult();
        var client = await strict.SignedInAsync();
        var list = await client.Lists.CreateAsync("a list");
        await using var subscriber = new Subscriber(client);
        await subscriber.NextAsync<SubscriptionEvent.Synced>();
        // More than the buffers on the way hold.
        var note = new string('n', 60_000);
        for (var count = 1; count <= 400; count++)
        {
            await client.Tasks.CreateAsync(new TaskItem { TaskListId = list.Id, Title = $"{count}", Note = note });
        }

        await ended.Task.WaitAsync(Net.TimeMax);
        for (var count = 1; count <= 400; count++)
        {
            await subscriber.CreatedAsync($"{count}");
        }

        Assert.Equal(2, strict.Log.Count("Subscribe"));
    }

    [Fact]
    public async Task A_snapshot_that_is_cut_begins_anew_and_says_so()
    {
        var (client, writer, list) = await WithListAsync();
        // More than the buffers on the way hold.
        var note = new string('n', 60_000);
        for (var batch = 0; batch < 10; batch++)
        {
            await writer.Tasks.CreateManyAsync(
                list.Id, Enumerable.Range(0, 40).Select(number => new TaskItem { Title = $"{number}", Note = note }));
        }

        await using var subscriber = new Subscriber(client, new SubscribeSettings { Snapshot = true });
        await subscriber.NextAsync<SubscriptionEvent.SnapshotTask>();
        world.Proxy.Cut();
        var seen = new List<string>();
        var restarts = 0;
        SubscriptionEvent told;
        while ((told = await subscriber.Next.WaitAsync(Net.TimeMax)) is not SubscriptionEvent.Synced)
        {
            if (told is SubscriptionEvent.SnapshotRestarted)
            {
                seen.Clear();
                restarts++;
            }
            else
            {
                seen.Add(Assert.IsType<SubscriptionEvent.SnapshotTask>(told).Task.Id);
            }
        }

        Assert.Equal(1, restarts);
        Assert.Equal((400, 400), (seen.Count, seen.Distinct().Count()));
        await writer.Tasks.CreateAsync(list.Id, "live");
        await subscriber.CreatedAsync("live");
    }

    [Theory]
    [InlineData(OnGap.Throw)]
    [InlineData(OnGap.Resnapshot)]
    public async Task A_gap_on_the_way_says_what_is_missed_and_goes_on_only_as_asked_to(OnGap onGap)
    {
        var (client, writer, list) = await WithListAsync();
        await using var subscriber = new Subscriber(client, new SubscribeSettings { OnGap = onGap });
        await subscriber.NextAsync<SubscriptionEvent.Synced>();
        await writer.Tasks.CreateAsync(list.Id, "told");
        var told = await subscriber.CreatedAsync("told");
        var next = subscriber.Next;
        world.Proxy.Refuse();
        await world.RestoreAsync();
        world.Proxy.Admit();
        if (onGap == OnGap.Throw)
        {
            var end = await Assert.ThrowsAsync<SquallGapException>(() => next.WaitAsync(Net.TimeMax));
            Assert.Equal(("CURSOR_EXPIRED", told.Cursor), (end.Reason, end.Cursor));
            return;
        }

        var gap = Assert.IsType<SubscriptionEvent.Gap>(await next.WaitAsync(Net.TimeMax));
        Assert.Equal(
            (told.Cursor, told.Notification.Time.ToDateTimeOffset()), (gap.LostCursor, gap.LastTold!.Value));
        Assert.Equal("told", (await subscriber.NextAsync<SubscriptionEvent.SnapshotTask>()).Task.Title);
        await subscriber.NextAsync<SubscriptionEvent.Synced>();
        await client.Tasks.CreateAsync(list.Id, "live");
        await subscriber.CreatedAsync("live");
    }

    private async Task<(SquallClient Client, SquallClient Writer, TaskList List)> WithListAsync(
        Action<SquallClientOptions>? adjust = null)
    {
        var tokens = await world.SignInAsync();
        var client = world.Client(options =>
        {
            options.TokenStore = new MemoryTokenStore(tokens);
            adjust?.Invoke(options);
        });
        // The writer's way leads past the proxy.
        var writer = world.Client(options =>
        {
            options.Endpoint = world.Address;
            options.TokenStore = new MemoryTokenStore(tokens);
        });
        return (client, writer, await writer.Lists.CreateAsync("a list"));
    }
}
