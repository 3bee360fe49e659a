using ImportTaskwarrior;
using Squall.Server.Tests;
using Squall.V1;

namespace Squall.Samples.Tests;

/// <summary>The verification finds what differs: each planted difference is a control.</summary>
[Collection(WithServer.Name)]
public sealed class VerificationTests(ServerFixture server)
{
    [Theory]
    [InlineData("Paint the fence", "Paint the fences", "title is 'Paint the fence', and should be 'Paint the fences'")]
    [InlineData("project:\"travel\"", "project:\"Haus\"", "list is 'travel', and should be 'Haus'")]
    [InlineData(" project:\"garden\"", "", "list is 'garden', and should be 'No project'")]
    [InlineData("status:\"pending\"", "status:\"completed\"", "state is 'Open', and should be 'Done'")]
    [InlineData("status:\"completed\"", "status:\"pending\"", "state is 'Done', and should be 'Open'")]
    [InlineData("status:\"completed\"", "status:\"deleted\"", "Squall has 1 of it, and should have 0")]
    [InlineData("status:\"deleted\"", "status:\"pending\"", "Squall has 0 of it, and should have 1")]
    [InlineData("000012", "000099", "Squall has 0 of it, and should have 1")]
    [InlineData("000012", "000099", "Squall has '買い物リスト', Taskwarrior does not")]
    public async Task A_difference_in_Taskwarriors_files_is_found(string was, string planted, string difference)
    {
        using var scene = await Scene.SetAsync(server);
        await scene.ImportAsync();
        var text = string.Concat(Fixture.Finals.Select(File.ReadAllText));
        var at = text.IndexOf(was, StringComparison.Ordinal);
        var other = text.Remove(at, was.Length).Insert(at, planted);
        var (_, differences) = await scene.VerifyAsync(BracketFile.Read(scene.Folder.Write("other.data", other)));
        Assert.Contains(differences, one => one.Contains(difference, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_difference_in_Squall_is_found()
    {
        using var scene = await Scene.SetAsync(server);
        await scene.ImportAsync();
        Assert.Empty((await scene.VerifyAsync()).Differences);
        var (lists, tasks) = (scene.Importer.Client.Lists, scene.Importer.Client.Tasks);
        await foreach (var list in lists.List())
        {
            if (list.Title == "garden")
            {
                var again = (await lists.CreateAsync(list.Title)).Id;
                await tasks.CreateAsync(new TaskItem
                {
                    TaskListId = again,
                    Title = "Paint the fence",
                    Labels = { Wanted.LabelOf(Fixture.Uuid(1)) },
                });
            }
        }

        Assert.Equal(
            [$"{Fixture.Uuid(1)}: Squall has 2 of it, and should have 1", "list 'garden': Squall has 2 of it"],
            (await scene.VerifyAsync()).Differences);
    }

    [Fact]
    public async Task A_task_that_stands_twice_in_Taskwarriors_files_is_refused()
    {
        using var scene = await Scene.SetAsync(server);
        await Assert.ThrowsAsync<ImportException>(
            () => scene.VerifyAsync([.. Fixture.FinalStates, Fixture.FinalStates[0]]));
    }
}

public sealed class ComparisonTests
{
    private static readonly Taken[] Did =
    [
        Step("1 list", "l"), Step("1 share bob", "l"), Step("1 create", "t"), Step("2 move", "t"),
        Step("3 comment 1", "c"), Step("3 update", "t"), Step("4 complete", "t"), Step("5 reopen", "t"),
        new("6 complete", "", Outcome.WasSo, "t"), Step("7 delete", "t"),
    ];

    private static readonly Told[] Was =
    [
        Line("member set", "l", 1), Line("task created", "t", 2), Line("task deleted", "t", 3),
        Line("task created", "t", 4), Line("comment created", "c", 5), Line("task updated", "t", 6),
        Line("task completed", "t", 7), Line("task reopened", "t", 8), Line("task deleted", "t", 9),
    ];

    [Fact]
    public void What_was_told_once_and_in_order_has_no_difference() => Assert.Empty(Comparison.Of(Did, Was));

    [Fact]
    public void Each_change_that_is_told_twice_is_found() => Assert.All(
        Enumerable.Range(0, Was.Length),
        at => Assert.Contains(
            Comparison.Of(Did, [.. Was[..(at + 1)], .. Was[at..]]),
            difference => difference.StartsWith("told 2 times", StringComparison.Ordinal)));

    [Fact]
    public void Each_change_that_is_not_told_is_found() => Assert.All(
        Enumerable.Range(0, Was.Length),
        at => Assert.NotEmpty(Comparison.Of(Did, [.. Was[..at], .. Was[(at + 1)..]])));

    [Fact]
    public void Changes_out_of_order_are_found() => Assert.All(
        Enumerable.Range(0, Was.Length - 1),
        at => Assert.NotEmpty(Comparison.Of(Did, [.. Was[..at], Was[at + 1], Was[at], .. Was[(at + 2)..]])));

    private static Taken Step(string key, string id) => new(key, "", Outcome.Done, id);

    private static Told Line(string what, string id, int cursor) => new("", "", what, id, "", $"{cursor}");
}
