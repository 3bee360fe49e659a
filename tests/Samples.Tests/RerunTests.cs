using ImportTaskwarrior;
using Microsoft.EntityFrameworkCore;
using Squall.Server;
using Squall.Server.Tests;

namespace Squall.Samples.Tests;

/// <summary>Killed at every change that it sends, and run again, the import ends as if nothing had happened.</summary>
[Collection(WithServer.Name)]
public sealed class RerunTests(ServerFixture server)
{
    // Many at once, so that they share the server's commits.
    private static readonly ParallelOptions AtOnce = new() { MaxDegreeOfParallelism = 16 };

    [Fact]
    public Task Killed_before_a_change_is_sent() =>
        KillAtEveryChangeAsync(Moment.BeforeItIsSent, _ => Task.CompletedTask);

    [Fact]
    public Task Killed_while_a_change_is_on_its_way_to_the_server() =>
        KillAtEveryChangeAsync(Moment.OnItsWay, _ => Task.CompletedTask);

    [Fact]
    public Task Killed_before_a_change_is_answered() =>
        KillAtEveryChangeAsync(Moment.BeforeItIsAnswered, _ => Task.CompletedTask);

    [Fact]
    public Task Killed_before_a_change_is_answered_and_run_again_when_the_server_has_forgotten_the_request() =>
        KillAtEveryChangeAsync(Moment.BeforeItIsAnswered, ForgetRequestsAsync);

    [Fact]
    public async Task A_list_of_the_same_title_that_was_there_before_is_left_alone()
    {
        using var scene = await Scene.SetAsync(server);
        var older = await scene.Importer.Client.Lists.CreateAsync("garden");
        using var kill = new Kill(1, Moment.BeforeItIsSent);
        await using (var client = scene.Importer.Connect(kill.Dying))
        {
            await Assert.ThrowsAnyAsync<OperationCanceledException>(
                () => scene.ImportAsync(client, cancellationToken: kill.Killed));
        }

        await scene.ImportAsync();
        Assert.Empty(await scene.Importer.Client.Tasks.List($"task_list_id = \"{older.Id}\"").ToListAsync());
    }

    [Fact]
    public async Task A_line_of_the_record_that_a_kill_cut_short_does_not_count()
    {
        using var scene = await Scene.SetAsync(server);
        await scene.ImportAsync();
        var whole = await scene.StateAsync();
        var record = await File.ReadAllBytesAsync(scene.Folder.Record);
        await File.WriteAllBytesAsync(scene.Folder.Record, record[..^20]);
        Assert.Single((await scene.ImportAsync()).Results);
        Assert.Equal(whole, await scene.StateAsync());
        Assert.Equal(record, await File.ReadAllBytesAsync(scene.Folder.Record));
    }

    [Fact]
    public async Task A_record_that_is_none_is_refused_with_its_line()
    {
        using var scene = await Scene.SetAsync(server);
        await scene.ImportAsync();
        await File.AppendAllTextAsync(scene.Folder.Record, "what is this?\n");
        var refusal = await Assert.ThrowsAsync<ImportException>(() => scene.ImportAsync());
        Assert.EndsWith(": is no line of an import's record", refusal.Message, StringComparison.Ordinal);
    }

    private async Task KillAtEveryChangeAsync(Moment moment, Func<Scene, Task> meanwhile)
    {
        using var calm = await Scene.SetAsync(server);
        await calm.ImportAsync();
        var end = await EndAsync(calm);

        // Each list is also shared.
        var changes = Fixture.Steps.Count + Fixture.Steps.OfType<CreateList>().Count();
        await Parallel.ForEachAsync(Enumerable.Range(1, changes), AtOnce, async (at, _) =>
        {
            using var scene = await Scene.SetAsync(server);
            using var kill = new Kill(at, moment);
            await using (var client = scene.Importer.Connect(kill.Dying))
            {
                await Assert.ThrowsAnyAsync<OperationCanceledException>(
                    () => scene.ImportAsync(client, cancellationToken: kill.Killed));
            }

            await meanwhile(scene);
            await using (var client = scene.Importer.Connect(kill.Living))
            {
                await scene.ImportAsync(client);
            }

            Assert.Equal($"killed at change {at}\n{end}", $"killed at change {at}\n{await EndAsync(scene)}");
            Assert.Empty(Comparison.Of(scene.Record(), await scene.HistoryAsync()));
            Assert.Empty((await scene.ImportAsync()).Results);
        });
    }

    /// <summary>What the server does with requests of more than 24 hours ago.</summary>
    private Task ForgetRequestsAsync(Scene scene) => server.Get<Journal>().RunAsync(
        change => change.Db.Requests.Where(row => row.AccountId == scene.Importer.Id).ExecuteDelete(),
        null, 0, CancellationToken.None);

    /// <summary>What there is, and all that was told on the way, but for what differs from scene to scene.</summary>
    private static async Task<string> EndAsync(Scene scene) => string.Join('\n', [
        .. await scene.StateAsync(),
        .. (await scene.HistoryAsync()).Select(
            line => line.What == "member set" ? $"{line.List} shared" : $"{line.List} {line.What} {line.Text}"),
    ]);
}
