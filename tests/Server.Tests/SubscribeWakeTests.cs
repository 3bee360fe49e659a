using Squall.V1;
using Case = Squall.V1.SubscribeResponse.MessageOneofCase;

namespace Squall.Server.Tests;

/// <summary>A change costs those who may have to be told of it, and nobody else.</summary>
public sealed class SubscribeWakeTests
{
    [Fact]
    public async Task A_change_wakes_those_who_see_its_list_and_nobody_else()
    {
        await using SubscribeWorld world = await SubscribeWorld.StartAsync();
        string ada = await world.AccountAsync();
        string bob = await world.AccountAsync();
        string shared = await world.CreateListAsync(ada);
        await world.SetMemberAsync(shared, bob);
        string own = await world.CreateListAsync(ada);

        Listener adas = new(world, ada);
        Listener bobs = new(world, bob);
        Listener filtered = new(world, ada, $"task_list_id = \"{own}\"");
        Listener[] strangers = [.. await Task.WhenAll(Enumerable.Range(0, 50).Select(
            async _ => new Listener(world, await world.AccountAsync())))];

        await world.CreateTaskAsync(shared, "of both");
        Assert.Equal((int[])[1, 1, 0], await WakesAsync(adas, bobs, filtered));
        await world.CreateTaskAsync(own, "of one");
        Assert.Equal((int[])[1, 0, 1], await WakesAsync(adas, bobs, filtered));
        await world.RemoveMemberAsync(shared, bob);
        Assert.Equal((int[])[1, 1, 1], await WakesAsync(adas, bobs, filtered));
        await world.CreateTaskAsync(shared, "of one by now");
        Assert.Equal((int[])[1, 0, 0], await WakesAsync(adas, bobs, filtered));
        await world.SetMemberAsync(shared, bob);
        Assert.Equal((int[])[1, 1, 1], await WakesAsync(adas, bobs, filtered));
        await world.DeleteListAsync(shared);
        Assert.Equal((int[])[1, 1, 1], await WakesAsync(adas, bobs, filtered));
        Assert.All(await WakesAsync(strangers), wakes => Assert.Equal(0, wakes));
    }

    [Fact]
    public async Task What_no_longer_was_in_memory_when_the_bell_came_has_all_look()
    {
        await using SubscribeWorld world = await SubscribeWorld.StartAsync(limits => limits.TailBytesMax = 1);
        string ada = await world.AccountAsync();
        string list = await world.CreateListAsync(ada);
        Listener stranger = new(world, await world.AccountAsync());
        await world.ChangeAsync(change =>
        {
            foreach (string title in (string[])["one", "two", "three"])
            {
                var task = new TaskItem { Id = title, TaskListId = list, Title = title };
                change.Tell(ada, list, new Notification { TaskCreated = new TaskCreated { Task = task } }, title);
            }

            return 0;
        });
        world.Bell.Execute();
        Assert.True(stranger.Agenda.TakeBehind());
        Assert.False(stranger.Agenda.TakeBehind());
        Assert.False(stranger.Agenda.TryTake(out _));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(64)]
    [InlineData(65)]
    [InlineData(300)]
    public async Task Whoever_reads_slowly_is_told_of_all_in_order(int count)
    {
        await using SubscribeWorld world = await SubscribeWorld.StartAsync();
        string ada = await world.AccountAsync();
        string list = await world.CreateListAsync(ada);
        string other = await world.CreateListAsync(await world.AccountAsync());
        await using SubscribeCall stream = world.Subscribe(ada, new SubscribeRequest(), inStep: true);
        await stream.ThroughAsync(Case.Synced);
        for (int task = 0; task < count; task++)
        {
            await world.CreateTaskAsync(other, "not seen");
            await world.CreateTaskAsync(list, $"task {task}");
        }

        for (int task = 0; task < count; task++)
        {
            SubscribeResponse next = await stream.NextAsync();
            Assert.Equal($"task {task}", next.Notification.TaskCreated.Task.Title);
        }
    }

    [Fact]
    public async Task A_heartbeat_stands_after_what_was_passed_over()
    {
        await using SubscribeWorld world = await SubscribeWorld.StartAsync();
        string ada = await world.AccountAsync();
        string other = await world.CreateListAsync(await world.AccountAsync());
        await using SubscribeCall stream = world.Subscribe(ada);
        await stream.ThroughAsync(Case.Synced);
        await world.CreateTaskAsync(other, "not seen");
        world.Bell.Execute();
        world.Time.Advance(world.Limits.HeartbeatDefault);
        Assert.Equal(world.Tail.End.ToString(), (await stream.NextAsync()).Heartbeat.Cursor);
    }

    private static Task<int[]> WakesAsync(params Listener[] listeners) =>
        Task.WhenAll(listeners.Select(listener => listener.WakesAsync()));

    [Fact]
    public async Task Those_who_read_the_same_pages_share_them()
    {
        await using SubscribeWorld world = await SubscribeWorld.StartAsync();
        string ada = await world.AccountAsync();
        string list = await world.CreateListAsync(ada);
        for (int task = 0; task < 1_100; task++)
        {
            await world.CreateTaskAsync(list, $"task {task}");
        }

        await world.RestartAsync();
        Queue<Change>[] same = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => Read(3)));
        Assert.All(same, page => Assert.Equal(same[0], page));
        Assert.Equal(497, same[0].Count);
        Assert.Equal(same[0], await Read(3));
        Assert.NotEqual(same[0], await Read(4));
        Queue<Change> last = await Read(1_000);
        await world.CreateTaskAsync(list, "one more");
        Assert.Equal(last.Count + 1, (await Read(1_000)).Count);

        Task<Queue<Change>> Read(long seq) => world.Pages.ReadAsync(seq, CancellationToken.None);
    }

    /// <summary>What the bell does to one subscription, without the subscription.</summary>
    private sealed class Listener
    {
        private readonly SubscribeWorld _world;
        private readonly Waiter _waiter = new();
        private ValueTask _asleep;

        public Listener(SubscribeWorld world, string account, string filter = "")
        {
            _world = world;
            Agenda = new Agenda(new View(world.Memberships, account, Filter.Parse(filter, world.Limits)), _waiter);
            world.Bell.Add(Agenda);
            _asleep = _waiter.SleepAsync();
        }

        public Agenda Agenda { get; }

        /// <summary>How many changes it was woken for since it was asked last.</summary>
        public async Task<int> WakesAsync()
        {
            // Once the walk that the commit rang for is over, or in its place.
            _world.Bell.Execute();
            int places = 0;
            while (Agenda.TryTake(out _))
            {
                places++;
            }

            if (places > 0)
            {
                await _asleep.AsTask().WaitAsync(TimeSpan.FromSeconds(30));
                _asleep = _waiter.SleepAsync();
            }

            Assert.False(_asleep.IsCompleted);

            return places;
        }
    }
}
