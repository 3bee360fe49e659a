namespace Squall.Faults;

/// <summary>
/// Cuts the power of the server under load, again and again, and says what held; then that of its control, which is to
/// be seen to lose.
/// </summary>
internal sealed class PowerCommand(int rounds, int writers, int seed, bool keepsResults, TimeProvider time)
{
    private const int ControlRounds = 2;
    private static readonly string Here = AppContext.BaseDirectory;
    private static readonly string[] Server = [Path.Combine(Here, "Squall.Server.dll")];
    private static readonly string[] Lax = [Path.Combine(Here, "Squall.Faults.dll"), "serve-lax"];
    private readonly Report _report = new();

    public static Task<int> RunAsync(string[] args, TimeProvider time)
    {
        var arguments = new Arguments(args);
        return new PowerCommand(
            arguments.Number("--rounds", 5), arguments.Number("--writers", 32),
            arguments.Number("--seed", Environment.TickCount), arguments.Has("--results"), time).RunAsync();
    }

    /// <summary>
    /// The server stops as it is about to sync its log, where nothing of the commit is sure; in the midst of writing
    /// it; or, every fourth time, in the midst of copying it into the database.
    /// </summary>
    private static DiskFault Moment(int cut, Random random) => (cut % 4) switch
    {
        3 => new DiskFault(DiskFile.Database, DiskCall.Write, DiskFault.Stop, Skip: random.Next(1, 100)),
        1 => InWriting(random),
        _ => new DiskFault(DiskFile.Log, DiskCall.Sync, DiskFault.Stop, Skip: random.Next(3)),
    };

    private static DiskFault InWriting(Random random) =>
        new(DiskFile.Log, DiskCall.Write, DiskFault.Stop, Skip: random.Next(1, 60));

    private static void Cut(Disk disk, PowerCut cut)
    {
        disk.Clear();
        cut.Apply(disk);
    }

    /// <summary>Rounds in which something unsynced was lost are counted, and no more than twice as many made.</summary>
    private async Task<int> RunAsync()
    {
        _report.Say(FormattableString.Invariant($"{rounds} power cuts under {writers} writers, seed {seed}"));
        await CheckAsync(
            "what was acknowledged is there after a power cut, once, and told once", Server, rounds,
            Moment, verdict => verdict.Holds);
        await CheckAsync(
            "the control with synchronous=NORMAL is seen to lose", Lax, ControlRounds,
            (_, random) => InWriting(random), verdict => verdict.Of(Verdict.Lost) > 0);
        if (keepsResults)
        {
            await Results.WriteAsync("Power cuts", _report.Lines, time);
        }

        return _report.End();
    }

    private async Task CheckAsync(
        string promise, string[] program, int enough, Func<int, Random, DiskFault> moment, Func<Verdict, bool> passes)
    {
        long begun = time.GetTimestamp();
        string folder = Directory.CreateTempSubdirectory("squall-power-").FullName;
        var random = new Random(seed);
        var cut = new PowerCut(random);
        using var disk = new Disk(folder, keepsUnsynced: true);
        using var run = new KillRun(program, folder, writers, random, time)
        {
            Disk = disk,
            Stops = () => disk.Set(moment(cut.Cuts, random)),
            Killed = () => Cut(disk, cut),
        };
        string said;
        bool passed = false;
        try
        {
            Verdict verdict = await run.RunAsync(_ => cut.Losses >= enough, enough * 2);
            passed = passes(verdict) && cut.Losses >= enough;
            said = verdict.ToString();
        }
        catch (Exception failure)
        {
            // Whatever ends a run early is a finding, too; the other is still made.
            said = failure.ToString();
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }

        _report.Check(passed, $"{promise}: {said}");
        _report.Say($"     {cut}; {time.GetElapsedTime(begun).TotalSeconds:0} s");
    }
}
