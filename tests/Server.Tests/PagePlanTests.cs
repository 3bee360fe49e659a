using System.Text.RegularExpressions;

namespace Squall.Server.Tests;

/// <summary>How SQLite goes about a page of tasks: what an index gives is not read through, nor sorted.</summary>
public sealed class PagePlanTests : IAsyncLifetime
{
    private const string OneList = "task_list_id = x";
    private const string Members = "SEARCH m USING INDEX IX_members_AccountId_ListId";
    private const string Task = "SEARCH t USING INTEGER PRIMARY KEY (rowid=?)";
    private static readonly Caller Me = new("me", "session", new Need(Proof.SessionOrKey, V1.Role.Unspecified));

    /// <summary>Orders of one field or more, up and down.</summary>
    private static readonly string[] Orders =
    [
        "", .. TaskSorting.Fields, .. TaskSorting.Fields.Select(field => $"{field} desc"),
        "title, due_time", "create_time desc, title", "due_time, priority desc", "complete_time desc, rank",
    ];

    private Ground _ground = null!;

    /// <summary>What a filter's tasks are looked up by where few match it, each in its index.</summary>
    public static TheoryData<string, string> Searches => new()
    {
        { "id = x", "USING INDEX IX_tasks_Id (Id=?)" },
        { "parent_id = x", "USING INDEX IX_tasks_ParentId (ParentId=?)" },
        { "assignee_id = x", "USING COVERING INDEX IX_tasks_AssigneeId_ListId (AssigneeId=? AND ListId=?)" },
        { "title = x", ByList("Title=?") },
        { "title >= x", ByList("Title>?") },
        { "title > a title < b", ByList("Title>? AND Title<?") },
        { "rank < x", ByList("Rank<?") },
        { "priority = HIGH", ByList("Priority=?") },
        { "priority >= LOW", ByList("Priority>?") },
        { "priority:*", ByList("Priority>?") },
        { "due_time < 2026-12-01T00:00:00Z", ByList("DueTimeMicros<?") },
        { "due_time:*", ByList("DueTimeMicros>?") },
        { "create_time > 2026-12-01T00:00:00Z", ByList("CreateTimeMicros>?") },
        { "update_time >= 2026-12-01T00:00:00Z", ByList("UpdateTimeMicros>?") },
        { "complete_time = 2026-12-01T00:00:00Z", ByList("CompleteTimeMicros=?") },
        { "complete_time:*", ByList("CompleteTimeMicros>?") },
        { "labels:x", "USING PRIMARY KEY (ListId=? AND Label=?)" },
        { "printer", "VIRTUAL TABLE INDEX 0:M2" },
        { "(\"a phrase\" OR word) other", "VIRTUAL TABLE INDEX 0:M2" },
    };

    public async Task InitializeAsync() => _ground = await Ground.StartAsync();

    public async Task DisposeAsync() => await _ground.DisposeAsync();

    [Fact]
    public async Task A_list_in_its_own_order_is_one_range_of_an_index()
    {
        Assert.Equal(["SEARCH t USING INDEX IX_tasks_ListId_Rank (ListId=?)"], await PlanAsync(OneList, "", 0));
        Assert.Equal(
            ["SEARCH t USING INDEX IX_tasks_ListId_Rank (ListId=? AND Rank>?)"], await PlanAsync(OneList, "", 1));
    }

    [Fact]
    public async Task All_lists_in_their_own_order_are_ranges_of_an_index_one_after_the_other()
    {
        const string Tasks = "SEARCH t USING INDEX IX_tasks_ListId_Rank";
        Assert.Equal([$"{Members} (AccountId=?)", $"{Tasks} (ListId=?)"], await PlanAsync("", "", 0));
        Assert.Equal(
            [
                $"{Members} (AccountId=? AND ListId=?)", $"{Tasks} (ListId=? AND Rank>?)",
                $"{Members} (AccountId=? AND ListId>?)", $"{Tasks} (ListId=?)",
            ],
            await PlanAsync("", "", 1));
    }

    [Fact]
    public async Task The_tasks_of_one_state_are_one_range_of_an_index_in_their_own_order()
    {
        const string Open = "SEARCH t USING INDEX IX_tasks_ListId_State_Rank (ListId=? AND State=?";
        Assert.Equal([$"{Open})"], await PlanAsync($"{OneList} AND state = OPEN", "", 0));
        Assert.Equal([$"{Open} AND Rank>?)"], await PlanAsync($"{OneList} AND state = OPEN", "", 1));
        Assert.Equal([$"{Members} (AccountId=?)", $"{Open})"], await PlanAsync("state = OPEN", "", 0));
    }

    [Fact]
    public async Task Every_page_of_any_order_is_read_in_order_whatever_the_filter()
    {
        string[] filters =
        [
            "", "state = OPEN", "state != DONE", "NOT printer", "NOT labels:x AND (priority > LOW OR title = y)",
            "labels:*", "note = x", "creator_id = x", .. Searches.Select(row => (string)row[0]),
        ];
        int plans = 0;
        foreach (string filter in filters)
        {
            foreach (string order in Orders)
            {
                for (int page = 0; page < 3; page++, plans++)
                {
                    await InOrderAsync(filter, order, page);
                }
            }
        }

        Assert.Equal(filters.Length * Orders.Length * 3, plans);
    }

    [Theory]
    [MemberData(nameof(Searches))]
    public async Task A_filter_that_few_tasks_match_finds_them_by_its_own_index(string filter, string index)
    {
        string step = index.StartsWith("VIRTUAL", StringComparison.Ordinal) ? $"SCAN s {index}" : $"SEARCH s {index}";
        foreach (string order in Orders)
        {
            string[] one = await PlanAsync($"{OneList} AND ({filter})", order, 0, searched: true);
            Assert.Equal([step, Task], one.Where(step => !IsSort(step)).Take(2));
            string[] all = await PlanAsync(filter, order, 0, searched: true);
            Assert.Equal([$"{Members} (AccountId=?)", step, Task], all.Where(step => !IsSort(step)).Take(3));
        }

        var search = TaskSearch.Of(Filter.Parse(filter, _ground.Limits)).Single();
        foreach (string? list in new[] { "x", null })
        {
            string[] counted = await ExplainAsync([new TaskSource(Me, list, search).Counted(9)]);
            Assert.Contains(step, counted.Select(one => one.TrimStart('.')));
            Assert.DoesNotContain(counted, IsSort);
        }
    }

    /// <summary>Control: by an index that is another, an order is found to be sorted.</summary>
    [Theory]
    [InlineData("", "rank")]
    [InlineData("title desc", "title")]
    [InlineData("due_time", "create_time")]
    public async Task An_order_whose_index_is_not_in_order_is_told(string order, string field)
    {
        await InOrderAsync("", order, 0);
        string index = TaskIndexes.ByField[field];
        await _ground.RunAsync(scope => scope.Db.Execute($"DROP INDEX \"{index}\""));
        await _ground.RunAsync(scope => scope.Db.Execute(
            $"CREATE INDEX \"{index}\" ON tasks (\"ListId\", \"Version\")"));

        // Only what is run looks whether the schema is still what a connection knows.
        await _ground.ReadAsync(db => db.Tasks.Any());
        await Assert.ThrowsAnyAsync<Xunit.Sdk.XunitException>(() => InOrderAsync("", order, 0));
    }

    private static string ByList(string range) =>
        $"USING COVERING INDEX IX_tasks_ListId_{range[..range.IndexOfAny(['=', '<', '>'])]} (ListId=? AND {range})";

    private static bool IsSort(string step) => step.Contains("USE TEMP B-TREE", StringComparison.Ordinal);

    /// <summary>
    /// Of one list, each step is a range of one of its indexes, in order but for ties. Of all, so is what is read of
    /// each list; what is sorted is a page of each. Not the whole order but its first field is what an index gives.
    /// </summary>
    private async Task InOrderAsync(string filter, string order, int page)
    {
        string[] one = await PlanAsync(filter.Length == 0 ? OneList : $"{OneList} AND ({filter})", order, page);
        string[] reads = [.. one.Where(step => !step.Contains("SUBQUERY") && !step.StartsWith('.'))];
        Assert.NotEmpty(reads);
        Assert.All(reads, step => Assert.True(IsRange(step) || IsTies(step), $"{filter} by {order}: {step}"));
        string[] all = await PlanAsync(filter, order, page);
        bool byList = order.Length == 0;
        string[] ofLists = [.. all.Where(step => byList || step.StartsWith('.')).Select(step => step.TrimStart('.'))];
        Assert.NotEmpty(ofLists);
        Assert.DoesNotContain(all, step => step.Contains("SCAN", StringComparison.Ordinal));
        Assert.All(
            ofLists.Where(step => step.StartsWith("SEARCH t", StringComparison.Ordinal) || IsSort(step)),
            step => Assert.True(IsRange(step) || IsTies(step), $"All, {filter} by {order}: {step}"));
    }

    private static bool IsRange(string step) =>
        step.StartsWith("SEARCH t USING ", StringComparison.Ordinal)
        && step.Contains("INDEX IX_tasks_ListId_", StringComparison.Ordinal);

    private static bool IsTies(string step) => step.StartsWith("USE TEMP B-TREE FOR LAST ", StringComparison.Ordinal);

    /// <param name="page">The first page; one that begins after a task with all fields; after one with none.</param>
    private async Task<string[]> PlanAsync(string text, string orderBy, int page, bool searched = false)
    {
        Filter filter = Filter.Parse(text, _ground.Limits);
        TaskOrder order = TaskOrder.Parse(orderBy, oneList: filter.OnlyList is not null);
        string?[] after = [.. Enumerable.Repeat("1", order.KeyCount)];
        if (page == 2 && orderBy.StartsWith("due", StringComparison.Ordinal))
        {
            after[0] = null;
        }

        var pages = new TaskPages(Me, filter, order, page == 0 ? null : after, 50);
        return await ExplainAsync(pages.Statements(searched ? TaskSearch.Of(filter).Single() : null));
    }

    /// <summary>Each step, after as many dots as there are subqueries that it is in.</summary>
    private Task<string[]> ExplainAsync(IEnumerable<SqlText> statements) =>
        _ground.ReadAsync<string[]>(db => [.. statements.SelectMany(sql => Explain(db, sql))]);

    private static SqlText Explaining(SqlText sql)
    {
        var explaining = new SqlText().Write("EXPLAIN QUERY PLAN ");
        string[] parts = Regex.Split(sql.ToString(), "@p[0-9]+");
        for (int at = 0; at < parts.Length; at++)
        {
            explaining.Write(parts[at]);
            _ = at < sql.Values.Count ? explaining.Value(sql.Values[at]) : explaining;
        }

        return explaining;
    }

    private static List<string> Explain(SquallDb db, SqlText sql)
    {
        var depths = new Dictionary<int, int> { [0] = -1 };
        return [.. Explaining(sql).Read(db, row =>
        {
            int depth = depths[row.GetInt32(0)] = depths[row.GetInt32(1)] + 1;
            return new string('.', depth) + row.GetString(3);
        })];
    }
}
