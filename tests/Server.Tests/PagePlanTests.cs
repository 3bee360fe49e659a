using System.Globalization;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using Squall.V1;

namespace Squall.Server.Tests;

/// <summary>How SQLite goes about a page of tasks: what an index gives is not read through, nor sorted.</summary>
public sealed class PagePlanTests : IAsyncLifetime
{
    private const string OneList = "task_list_id = x";
    private static readonly Caller Me = new("me", "session", new Need(Proof.SessionOrKey, Role.Unspecified));
    private Ground _ground = null!;

    public async Task InitializeAsync() => _ground = await Ground.StartAsync();

    public async Task DisposeAsync() => await _ground.DisposeAsync();

    [Fact]
    public async Task A_list_in_its_own_order_is_one_range_of_an_index()
    {
        Assert.Equal(["SEARCH t USING INDEX IX_tasks_ListId_Rank_Id (ListId=?)"], await PlanAsync(OneList, "", null));
        Assert.Equal(
            ["SEARCH t USING INDEX IX_tasks_ListId_Rank_Id (ListId=? AND (Rank,Id)>(?,?))"],
            await PlanAsync(OneList, "", ["i00000", "id"]));
    }

    [Fact]
    public async Task All_lists_in_their_own_order_are_ranges_of_an_index_one_after_the_other()
    {
        const string Members = "SEARCH m USING INDEX IX_members_AccountId_ListId";
        const string Tasks = "SEARCH t USING INDEX IX_tasks_ListId_Rank_Id";
        Assert.Equal([$"{Members} (AccountId=?)", $"{Tasks} (ListId=?)"], await PlanAsync("", "", null));
        Assert.Equal(
            [
                $"{Members} (AccountId=? AND ListId=?)", $"{Tasks} (ListId=? AND (Rank,Id)>(?,?))",
                $"{Members} (AccountId=? AND ListId>?)", $"{Tasks} (ListId=?)",
            ],
            await PlanAsync("", "", ["list", "i00000", "id"]));
    }

    [Theory]
    [InlineData("rank")]
    [InlineData("title")]
    [InlineData("due_time")]
    [InlineData("priority")]
    [InlineData("create_time")]
    [InlineData("update_time")]
    [InlineData("complete_time")]
    public async Task Any_order_reads_no_more_than_the_lists_that_are_asked_for(string field)
    {
        foreach (string order in new[] { field, $"{field} desc" })
        {
            foreach (string?[]? after in new string?[]?[] { null, ["1", "id"], [null, "id"] })
            {
                if (after is [null, _] && field is not ("due_time" or "complete_time"))
                {
                    continue;
                }

                string one = Assert.Single(await PlanAsync(OneList, order, after), step => !IsSort(step));
                Assert.StartsWith("SEARCH t USING INDEX IX_tasks_ListId_", one);
                string[] all = [.. (await PlanAsync("", order, after)).Where(step => !IsSort(step))];
                Assert.Equal(2, all.Length);
                Assert.StartsWith("SEARCH m USING INDEX IX_members_AccountId_ListId (AccountId=?", all[0]);
                Assert.StartsWith("SEARCH t USING INDEX IX_tasks_ListId_", all[1]);
            }
        }
    }

    [Theory]
    [InlineData("state = OPEN")]
    [InlineData("NOT labels:x AND (priority > LOW OR title = y)")]
    public async Task A_filter_beside_the_list_is_asked_of_the_lists_rows_in_order(string filter)
    {
        string[] plan = await PlanAsync($"{OneList} AND {filter}", "", ["i00000", "id"]);
        Assert.Equal("SEARCH t USING INDEX IX_tasks_ListId_Rank_Id (ListId=? AND (Rank,Id)>(?,?))", plan[0]);
        Assert.DoesNotContain(plan, step => step.StartsWith("SCAN", StringComparison.Ordinal) || IsSort(step));
    }

    [Theory]
    [InlineData("assignee_id = x", "IX_tasks_AssigneeId_ListId (AssigneeId=? AND ListId=?)")]
    [InlineData("assignee_id = x AND state = OPEN", "IX_tasks_AssigneeId_ListId (AssigneeId=? AND ListId=?)")]
    [InlineData("parent_id = x", "IX_tasks_ParentId (ParentId=?)")]
    [InlineData("due_time < 2026-12-01T00:00:00Z", "IX_tasks_ListId_DueTimeMicros (ListId=? AND DueTimeMicros<?)")]
    [InlineData("id = x", "sqlite_autoindex_tasks_1 (Id=?)")]
    public async Task A_filter_that_few_tasks_match_finds_them_by_its_own_index(string filter, string index)
    {
        Assert.Equal($"SEARCH t USING INDEX {index}", (await PlanAsync(filter, "", null))[1]);
        Assert.Equal($"SEARCH t USING INDEX {index}", (await PlanAsync($"{OneList} AND {filter}", "", null))[0]);
    }

    [Theory]
    [InlineData("create_time", "(ListId=? AND CreateTimeMicros>?)")]
    [InlineData("create_time desc", "(ListId=? AND CreateTimeMicros<?)")]
    public async Task A_list_by_age_is_read_in_order_from_where_the_page_begins(string order, string range)
    {
        const string ByAge = "SEARCH t USING INDEX IX_tasks_ListId_CreateTimeMicros";
        const string Ties = "USE TEMP B-TREE FOR LAST TERM OF ORDER BY";
        Assert.Equal([$"{ByAge} (ListId=?)", Ties], await PlanAsync(OneList, order, null));
        Assert.Equal([$"{ByAge} {range}", Ties], await PlanAsync(OneList, order, ["1", "id"]));
    }

    private static bool IsSort(string step) => step.StartsWith("USE TEMP B-TREE", StringComparison.Ordinal);

    private async Task<string[]> PlanAsync(string text, string orderBy, string?[]? after)
    {
        Filter filter = Filter.Parse(text, _ground.Limits);
        TaskOrder order = TaskOrder.Parse(orderBy, oneList: filter.OnlyList is not null);
        var pages = new TaskPages(Me, filter, order, after, 50);
        return await _ground.ReadAsync<string[]>(db => [.. pages.Statements().SelectMany(sql => Explain(db, sql))]);
    }

    private static List<string> Explain(SquallDb db, SqlText sql)
    {
        using var command = db.Database.GetDbConnection().CreateCommand();
        command.Transaction = db.Database.CurrentTransaction!.GetDbTransaction();
        var names = new List<object>();
        foreach (object value in sql.Values)
        {
            var parameter = command.CreateParameter();
            (parameter.ParameterName, parameter.Value) = ($"@p{names.Count}", value);
            command.Parameters.Add(parameter);
            names.Add(parameter.ParameterName);
        }

        command.CommandText =
            "EXPLAIN QUERY PLAN " + string.Format(CultureInfo.InvariantCulture, sql.ToString(), [.. names]);
        using var rows = command.ExecuteReader();
        var steps = new List<string>();
        while (rows.Read())
        {
            steps.Add(rows.GetString(3));
        }

        return steps;
    }
}
