using Google.Protobuf.WellKnownTypes;
using Squall.Client;
using Squall.V1;

namespace Squall.Cli.Tests;

/// <summary>list: which tasks it shows, in which order, and how one of them is named.</summary>
public sealed class TaskListingTests(ServerProcess server) : IClassFixture<ServerProcess>
{
    [Fact]
    public async Task The_open_tasks_of_one_list_or_of_all_are_rows_of_fixed_columns()
    {
        using var ada = await Person.LoggedInAsync(server);
        var home = await ada.Client.Lists.CreateAsync("Home");
        var garden = await ada.Client.Lists.CreateAsync("Garden");
        var milk = await ada.Client.Tasks.CreateAsync(new TaskItem
        {
            TaskListId = home.Id,
            Title = "Buy milk",
            DueTime = Timestamp.FromDateTimeOffset(DateTimeOffset.Parse("2026-12-01T23:59:59Z")),
            Priority = Priority.High,
        });
        var rake = await ada.Client.Tasks.CreateAsync(new TaskItem
        {
            TaskListId = garden.Id,
            Title = "Rake leaves",
            DueTime = Timestamp.FromDateTimeOffset(DateTimeOffset.Parse("2026-12-01T08:30:00Z")),
        });
        var done = await ada.Client.Tasks.CreateAsync(home.Id, "Sleep");
        await ada.Client.Tasks.CompleteAsync(done.Id);
        var milkRow = $"{milk.Id[^8..]}\topen\t2026-12-01\thigh\tHome\tBuy milk";
        var rakeRow = $"{rake.Id[^8..]}\topen\t2026-12-01 08:30\t\tGarden\tRake leaves";
        var doneRow = $"{done.Id[^8..]}\tdone\t\t\tHome\tSleep";
        Assert.Equal([milkRow], (await ada.RunAsync("list", "Home")).Well().Lines);
        Assert.Equal([milkRow, rakeRow], (await ada.RunAsync("list")).Well().Lines);
        Assert.Equal([milkRow, doneRow, rakeRow], (await ada.RunAsync("list", "--all")).Well().Lines);
        Assert.Equal([milkRow, doneRow], (await ada.RunAsync("list", "Home", "--all")).Well().Lines);
    }

    [Fact]
    public async Task A_filter_and_an_order_are_the_contracts_own()
    {
        using var ada = await Person.LoggedInAsync(server);
        var home = await ada.Client.Lists.CreateAsync("Home");
        var garden = await ada.Client.Lists.CreateAsync("Garden");
        await ada.Client.Tasks.CreateAsync(new TaskItem { TaskListId = home.Id, Title = "b", Labels = { "state" } });
        await ada.Client.Tasks.CreateAsync(garden.Id, "a");
        var c = await ada.Client.Tasks.CreateAsync(
            new TaskItem { TaskListId = home.Id, Title = "c", Labels = { "state" } });
        await ada.Client.Tasks.CompleteAsync(c.Id);
        Assert.Equal(["a", "b"], await TitlesAsync("list", "--order-by", "title"));
        Assert.Equal(["b"], await TitlesAsync("list", "Home", "--filter", "title = \"a\" OR title = \"b\""));
        Assert.Equal(["c"], await TitlesAsync("list", "--filter", "state = DONE"));
        Assert.Equal(["b"], await TitlesAsync("list", "--filter", "labels:\"state\""));
        Assert.Equal(["b", "c"], await TitlesAsync("list", "--filter", "labels:\"state\"", "--all"));
        var wrong = (await ada.RunAsync("list", "Home", "--filter", "title = \"a\" AND stat = OPEN")).Refused(1);
        Assert.Contains("at character 17", wrong, StringComparison.Ordinal);
        foreach (var broken in (string[])["title = \"a", "title = \"a\" OR", "a) OR (b"])
        {
            var error = (await ada.RunAsync("list", "Home", "--filter", broken, "--json")).ErrorJson(1);
            Assert.Equal("INVALID_ARGUMENT", error.GetProperty("code").GetString());
        }

        async Task<IEnumerable<string>> TitlesAsync(params string[] arguments) =>
            (await ada.RunAsync([.. arguments, "--json"])).Messages<TaskItem>().Select(task => task.Title);
    }

    [Fact]
    public async Task More_tasks_than_a_page_holds_come_each_once()
    {
        using var ada = await Person.LoggedInAsync(server);
        await FillAsync(ada, 2_100);
        var titles = (await ada.RunAsync("list", "--json")).Messages<TaskItem>().Select(task => task.Title).ToList();
        Assert.Equal(2_100, titles.Count);
        Assert.Equal(2_100, titles.Distinct().Count());
    }

    [Fact]
    public async Task An_end_that_several_ids_share_is_refused_and_they_are_named()
    {
        using var ada = await Person.LoggedInAsync(server);
        // Of 1,000 random ends of four digits, two are alike but for one time in two thousand.
        var ids = new List<string>();
        IGrouping<string, string>? alike = null;
        while (alike is null)
        {
            ids.AddRange(await FillAsync(ada, 1_000));
            alike = ids.GroupBy(id => id[^4..]).FirstOrDefault(group => group.Count() > 1);
        }

        var error = (await ada.RunAsync("done", alike.Key)).Refused(1);
        Assert.All(alike, id => Assert.Contains(id, error, StringComparison.Ordinal));
        var json = (await ada.RunAsync("rm", alike.Key, "--json")).ErrorJson(1);
        Assert.Equal("AMBIGUOUS", json.GetProperty("code").GetString());
        Assert.Equal(TaskState.Open, (await ada.Client.Tasks.GetAsync(alike.First())).State);
        (await ada.RunAsync("done", alike.First()[^12..])).Well();
    }

    [Fact]
    public async Task A_task_is_named_by_its_id_its_end_and_its_beginning()
    {
        using var ada = await Person.LoggedInAsync(server);
        var list = await ada.Client.Lists.CreateAsync("Home");
        var task = await ada.Client.Tasks.CreateAsync(list.Id, "x");
        await ada.Client.Tasks.CompleteAsync(task.Id);
        foreach (var name in (string[])
            [task.Id.ToUpperInvariant(), task.Id[^4..], task.Id[^8..].ToUpperInvariant(), task.Id[..24]])
        {
            Assert.Equal(
                task.Id, (await ada.RunAsync("show", name, "--json")).Json().GetProperty("task")
                    .GetProperty("id").GetString());
        }

        (await ada.RunAsync("show", "0000ffff")).Refused(1, "no task");
        foreach (var name in (string[])["milk", "a1", "%", ""])
        {
            (await ada.RunAsync("show", name)).Refused(2, "squall list");
        }
    }

    private static async Task<IEnumerable<string>> FillAsync(Person person, int count)
    {
        var list = await person.Client.Lists.CreateAsync("Full");
        var ids = new List<string>();
        foreach (var chunk in Enumerable.Range(0, count).Chunk(1_000))
        {
            var tasks = await person.Client.Tasks.CreateManyAsync(
                list.Id, chunk.Select(number => new TaskItem { Title = $"task {number}" }));
            ids.AddRange(tasks.Select(task => task.Id));
        }

        return ids;
    }
}
