using Squall.V1;
using Case = Squall.V1.SubscribeResponse.MessageOneofCase;

namespace Squall.Server.Tests;

/// <summary>Whoever applies what is sent, keeping the higher version, has the tasks as of the cursor.</summary>
public sealed class SubscribeSnapshotTests
{
    [Fact]
    public async Task A_snapshot_is_every_task_once_and_then_what_changes()
    {
        await using SubscribeWorld world = await SubscribeWorld.StartAsync();
        string ada = await world.AccountAsync();
        string eve = await world.AccountAsync();
        var expected = new List<TaskItem>();
        for (int at = 0; at < 3; at++)
        {
            string list = await world.CreateListAsync(ada);
            expected.AddRange(await CreateManyAsync(world, list, 250));
        }

        await CreateManyAsync(world, await world.CreateListAsync(eve), 10);
        await using SubscribeCall call = world.Subscribe(ada, snapshot: true);
        List<SubscribeResponse> sent = await call.ThroughAsync(Case.Synced);
        Assert.Equal(world.Tail.End.ToString(), sent[^1].Synced.Cursor);
        Assert.Equal(
            expected.OrderBy(task => task.Id),
            sent.SkipLast(1).Select(message => message.Task).OrderBy(task => task.Id));

        TaskItem next = await world.CreateTaskAsync(expected[0].TaskListId, "next");
        Assert.Equal(next, (await call.NextAsync()).Notification.TaskCreated.Task);
    }

    [Fact]
    public async Task A_snapshot_holds_to_the_filter()
    {
        await using SubscribeWorld world = await SubscribeWorld.StartAsync();
        string ada = await world.AccountAsync();
        string one = await world.CreateListAsync(ada);
        string other = await world.CreateListAsync(ada);
        await CreateManyAsync(world, one, 300);
        await CreateManyAsync(world, other, 300);
        foreach ((string filter, int tasks) in ((string, int)[])
            [
                ("title = \"task 7\"", 2), ($"task_list_id = \"{one}\"", 300), ("title = \"none\"", 0),
                ($"task_list_id = \"{other}\" AND NOT title = \"task 7\"", 299),
            ])
        {
            await using SubscribeCall call = world.Subscribe(ada, filter: filter, snapshot: true);
            Assert.Equal((filter, tasks), (filter, (await call.ThroughAsync(Case.Synced)).Count - 1));
        }
    }

    [Fact]
    public async Task A_snapshot_of_nothing_is_synced_at_once()
    {
        await using SubscribeWorld world = await SubscribeWorld.StartAsync();
        await using SubscribeCall call = world.Subscribe(await world.AccountAsync(), snapshot: true);
        Assert.Equal(Case.Synced, (await call.NextAsync()).MessageCase);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    public async Task What_changes_while_it_is_sent_is_neither_missed_nor_told_twice_at_odds(int seed)
    {
        await using SubscribeWorld world = await SubscribeWorld.StartAsync();
        var random = new Random(seed);
        string ada = await world.AccountAsync();
        string bob = await world.AccountAsync();
        var lists = new List<string>();
        for (int at = 0; at < 4; at++)
        {
            lists.Add(await world.CreateListAsync(at == 3 ? bob : ada));
            await CreateManyAsync(world, lists[^1], 220);
        }

        var changes = new SnapshotChanges(world, ada, lists, random);
        await using SubscribeCall call = world.Subscribe(
            ada, new SubscribeRequest { Filter = changes.Filter, Snapshot = true }, inStep: true);
        var applied = new Dictionary<string, TaskItem>();
        SubscribeResponse message;
        int read = 0;
        do
        {
            message = await call.NextAsync();
            Apply(applied, message);

            // What is changed now comes between what it is sent.
            if (++read % 40 == 0)
            {
                await changes.MakeAsync(12);
            }
        }
        while (message.MessageCase != Case.Synced);

        // As of the cursor: what was changed after it is told after it.
        TaskItem[] expected = await changes.ExpectedAsync();
        await using SubscribeCall rest = world.Subscribe(ada, message.Synced.Cursor, changes.Filter);
        foreach (SubscribeResponse later in await rest.ThroughAsync(Case.Synced))
        {
            Apply(applied, later);
            if (later.Notification?.MemberSet is not null)
            {
                // The tasks of a list that is gained from there on are to be listed.
                expected.Where(task => task.TaskListId == later.Notification.TaskListId).ToList()
                    .ForEach(task => applied[task.Id] = task);
            }
        }

        Assert.True(read > 100);
        Assert.Equal(expected.Select(task => task.Id), applied.Keys.Order());
        Assert.Equal(expected, applied.Values.OrderBy(task => task.Id));
    }

    [Fact]
    public async Task A_list_that_is_gained_while_it_is_sent_is_sent_too_and_one_that_is_lost_is_not()
    {
        await using SubscribeWorld world = await SubscribeWorld.StartAsync();
        string ada = await world.AccountAsync();
        string bob = await world.AccountAsync();
        string[] lists = [await world.CreateListAsync(ada), await world.CreateListAsync(ada)];
        foreach (string list in lists)
        {
            await CreateManyAsync(world, list, 250);
            await world.SetMemberAsync(list, bob);
        }

        string gained = await world.CreateListAsync(ada);
        await CreateManyAsync(world, gained, 5);
        await using SubscribeCall call = world.Subscribe(
            bob, new SubscribeRequest { Snapshot = true }, inStep: true);
        string first = (await call.NextAsync()).Task.TaskListId;
        string lost = lists.Single(list => list != first);
        await world.RemoveMemberAsync(lost, bob);
        await world.SetMemberAsync(gained, bob);
        List<SubscribeResponse> sent = await call.ThroughAsync(Case.Synced);

        Assert.DoesNotContain(sent, message => message.Task?.TaskListId == lost);
        Assert.Equal(5, sent.Count(message => message.Task?.TaskListId == gained));
        Assert.Contains(sent, message => message.Notification?.MemberRemoved?.AccountId == bob);
        Assert.Contains(sent, message => message.Notification?.MemberSet?.TaskList.Id == gained);
    }

    [Fact]
    public async Task A_list_that_is_gained_while_a_snapshot_begins_is_read()
    {
        await using SubscribeWorld world = await SubscribeWorld.StartAsync();
        ChangeRow gained = Membership(Notification.EventOneofCase.MemberSet);
        ChangeRow lost = Membership(Notification.EventOneofCase.MemberRemoved);
        var view = new View(world.Memberships, gained.AccountId, Filter.All);
        using var end = new CancellationTokenSource();
        Task changing = Task.Run(() =>
        {
            while (!end.IsCancellationRequested)
            {
                world.Memberships.Apply([gained]);
                world.Memberships.Apply([lost]);
            }
        });
        int unread = 0;
        for (int snapshot = 0; snapshot < 5_000; snapshot++)
        {
            var scan = new SnapshotScan(world.Store, view);
            scan.Follow(gained);
            unread += await scan.ReadAsync(CancellationToken.None) is null ? 1 : 0;
        }

        await end.CancelAsync();
        await changing;
        Assert.Equal(0, unread);
    }

    private static ChangeRow Membership(Notification.EventOneofCase kind) =>
        new() { Kind = (int)kind, ListId = "a list", AccountId = "bob" };

    private static Task<List<TaskItem>> CreateManyAsync(SubscribeWorld world, string list, int count) =>
        world.ChangeAsync(change =>
        {
            var made = new List<TaskItem>();
            long last = change.Db.Tasks.Max(task => (long?)task.Num) ?? 0;
            for (int at = 0; at < count; at++)
            {
                var row = new TaskRow
                {
                    Num = last + 1 + at,
                    Id = Ids.New(change.NowMicros + at),
                    ListId = list,
                    Title = $"task {at}",
                    State = (int)TaskState.Open,
                    Rank = $"{at:D12}",
                    CreatorId = "someone",
                    Version = 1,
                };
                change.Db.Tasks.Add(row);
                made.Add(row.ToProto());
            }

            return made;
        });

    /// <summary>What the contract asks of a client.</summary>
    private static void Apply(Dictionary<string, TaskItem> tasks, SubscribeResponse message)
    {
        if (message.Left is { } left)
        {
            tasks.Remove(left.EventCase == Notification.EventOneofCase.TaskDeleted
                ? left.TaskDeleted.TaskId
                : left.TaskUpdated.Task.Id);
            return;
        }

        if (message.Notification?.MemberRemoved is not null)
        {
            tasks.Where(task => task.Value.TaskListId == message.Notification.TaskListId).ToList()
                .ForEach(task => tasks.Remove(task.Key));
        }

        TaskItem? task = message.Task
            ?? message.Notification?.TaskCreated?.Task ?? message.Notification?.TaskUpdated?.Task;
        if (task is not null && !(tasks.GetValueOrDefault(task.Id)?.Version > task.Version))
        {
            tasks[task.Id] = task;
        }
    }
}
