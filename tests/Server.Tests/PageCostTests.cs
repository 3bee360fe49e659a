using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using SQLitePCL;
using Squall.V1;
using Xunit.Abstractions;

namespace Squall.Server.Tests;

/// <summary>
/// What a page costs does not grow with the list, in steps of SQLite's machine: the first one and one in the middle, in
/// every order, of one list and of all; and those of filters that few tasks match, or nearly all.
/// </summary>
public sealed class PageCostTests(ITestOutputHelper output) : IAsyncLifetime
{
    private const int Few = 500;
    private const int Many = 5_000;

    /// <summary>How many tasks have what is rare, however many there are.</summary>
    private const int Rare = 5;

    /// <summary>A tree is a little deeper, ties fall elsewhere: no list costs ten times another for that.</summary>
    private const double GrowthMax = 1.5;

    private static readonly string[] Orders =
        ["", .. TaskSorting.Fields, .. TaskSorting.Fields.Select(field => $"{field} desc"), "due_time, priority desc"];

    private static readonly string[] Filters =
    [
        "", "state = OPEN", "labels:rare", "needle", "\"one needle\" hay", "title = \"the needle\"",
        "due_time < 1970-01-01T00:00:00.000005Z", "labels:common", "hay", "NOT needle AND NOT labels:rare",
        "needle OR labels:common", "priority >= LOW hay",
    ];

    private readonly string[] _lists = [Ids.New(1), Ids.New(2)];
    private Ground _ground = null!;

    public async Task InitializeAsync()
    {
        _ground = await Ground.StartAsync();
        await FillAsync(0, Few);
        await FillAsync(1, Many);
    }

    public async Task DisposeAsync() => await _ground.DisposeAsync();

    [Fact]
    public async Task A_page_takes_as_many_steps_in_a_list_of_ten_times_the_tasks()
    {
        int pages = 0;
        double most = 0;
        foreach (string filter in Filters)
        {
            foreach (string order in Orders)
            {
                foreach (bool oneList in new[] { true, false })
                {
                    foreach (bool middle in new[] { false, true })
                    {
                        double growth = await GrowthAsync(filter, order, oneList, middle, TaskPages.SearchedMax);
                        most = Math.Max(most, growth);
                        pages++;
                        Assert.True(
                            growth < GrowthMax, $"{filter} by {order}, {(oneList, middle)}: {growth:F2} times");
                    }
                }
            }
        }

        output.WriteLine($"{pages} pages, at most {most:F2} times the steps for ten times the tasks");
    }

    /// <summary>Controls: what no index knows, and what is not looked for in one, goes through the list.</summary>
    [Theory]
    [InlineData("note = needle", TaskPages.SearchedMax)]
    [InlineData("needle", 0)]
    [InlineData("labels:rare", 0)]
    public async Task A_page_that_goes_through_the_list_is_told(string filter, int searchedMax) =>
        Assert.InRange(await GrowthAsync(filter, "", oneList: true, middle: false, searchedMax), 5, 15);

    private async Task<double> GrowthAsync(string filter, string order, bool oneList, bool middle, int searchedMax)
    {
        long few = await StepsAsync(0, filter, order, oneList, middle, searchedMax);
        long many = await StepsAsync(1, filter, order, oneList, middle, searchedMax);
        return (double)many / few;
    }

    private Task<long> StepsAsync(int list, string text, string orderBy, bool oneList, bool middle, int searchedMax) =>
        _ground.ReadAsync(db =>
        {
            var caller = new Caller($"of {list}", "session", new Need(Proof.SessionOrKey, Role.Unspecified));
            Filter filter = Filter.Parse(oneList ? $"task_list_id = {_lists[list]} {text}" : text, _ground.Limits);
            TaskOrder order = TaskOrder.Parse(orderBy, oneList);
            string id = _lists[list];
            string?[]? after = null;
            if (middle)
            {
                int half = db.Tasks.Count(task => task.ListId == id) / 2;
                TaskRow row = db.Tasks.Where(task => task.ListId == id).OrderBy(task => task.Num).Skip(half).First();
                after = order.KeysOf(row);
            }

            long steps = 0;
            var connection = (SqliteConnection)db.Database.GetDbConnection();
            raw.sqlite3_progress_handler(connection.Handle, 1, _ => (int)(steps++ & 0), null);
            new TaskPages(caller, filter, order, after, 20, searchedMax).Read(db, new PageToken(""), int.MaxValue);
            raw.sqlite3_progress_handler(connection.Handle, 0, null, null);
            return steps;
        });

    private Task<bool> FillAsync(int list, int count) => _ground.RunAsync(scope =>
    {
        scope.Db.Members.Add(new MemberRow
        {
            ListId = _lists[list], AccountId = $"of {list}", Role = (int)Role.Viewer,
        });
        for (int at = 0; at < count; at++)
        {
            TaskRow row = Row(list, at, isRare: at % (count / Rare) == 7);
            row.Insert(scope.Db);
            TaskTerms.Add(scope, row);
        }

        return true;
    });

    /// <summary>What one field is tells nothing of another: half are due, a third open.</summary>
    private TaskRow Row(int list, int at, bool isRare) => new()
    {
        Num = (list * 1_000_000) + at + 1,
        Id = Ids.New((list * 1_000_000) + at + 1),
        ListId = _lists[list],
        Title = isRare ? "the needle" : $"stalk {at * 7_919 % 100_003}",
        Note = isRare ? "one needle in the hay" : "hay",
        State = at % 3 == 0 ? (int)TaskState.Open : (int)TaskState.Done,
        Labels = isRare ? ["rare", "common"] : ["common"],
        Priority = at % 5,
        Rank = $"{at * 104_729 % 1_000_003:D8}",
        CreatorId = "someone",
        CreateTimeMicros = at + 1,
        UpdateTimeMicros = 1_000_000 - at,
        DueTimeMicros = at % 2 == 0 ? at + 1 : null,
        CompleteTimeMicros = at % 2 == 0 ? null : at + 1,
        Version = 1,
    };
}
