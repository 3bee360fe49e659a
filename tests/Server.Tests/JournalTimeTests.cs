using Microsoft.Extensions.Logging.Abstractions;

namespace Squall.Server.Tests;

/// <summary>Times and ids grow, whatever the machine's clock does.</summary>
public sealed class JournalTimeTests
{
    [Fact]
    public async Task A_clock_that_goes_backwards_keeps_times_and_ids_growing()
    {
        await using Ground ground = await Ground.StartAsync();
        var told = new List<(long Micros, string Id)>();
        foreach (double seconds in (double[])[0, 0, 60, -3_600, 0, 1, -86_400, 0])
        {
            ground.Time.Advance(TimeSpan.FromSeconds(seconds));
            told.Add(await ground.RunAsync(scope =>
            {
                scope.Note(ChangeKind.TokensVoided, "someone", "x");
                return (scope.NowMicros, Ids.New(scope.NowMicros));
            }));
        }

        Assert.Equal(told.Count, told.Select(change => change.Micros).Distinct().Count());
        Assert.Equal(told, told.OrderBy(change => change.Micros));
        Assert.Equal(told, told.OrderBy(change => change.Id, StringComparer.Ordinal));
        Assert.Equal(
            told.Select(change => change.Micros),
            await ground.ReadAsync(db => db.Changes.OrderBy(row => row.Seq).Select(row => row.TimeMicros).ToArray()));
    }

    [Fact]
    public async Task A_clock_that_went_backwards_while_the_server_was_down_keeps_them_growing()
    {
        string directory = Directory.CreateTempSubdirectory("squall-").FullName;
        var clock = new FakeTime();
        long before = await StampAsync(directory, clock);
        clock.Advance(TimeSpan.FromDays(-1));
        long after = await StampAsync(directory, clock);
        Assert.Equal(before + 1, after);
        Directory.Delete(directory, recursive: true);
    }

    private static async Task<long> StampAsync(string directory, TimeProvider clock)
    {
        using var store = new Store(Path.Combine(directory, "squall.db"));
        using var journal = new Journal(store, new Limits(), clock, NullLogger<Journal>.Instance);
        journal.Start();
        long micros = await journal.RunAsync(
            scope => scope.Note(ChangeKind.TokensVoided, "someone", "x").TimeMicros, null, 0, CancellationToken.None);
        await journal.StopAsync();
        return micros;
    }
}
