using FsCheck;
using FsCheck.Fluent;
using Google.Protobuf.WellKnownTypes;
using Squall.V1;

namespace Squall.Server.Tests;

/// <summary>
/// Pages of tasks: their order, and that others who write meanwhile move nothing into or out of them.
/// </summary>
public sealed class PageTests : IClassFixture<ServerFixture>
{
    private readonly ServerFixture _server;

    public PageTests(ServerFixture server) => _server = server;

    public static TheoryData<string, bool> Orders()
    {
        var orders = new TheoryData<string, bool>();
        foreach (string name in TaskSorting.Fields)
        {
            orders.Add(name, false);
            orders.Add(name, true);
        }

        return orders;
    }

    [Theory]
    [MemberData(nameof(Orders))]
    public async Task Each_order_is_kept_over_pages_of_any_size(string field, bool down)
    {
        using Client ada = await Client.SignInAsync(_server, $"order.{field}.{(down ? 1 : 0)}");
        TaskList list = await ada.CreateListAsync();
        TaskItem[] tasks = await _server.StoreAsync(TaskGen.Task.Sample(60), list.Id);
        var sorting = new TaskSorting((field, down));
        List<string> expected = IdsOf(tasks.Order(sorting));
        foreach (int size in new[] { 1, 7, 1_000 })
        {
            Assert.Equal(expected, IdsOf(await ada.ListAsync($"task_list_id = {list.Id}", sorting.Written, size)));
            Assert.Equal(expected, IdsOf(await ada.ListAsync("", sorting.Written, size)));
        }
    }

    [Fact]
    public async Task Orders_of_several_fields_are_kept_over_pages_of_any_size()
    {
        using Client ada = await Client.SignInAsync(_server, "orders");
        TaskList one = await ada.CreateListAsync();
        TaskList other = await ada.CreateListAsync();
        TaskItem[] tasks = await _server.StoreAsync(TaskGen.Task.Sample(60), one.Id, other.Id);
        Property kept = Prop.ForAll(
            TaskSorting.Any.ToArbitrary(), Gen.Choose(1, 70).ToArbitrary(), async (sorting, size) =>
            Assert.Equal(IdsOf(tasks.Order(sorting)), IdsOf(await ada.ListAsync("", sorting.Written, size))));
        await Task.Run(() => Check.One(Config.QuickThrowOnFailure.WithMaxTest(50), kept));
    }

    [Fact]
    public async Task Without_an_order_tasks_come_by_list_then_by_rank()
    {
        using Client ada = await Client.SignInAsync(_server, "by.list");
        TaskList[] lists = [await ada.CreateListAsync(), await ada.CreateListAsync(), await ada.CreateListAsync()];
        TaskItem[] tasks = await _server.StoreAsync(TaskGen.Task.Sample(60), lists[2].Id, lists[0].Id);
        TaskItem[] expected =
        [
            .. tasks.Where(task => task.TaskListId == lists[0].Id).Order(new TaskSorting(("rank", false))),
            .. tasks.Where(task => task.TaskListId == lists[2].Id).Order(new TaskSorting(("rank", false))),
        ];
        foreach (int size in new[] { 1, 7, 29, 30, 31, 1_000 })
        {
            Assert.Equal(IdsOf(expected), IdsOf(await ada.ListAsync("", "", size)));
            Assert.Equal(
                IdsOf(expected.Skip(30)), IdsOf(await ada.ListAsync($"task_list_id = {lists[2].Id}", "", size)));
        }

        const string SomeOpen = "state = OPEN OR priority > LOW";
        Assert.Equal(
            IdsOf(expected.Where(task => task.State == TaskState.Open || task.Priority > Priority.Low)),
            IdsOf(await ada.ListAsync(SomeOpen, " ", 4)));
    }

    [Theory]
    [MemberData(nameof(Orders))]
    public async Task While_another_creates_and_updates_no_task_comes_twice_and_none_is_missed(string field, bool down)
    {
        using Client ada = await Client.SignInAsync(_server, $"while.{field}.{(down ? 1 : 0)}");
        using Client bob = await Client.SignInAsync(_server, $"while.bob.{field}.{(down ? 1 : 0)}");
        TaskList list = await ada.CreateListAsync();
        await ada.ShareAsync(list, bob, Role.Editor);
        TaskItem[] tasks = await _server.StoreAsync(TaskGen.Task.Sample(30), list.Id);
        var sorting = new TaskSorting((field, down));
        List<string> expected = IdsOf(tasks.Order(sorting));
        foreach (string filter in new[] { "", $"task_list_id = {list.Id}", "NOT labels:new" })
        {
            int at = 0;
            var request = new ListTasksRequest { Filter = filter, OrderBy = sorting.Written, PageSize = 4 };
            List<string> seen = IdsOf(await ada.ReadWhileAsync(
                request, () => DisturbAsync(bob, list, tasks, at++, field)));
            Assert.Equal(seen.Count, seen.Distinct().Count());
            Assert.Equal(expected, seen.Where(expected.Contains));
        }
    }

    [Fact]
    public async Task While_many_write_at_once_each_task_of_before_comes_exactly_once()
    {
        using Client ada = await Client.SignInAsync(_server, "busy");
        TaskList[] lists = [await ada.CreateListAsync(), await ada.CreateListAsync()];
        TaskItem[] tasks = await _server.StoreAsync(TaskGen.Task.Sample(80), lists[0].Id, lists[1].Id);
        using var stop = new CancellationTokenSource();
        var pages = new SemaphoreSlim(0);
        Task[] writers = [.. Enumerable.Range(0, 4).Select(writer => WriteAsync(writer))];
        try
        {
            for (int round = 0; round < 3; round++)
            {
                List<string> seen = IdsOf(await ada.ReadWhileAsync(new() { PageSize = 8 }, async () =>
                    Assert.True(await pages.WaitAsync(TimeSpan.FromSeconds(30)), "Nobody writes.")));
                Assert.Equal(seen.Count, seen.Distinct().Count());
                Assert.Equal(
                    IdsOf(tasks.OrderBy(task => task.TaskListId, StringComparer.Ordinal)
                        .ThenBy(task => task, new TaskSorting(("rank", false)))),
                    seen.Where(id => tasks.Any(task => task.Id == id)));
            }
        }
        finally
        {
            await stop.CancelAsync();
            await Task.WhenAll(writers);
        }

        async Task WriteAsync(int writer)
        {
            using Client again = ada.On(_server.Address);
            for (int at = writer; !stop.IsCancellationRequested; at += 7)
            {
                await DisturbAsync(again, lists[at % 2], tasks, at, "rank");
                pages.Release();
            }
        }
    }

    /// <summary>Creates a task, and changes fields of another that are not the order's.</summary>
    private static async Task DisturbAsync(Client who, TaskList list, TaskItem[] tasks, int at, string order)
    {
        await who.AddAsync(list, TaskGen.Texts[at % TaskGen.Texts.Length], task =>
        {
            task.Labels.Add("new");
            task.Rank = TaskGen.Ranks[at % TaskGen.Ranks.Length];
            task.Priority = (Priority)(at % 5);
            task.DueTime = at % 3 == 0 ? null : new Timestamp { Seconds = at };
        });
        if (order != "update_time")
        {
            string[] paths = ["note", "title", "priority", "due_time", "rank"];
            paths = [.. paths.Where(path => path != order)];
            string path = paths[at % paths.Length];
            await who.UpdateAsync(tasks[at % tasks.Length], task =>
            {
                (task.Note, task.Title, task.Rank) = ($"note {at}", $"title {at}", $"a{at % 10}");
                (task.Priority, task.DueTime) = ((Priority)(at % 5), new Timestamp { Seconds = at });
            }, path);
        }
    }

    private static List<string> IdsOf(IEnumerable<TaskItem> tasks) => [.. tasks.Select(task => task.Id)];
}
