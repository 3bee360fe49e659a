using ImportTaskwarrior;
using Squall.Client;
using Squall.Server.Tests;

namespace Squall.Samples.Tests;

/// <summary>What the second account is told while the first imports.</summary>
[Collection(WithServer.Name)]
public sealed class WatchTests(ServerFixture server)
{
    // A net under a watcher that is told too little.
    private static readonly TimeSpan PatienceMax = TimeSpan.FromMinutes(1);

    [Fact]
    public async Task Each_change_is_told_once_and_in_order_however_often_the_watcher_is_stopped()
    {
        using var scene = await Scene.SetAsync(server);
        await WatchAsync(scene, lines: 1);
        await scene.ImportAsync();
        var history = await scene.HistoryAsync();
        for (var told = 0; told < history.Count; told++)
        {
            await WatchAsync(scene, lines: 1);
        }

        var log = TellingLog.Read(scene.Folder.Log);
        Assert.True(log[0].IsBeginning);
        Assert.Equal(history, log.Skip(1));
        Assert.Empty(Comparison.Of(scene.Record(), history));
    }

    [Fact]
    public async Task A_watcher_is_told_while_it_happens()
    {
        using var scene = await Scene.SetAsync(server);
        await WatchAsync(scene, lines: 1);
        var watching = WatchAsync(scene, Fixture.Steps.Sum(step => step.Kind == "move" ? 2 : 1));
        await scene.ImportAsync();
        Assert.Equal((await scene.HistoryAsync()).Select(told => told.ToString()), await watching);
    }

    [Fact]
    public async Task A_line_that_a_kill_cut_short_is_told_again_and_stands_once_in_the_log()
    {
        using var scene = await Scene.SetAsync(server);
        await WatchAsync(scene, lines: 1);
        await scene.ImportAsync();
        await WatchAsync(scene, lines: 10);
        var log = await File.ReadAllBytesAsync(scene.Folder.Log);
        await File.WriteAllBytesAsync(scene.Folder.Log, log[..^10]);
        var told = await WatchAsync(scene, lines: 1);
        Assert.Equal(TellingLog.Read(scene.Folder.Log)[^1].ToString(), Assert.Single(told));
        Assert.Equal(log, await File.ReadAllBytesAsync(scene.Folder.Log));
    }

    [Fact]
    public async Task Whoever_is_no_member_is_told_nothing()
    {
        using var scene = await Scene.SetAsync(server);
        using var stranger = await Person.ComeAsync(server);
        await scene.ImportAsync();
        Assert.Equal(0, await ChangesAsync(stranger.Client));
        Assert.NotEqual(0, await ChangesAsync(scene.Watcher.Client));
    }

    [Fact]
    public async Task A_log_of_another_server_cannot_be_resumed_and_that_is_said()
    {
        using var scene = await Scene.SetAsync(server);
        await File.WriteAllTextAsync(scene.Folder.Log, Told.From("nonsense").ToLogLine() + "\n");
        using (var log = TellingLog.Open(scene.Folder.Log))
        {
            await Assert.ThrowsAsync<SquallValidationException>(
                () => new Watcher(scene.Watcher.Client, TextWriter.Null).WatchAsync(log, CancellationToken.None));
        }

        await File.WriteAllTextAsync(scene.Folder.Log, "no line of a log\n");
        Assert.Throws<ImportException>(() => TellingLog.Open(scene.Folder.Log));
    }

    /// <summary>A watcher that is stopped when it has printed so many lines.</summary>
    private static async Task<IReadOnlyList<string>> WatchAsync(Scene scene, int lines)
    {
        var printed = new Lines(lines);
        await using var client = scene.Watcher.Connect();
        using var log = TellingLog.Open(scene.Folder.Log);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => new Watcher(client, printed).WatchAsync(log, printed.Enough).WaitAsync(PatienceMax));
        return printed.All;
    }

    private static async Task<int> ChangesAsync(SquallClient client) =>
        (await client.ListNotifications().ToListAsync()).Count(
            told => told is SubscriptionEvent.Changed or SubscriptionEvent.Left);
}
