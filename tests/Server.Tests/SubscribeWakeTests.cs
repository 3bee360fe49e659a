using Squall.V1;
using Case = Squall.V1.SubscribeResponse.MessageOneofCase;

namespace Squall.Server.Tests;

/// <summary>A change costs those who may have to be told of it, and nobody else.</summary>
public sealed class SubscribeWakeTests
{
    [Fact]
    public async Task A_change_calls_those_who_see_its_list_and_nobody_else()
    {
        await using SubscribeWorld world = await SubscribeWorld.StartAsync();
        string ada = await world.AccountAsync();
        string bob = await world.AccountAsync();
        string shared = await world.CreateListAsync(ada);
        await world.SetMemberAsync(shared, bob);
        string own = await world.CreateListAsync(ada);

        Sleeper adas = new(world, ada);
        Sleeper bobs = new(world, bob);
        Sleeper filtered = new(world, ada, $"task_list_id = \"{own}\"");
        Sleeper[] strangers = [.. await Task.WhenAll(Enumerable.Range(0, 50).Select(
            async _ => new Sleeper(world, await world.AccountAsync())))];

        await world.CreateTaskAsync(shared, "of both");
        Assert.Equal((int[])[1, 1, 0], await CallsAsync(adas, bobs, filtered));
        await world.CreateTaskAsync(own, "of one");
        Assert.Equal((int[])[1, 0, 1], await CallsAsync(adas, bobs, filtered));
        await world.RemoveMemberAsync(shared, bob);
        Assert.Equal((int[])[1, 1, 1], await CallsAsync(adas, bobs, filtered));
        await world.CreateTaskAsync(shared, "of one by now");
        Assert.Equal((int[])[1, 0, 0], await CallsAsync(adas, bobs, filtered));
        await world.SetMemberAsync(shared, bob);
        Assert.Equal((int[])[1, 1, 1], await CallsAsync(adas, bobs, filtered));
        await world.DeleteListAsync(shared);
        Assert.Equal((int[])[1, 1, 1], await CallsAsync(adas, bobs, filtered));
        Assert.All(await CallsAsync(strangers), calls => Assert.Equal(0, calls));
    }

    [Fact]
    public async Task What_no_longer_was_in_memory_when_the_bell_came_has_all_look()
    {
        await using SubscribeWorld world = await SubscribeWorld.StartAsync(limits => limits.TailBytesMax = 1);
        string ada = await world.AccountAsync();
        string list = await world.CreateListAsync(ada);
        Sleeper stranger = new(world, await world.AccountAsync());
        await world.ChangeAsync(change =>
        {
            foreach (string title in (string[])["one", "two", "three"])
            {
                var task = new TaskItem { Id = title, TaskListId = list, Title = title };
                change.Tell(ada, list, new Notification { TaskCreated = new TaskCreated { Task = task } }, title);
            }

            return 0;
        });
        Assert.Equal(0, await stranger.CallsAsync());
        Assert.True(stranger.IsBehind());
        Assert.False(stranger.IsBehind());
        Assert.False(stranger.HasPlaces());
    }

    [Fact]
    public async Task However_many_listen_each_is_called_once_a_change_and_none_that_has_left()
    {
        await using SubscribeWorld world = await SubscribeWorld.StartAsync();
        string ada = await world.AccountAsync();
        string list = await world.CreateListAsync(ada);
        int count = (2 * Shard.ListenersMax) + 44;
        Sleeper[] sleepers = [.. Enumerable.Range(0, count).Select(_ => new Sleeper(world, ada))];
        Assert.Equal(3, sleepers.Select(sleeper => sleeper.Group!.Shard).Distinct().Count());
        await world.CreateTaskAsync(list, "for all");
        Assert.All(await CallsAsync(sleepers), calls => Assert.Equal(1, calls));

        Sleeper[] left = [.. sleepers.Where((_, number) => number % 3 == 0)];
        Assert.All(left, world.Bell.Leave);
        Sleeper last = new(world, ada);
        await world.CreateTaskAsync(list, "for those who stay");
        Assert.All(await CallsAsync([.. sleepers.Except(left), last]), calls => Assert.Equal(1, calls));
        Assert.All(await CallsAsync(left), calls => Assert.Equal(0, calls));
        Assert.Contains(last.Group!.Shard, sleepers.Select(sleeper => sleeper.Group!.Shard));
    }

    [Fact]
    public async Task Those_on_a_connection_are_called_one_after_the_other()
    {
        await using SubscribeWorld world = await SubscribeWorld.StartAsync();
        string ada = await world.AccountAsync();
        string list = await world.CreateListAsync(ada);
        List<string> called = [];
        Sleeper[] sleepers = [.. ((string[])["a0", "b1", "a2", "c3", "b4", "a5"]).Select(name =>
            new Sleeper(world, ada, connection: name[..1]) { Meanwhile = () => called.Add(name) })];
        await world.CreateTaskAsync(list, "for all");
        await CallsAsync(sleepers);
        Assert.Equal(["a0", "a2", "a5", "b1", "b4", "c3"], called);
    }

    [Fact]
    public async Task What_is_being_told_is_not_covered()
    {
        await using SubscribeWorld world = await SubscribeWorld.StartAsync();
        string ada = await world.AccountAsync();
        string list = await world.CreateListAsync(ada);
        using var begun = new ManualResetEventSlim();
        using var goOn = new ManualResetEventSlim();
        Sleeper slow = new(world, ada)
        {
            Meanwhile = () =>
            {
                begun.Set();
                Assert.True(goOn.Wait(TimeSpan.FromSeconds(30)));
            },
        };
        Sleeper next = new(world, ada);
        long before = world.Tail.End.Seq;
        await world.CreateTaskAsync(list, "a task");
        Assert.True(begun.Wait(TimeSpan.FromSeconds(30)));
        Assert.Equal(before + 1, world.Tail.End.Seq);
        Assert.True(slow.CoveredSeq <= before && next.CoveredSeq <= before);
        goOn.Set();
        Assert.Equal((int[])[1, 1], await CallsAsync(slow, next));
        Assert.Equal(before + 1, next.CoveredSeq);
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

    private static Task<int[]> CallsAsync(params Sleeper[] sleepers) =>
        Task.WhenAll(sleepers.Select(sleeper => sleeper.CallsAsync()));

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

    /// <summary>What the bell does to one subscription that sleeps, without the subscription.</summary>
    private sealed class Sleeper : Listener
    {
        private readonly SubscribeWorld _world;
        private int _calls;

        public Sleeper(SubscribeWorld world, string account, string filter = "", string connection = "")
            : base(new View(world.Memberships, account, Filter.Parse(filter, world.Limits)), connection)
        {
            _world = world;
            Assert.False(SleepAsync().IsCompleted);
            world.Bell.Listen(this);
        }

        /// <summary>How many changes it was called for since it was asked last.</summary>
        public async Task<int> CallsAsync()
        {
            // Once the walk that the commit rang for is over, or in its place.
            _world.Bell.Execute();
            while (Covered.Seq < _world.Tail.End.Seq)
            {
                await Task.Yield();
            }

            return Interlocked.Exchange(ref _calls, 0);
        }

        /// <summary>What happens while it is told of a change.</summary>
        public Action Meanwhile { get; init; } = () => { };

        public long CoveredSeq => Covered.Seq;

        public bool IsBehind() => TakeBehind();

        public bool HasPlaces() => TryTake(out _);

        protected override bool TryTellNow(Change change)
        {
            Meanwhile();
            Interlocked.Increment(ref _calls);
            return true;
        }
    }
}
