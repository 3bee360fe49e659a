using ImportTaskwarrior;
using Squall.Client;
using Squall.Server.Tests;
using Squall.V1;

namespace Squall.Samples.Tests;

/// <summary>The import from end to end, against a server.</summary>
[Collection(WithServer.Name)]
public sealed class ImportTests(ServerFixture server)
{
    private static readonly Census Final = new(Open: 8, Done: 3, Deleted: 2, Lists: 7);

    [Fact]
    public async Task The_backlog_ends_as_Taskwarriors_own_files_say()
    {
        using var scene = await Scene.SetAsync(server);
        await scene.ImportAsync();
        var (census, differences) = await scene.VerifyAsync();
        Assert.Empty(differences);
        Assert.Equal(Final, census);
    }

    [Fact]
    public async Task All_that_Squall_has_a_field_for_stands_in_Squall()
    {
        using var scene = await Scene.SetAsync(server);
        await scene.ImportAsync();
        var state = await scene.StateAsync();
        Assert.Contains($"task Paint the fence in garden: Open Unspecified due  [{Label(1)}] note ''", state);
        Assert.Contains($"task Buy oat milk in travel: Done Low due  [{Label(2)}] note ''", state);
        Assert.Contains($"task Ärger mit der Spüle 🚰: anrufen in Haus: Open Unspecified "
            + $"due \"2031-07-15T06:30:00Z\" [{Label(3)}] note ''", state);
        Assert.Contains($"task Plan the trip - tickets - a hotel in travel: Open Medium due  [{Label(6)}] "
            + "note 'Plan the trip\n- tickets\n- a hotel'", state);
        Assert.Contains($"task Write the report in work: Done Unspecified due  [{Label(8)}, deep, dull] note ''",
            state);
        string[] said = ["rang twice: nobody there", "rang twice: nobody there"];
        var comments = await scene.Importer.Client.Tasks.ListComments(IdOf(scene, 3)).ToListAsync();
        Assert.Equal(said, comments.Select(comment => comment.Text));
        await foreach (var list in scene.Importer.Client.Lists.List())
        {
            var members = await scene.Importer.Client.Lists.ListMembersAsync(list.Id);
            Assert.Equal([Role.Editor, Role.Owner], members.Select(member => member.Role).Order());
        }
    }

    [Fact]
    public async Task A_task_that_changes_its_project_is_moved_and_stays_the_same_task()
    {
        using var scene = await Scene.SetAsync(server);
        await scene.ImportAsync();
        var id = IdOf(scene, 2);
        var milk = (await scene.HistoryAsync()).Where(told => told.Id == id);
        Assert.Equal(
            [
                "No project: task created", "No project: task deleted", "Haus: task created", "Haus: task deleted",
                "No project: task created", "No project: task completed", "No project: task reopened",
                "No project: task deleted", "Haus: task created", "Haus: task completed", "Haus: task deleted",
                "travel: task created",
            ],
            milk.Select(told => $"{told.List}: {told.What}"));
    }

    [Fact]
    public async Task Another_run_does_nothing()
    {
        using var scene = await Scene.SetAsync(server);
        await scene.ImportAsync();
        var (state, history) = (await scene.StateAsync(), await scene.HistoryAsync());
        Assert.Empty((await scene.ImportAsync()).Results);
        Assert.Equal(state, await scene.StateAsync());
        Assert.Equal(history, await scene.HistoryAsync());
    }

    [Fact]
    public async Task A_backlog_that_grew_goes_on_where_it_ended()
    {
        using var scene = await Scene.SetAsync(server);
        var first = Plan.Of(Fixture.States.Take(12), new Losses());
        await scene.ImportAsync(steps: first);
        var replay = await scene.ImportAsync();
        Assert.Equal(Fixture.Steps.Count - first.Count, replay.Results.Count);
        Assert.Empty((await scene.VerifyAsync()).Differences);
    }

    [Fact]
    public async Task A_backlog_that_is_another_is_refused_and_nothing_is_done()
    {
        using var scene = await Scene.SetAsync(server);
        await scene.ImportAsync();
        var (state, lines) = (await scene.StateAsync(), File.ReadAllLines(Fixture.PathOf("backlog.data")));
        lines[2] = lines[2].Replace("anrufen", "schreiben", StringComparison.Ordinal);
        var other = scene.Folder.Write("backlog.data", string.Join('\n', lines));
        var refusal = await Assert.ThrowsAsync<ImportException>(
            () => scene.ImportAsync(steps: Plan.Of(BacklogFile.Read(other), new Losses())));
        Assert.StartsWith(
            $"{other}:3: is not the line that was imported before", refusal.Message, StringComparison.Ordinal);
        Assert.Equal(state, await scene.StateAsync());
    }

    [Fact]
    public async Task Without_its_record_an_import_is_refused_and_nothing_is_doubled()
    {
        using var scene = await Scene.SetAsync(server);
        await scene.ImportAsync();
        var state = await scene.StateAsync();
        File.Delete(scene.Folder.Record);
        var refusal = await Assert.ThrowsAsync<ImportException>(() => scene.ImportAsync());
        Assert.Contains("of this backlog already", refusal.Message, StringComparison.Ordinal);
        Assert.Equal(state, await scene.StateAsync());
    }

    [Fact]
    public async Task The_record_of_anothers_import_is_refused()
    {
        using var scene = await Scene.SetAsync(server);
        await scene.ImportAsync();
        var refusal = await Assert.ThrowsAsync<ImportException>(() => scene.ImportAsync(scene.Watcher.Client));
        Assert.Contains("another account", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Two_imports_with_one_record_are_refused()
    {
        using var scene = await Scene.SetAsync(server);
        using var record = ImportRecord.Open(scene.Folder.Record);
        var refusal = await Assert.ThrowsAsync<ImportException>(() => scene.ImportAsync());
        Assert.Contains("does another import run", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_people_change_between_two_runs_stays()
    {
        using var scene = await Scene.SetAsync(server);
        var (tasks, before) = (scene.Importer.Client.Tasks, Plan.Of(Fixture.States.Take(14), new Losses()));
        await scene.ImportAsync(steps: before);
        await tasks.UpdateAsync(IdOf(scene, 1), task => (task.Title, task.Note) = ("Paint the fence red", "Why not?"));
        await tasks.CancelAsync(IdOf(scene, 8));
        await tasks.DeleteAsync(IdOf(scene, 9));
        await tasks.DeleteAsync(IdOf(scene, 6));
        await tasks.CompleteAsync(IdOf(scene, 2));
        var results = (await scene.ImportAsync()).Results.Where(result => result.Outcome != Outcome.Done)
            .Select(result => $"{result.Step.Key}: {result.Outcome}");

        // The first step, a deletion, counts as done by the run before: it may have been.
        Assert.Equal(["16 complete: WasSo", "25 complete: LeftAlone", "26 move: LeftAlone"], results);
        var state = await scene.StateAsync();
        Assert.Contains(
            $"task Paint the fence red in garden: Open Unspecified due  [{Label(1)}] note 'Why not?'", state);
        Assert.Contains(
            $"task Write the report in work: Cancelled Unspecified due  [{Label(8)}, deep, dull] note ''", state);
        Assert.Empty((await scene.ImportAsync()).Results);
    }

    [Fact]
    public async Task A_refusal_of_the_server_is_told_with_its_line_and_the_next_run_goes_on()
    {
        using var scene = await Scene.SetAsync(server);
        await scene.ImportAsync(steps: Plan.Of(Fixture.States.Take(3), new Losses()));
        var garden = scene.Record().First(step => step.Step == "1 list").Id;
        await scene.Importer.Client.Lists.SetMemberAsync(garden, scene.Watcher.Username, Role.Owner);
        await scene.Watcher.Client.Lists.SetMemberAsync(garden, scene.Importer.Username, Role.Viewer);
        var refusal = await Assert.ThrowsAsync<ImportException>(() => scene.ImportAsync());
        Assert.Contains("backlog.data:4: create: ", refusal.Message, StringComparison.Ordinal);
        Assert.Contains(scene.Folder.Record, refusal.Message, StringComparison.Ordinal);
        await scene.Watcher.Client.Lists.SetMemberAsync(garden, scene.Importer.Username, Role.Editor);
        await scene.ImportAsync();
        Assert.Empty((await scene.VerifyAsync()).Differences);
    }

    private static string Label(int number) => $"taskwarrior:{Fixture.Uuid(number)}";

    private static string IdOf(Scene scene, int number)
    {
        var key = Fixture.Steps.OfType<CreateTask>().Last(step => step.Task.Uuid == Fixture.Uuid(number)
            && scene.Record().Any(taken => taken.Step == step.Key)).Key;
        return scene.Record().Single(taken => taken.Step == key).Id;
    }
}
