using Google.Protobuf.WellKnownTypes;
using Squall.V1;

namespace Squall.Client.Tests;

/// <summary>A live view while nothing breaks: it shows what ListTasks would, and tells what becomes of it.</summary>
public sealed class LiveTasksTests : IAsyncLifetime
{
    private readonly World world = new();

    public Task InitializeAsync() => world.InitializeAsync();

    public Task DisposeAsync() => world.DisposeAsync();

    [Fact]
    public async Task It_shows_what_is_there_and_follows_what_changes()
    {
        var (client, list) = await WithListAsync();
        var first = await client.Tasks.CreateAsync(list.Id, "first");
        await using var live = client.WatchTasks("state = OPEN");
        var told = new List<LiveTasksChange>();
        live.Changed += told.Add;
        Assert.Empty(live.View.Tasks);
        Assert.Equal(0, world.Log.Count("Subscribe"));
        var view = await live.StartAsync();
        Assert.Equal(first, Assert.Single(view.Tasks));
        Assert.True(view.IsLive);

        var second = await client.Tasks.CreateAsync(list.Id, "second");
        var renamed = await client.Tasks.UpdateAsync(new TaskItem { Id = second.Id, Title = "renamed" }, "title");
        await client.Tasks.CompleteAsync(first.Id);
        view = await live.WhenAsync(now => now.Find(first.Id) is null);
        Assert.Equal([renamed], view.Tasks);
        await client.Tasks.DeleteAsync(second.Id);
        await live.WhenAsync(now => now.Tasks.Count == 0);
        await live.DisposeAsync();
        Assert.Equal(
            [(null, first), (null, second), (second, renamed), (first, null), (renamed, null)],
            told.Select(one => Assert.Single(one.Changes)).Select(change => (change.Before, change.After)));
        Assert.Equal([1, 2, 2, 1, 0], told.Select(one => one.View.Tasks.Count));
    }

    [Fact]
    public async Task Its_cursor_is_the_place_that_its_tasks_are_of()
    {
        var (client, list) = await WithListAsync();
        await using var live = client.WatchTasks();
        await live.StartAsync();
        await client.Tasks.CreateAsync(list.Id, "one");
        var view = await live.WhenAsync(now => now.Tasks.Count == 1);
        await client.Tasks.CreateAsync(list.Id, "two");
        await using var subscriber = new Subscriber(client, new SubscribeSettings { After = view.Cursor });
        await subscriber.CreatedAsync("two");
        Assert.Equal("one", Assert.Single(view.Tasks).Title);
    }

    [Fact]
    public async Task It_is_ordered_as_ListTasks_is()
    {
        string[] orders =
        [
            "", "rank", "rank desc", "title", "title desc", "due_time", "due_time desc", "priority",
            "priority desc, rank", "create_time desc", "update_time", "complete_time, due_time desc",
            "complete_time desc, priority, title desc",
        ];
        string[] titles = ["a", "A", "b", "\uFF5E", "\U0001F600", "é", "aa"];
        var random = new Random(1);
        var (client, list) = await WithListAsync();
        var other = await client.Lists.CreateAsync("another");
        List<LiveTasks> views =
            [.. orders.Select(order => client.WatchTasks("", new LiveTasksSettings { OrderBy = order }))];
        for (var number = 0; number < 60; number++)
        {
            var task = await client.Tasks.CreateAsync(new TaskItem
            {
                TaskListId = (random.Next(2) == 0 ? list : other).Id,
                Title = titles[random.Next(titles.Length)],
                Priority = (Priority)random.Next(5),
                DueTime = random.Next(3) == 0 ? null : new Timestamp { Seconds = random.Next(3) },
                Rank = $"{random.Next(5)}",
            });
            await (random.Next(3) == 0 ? client.Tasks.CompleteAsync(task.Id) : Task.CompletedTask);
            await (number == 30 ? Task.WhenAll(views.Select(live => live.StartAsync())) : Task.CompletedTask);
        }

        var first = await views[0].WhenAsync(now => now.Tasks.Count == 60);
        await client.Tasks.UpdateAsync(new TaskItem { Id = first.Tasks[0].Id, Rank = "z" }, "rank");
        foreach (var (order, live) in orders.Zip(views))
        {
            var view = await live.WhenAsync(now => now.Tasks.Any(task => task.Rank == "z"));
            Assert.Equal(await client.Tasks.List(orderBy: order).AllAsync(), view.Tasks);
            await live.DisposeAsync();
        }
    }

    [Theory]
    [InlineData("note")]
    [InlineData("title asc")]
    [InlineData("title,")]
    public async Task An_order_that_is_none_is_refused_at_once(string order)
    {
        var client = await world.SignedInAsync();
        Assert.Throws<ArgumentException>(() => client.WatchTasks("", new LiveTasksSettings { OrderBy = order }));
    }

    [Fact]
    public async Task A_list_that_is_gained_comes_whole_and_one_that_is_lost_goes_whole()
    {
        var (owner, list) = await WithListAsync();
        var viewer = await ViewerAsync();
        var own = await viewer.Tasks.CreateAsync((await viewer.Lists.CreateAsync("own")).Id, "own");
        await owner.Tasks.CreateManyAsync(list.Id, [new() { Title = "1" }, new() { Title = "2" }]);
        await owner.Tasks.CompleteAsync((await owner.Tasks.CreateAsync(list.Id, "done")).Id);
        await using var live = viewer.WatchTasks("state = OPEN");
        var told = new List<LiveTasksChange>();
        live.Changed += told.Add;
        await live.StartAsync();
        await owner.Lists.SetMemberAsync(list.Id, "viewer", Role.Viewer);
        await live.WhenAsync(now => now.Tasks.Count == 3);
        // Another role changes nothing of what is shown, and reads nothing again.
        await owner.Lists.SetMemberAsync(list.Id, "viewer", Role.Editor);
        await owner.Tasks.CreateAsync(list.Id, "3");
        await live.WhenAsync(now => now.Tasks.Count == 4);
        Assert.Equal(3, world.Log.Count("Subscribe"));
        await owner.Lists.RemoveMemberAsync(list.Id, (await viewer.GetAccountAsync()).Id);
        Assert.Equal([own], (await live.WhenAsync(now => now.Tasks.Count == 1)).Tasks);
        await owner.Lists.SetMemberAsync(list.Id, "viewer", Role.Viewer);
        await live.WhenAsync(now => now.Tasks.Count == 4);
        await owner.Lists.DeleteAsync(list.Id);
        await live.WhenAsync(now => now.Tasks.Count == 1);
        await live.DisposeAsync();
        // A list that was gained is read before it is shown.
        Assert.Equal([1, 0, 2, 1, -3, 0, 3, -3], told.Select(one =>
            one.Changes.Count(change => change.Before is null) - one.Changes.Count(change => change.After is null)));
        Assert.All(told, one => Assert.Equal(one.Changes.Count > 0, one.View.IsLive));
        Assert.All(told, one => Assert.NotNull(one.View.Find(own.Id)));
    }

    [Fact]
    public async Task What_happens_while_a_gained_list_is_read_is_shown_with_it()
    {
        var (owner, list) = await WithListAsync();
        var other = await owner.Lists.CreateAsync("another");
        var viewer = await ViewerAsync();
        await owner.Lists.SetMemberAsync(other.Id, "viewer", Role.Viewer);
        var tasks = await owner.Tasks.CreateManyAsync(
            list.Id, Enumerable.Range(0, 4).Select(number => new TaskItem { Title = $"{number}" }));
        await using var live = viewer.WatchTasks("state = OPEN");
        var told = new List<LiveTasksChange>();
        live.Changed += told.Add;
        await live.StartAsync();

        // The second stream reads the list; before it begins, all that can happen to a task happens. Before the third,
        // which catches up, it happens once more.
        world.Log.Before("Subscribe", async count =>
        {
            if (count is 2 or 3)
            {
                var at = (count - 2) * 2;
                await owner.Tasks.CompleteAsync(tasks[at].Id);
                await owner.Tasks.UpdateAsync(new TaskItem { Id = tasks[at + 1].Id, Title = $"new {count}" }, "title");
                await owner.Tasks.UpdateAsync(
                    new TaskItem { Id = tasks[at + 1].Id, TaskListId = other.Id }, "task_list_id");
                await owner.Tasks.CreateAsync(list.Id, $"made {count}");
                var goes = await owner.Tasks.CreateAsync(list.Id, $"gone {count}");
                await owner.Tasks.DeleteAsync(goes.Id);
            }
        });
        await owner.Lists.SetMemberAsync(list.Id, "viewer", Role.Viewer);
        var view = await live.WhenAsync(now => now.Tasks.Count > 0);
        Assert.Equal(4, view.Tasks.Count);
        Assert.Equal(await owner.Tasks.List("state = OPEN").AllAsync(), view.Tasks);
        Assert.Equal(3, world.Log.Count("Subscribe"));
        Assert.Equal([0, 0, 4], told.Select(one => one.Changes.Count));
    }

    [Fact]
    public async Task A_list_that_is_gained_while_another_is_read_is_shown_after_it_and_whole()
    {
        var (owner, first) = await WithListAsync();
        var second = await owner.Lists.CreateAsync("second");
        var viewer = await ViewerAsync();
        await owner.Tasks.CreateAsync(first.Id, "in the first");
        await owner.Tasks.CreateAsync(second.Id, "in the second");
        await using var live = viewer.WatchTasks();
        var told = new List<LiveTasksChange>();
        live.Changed += told.Add;
        await live.StartAsync();
        world.Log.Before("Subscribe", async count =>
        {
            // The stream that catches up after the first list was read tells of both.
            if (count == 3)
            {
                await owner.Lists.SetMemberAsync(second.Id, "viewer", Role.Viewer);
                await owner.Tasks.CreateAsync(second.Id, "and another");
            }
        });
        await owner.Lists.SetMemberAsync(first.Id, "viewer", Role.Viewer);
        await live.WhenAsync(now => now is { IsLive: true, Tasks.Count: > 0 });
        await live.DisposeAsync();
        // Live with nothing, at a loss for the first, with it and at a loss for the second, with both.
        Assert.Equal([(true, 0), (false, 0), (false, 1), (true, 3)],
            told.Select(step => (step.View.IsLive, step.View.Tasks.Count)));
    }

    [Fact]
    public async Task A_filter_that_has_no_room_for_another_term_reads_all_again()
    {
        await using var small = await World.StartAsync(options => options.Limits.FilterTermsMax = 1);
        var owner = await small.SignedInAsync();
        var list = await owner.Lists.CreateAsync("a list");
        await owner.Tasks.CreateAsync(list.Id, "a task");
        var tokens = await small.SignInAsync("viewer");
        var viewer = small.Client(options => options.TokenStore = new MemoryTokenStore(tokens));
        await using var live = viewer.WatchTasks("state = OPEN");
        await live.StartAsync();
        await owner.Lists.SetMemberAsync(list.Id, "viewer", Role.Viewer);
        await live.WhenAsync(now => now.Tasks.Count == 1);
        Assert.Equal(3, small.Log.Count("Subscribe"));
    }

    private async Task<SquallClient> ViewerAsync()
    {
        var tokens = await world.SignInAsync("viewer");
        return world.Client(options => options.TokenStore = new MemoryTokenStore(tokens));
    }

    private async Task<(SquallClient Client, TaskList List)> WithListAsync()
    {
        var client = await world.SignedInAsync();
        return (client, await client.Lists.CreateAsync("a list"));
    }
}
