using System.Globalization;

namespace Squall.Faults;

/// <summary>Takes snapshots under writers, and says what held; then with each control, which is to be caught.</summary>
internal sealed class SnapshotCommand(Arguments arguments, TimeProvider time)
{
    private const int ControlSnapshots = 3;
    private const long LogBytes = 16 << 20;

    // A long run's calls are made with the tokens of its beginning.
    private static readonly string[] Server =
        [Path.Combine(AppContext.BaseDirectory, "Squall.Server.dll"), "--access-lifetime", "1d"];

    private readonly int _snapshots = arguments.Number("--snapshots", 20);
    private readonly int _tasks = arguments.Number("--tasks", 10_000);
    private readonly int _minutes = arguments.Number("--minutes", 0);
    private readonly int _seed = arguments.Number("--seed", Environment.TickCount);
    private readonly Report _report = new();

    public static Task<int> RunAsync(string[] args, TimeProvider time) =>
        new SnapshotCommand(new Arguments(args), time).RunAsync();

    private async Task<int> RunAsync()
    {
        long begun = time.GetTimestamp();
        string folder = Directory.CreateTempSubdirectory("squall-snapshot-").FullName;
        _report.Say(string.Create(CultureInfo.InvariantCulture,
            $"{_snapshots} snapshots of {_tasks} tasks under 8 writers; seed {_seed}"));
        try
        {
            await using var run = new SnapshotRun(Server, folder, _tasks, new Random(_seed), time);
            await CheckAsync(run);
        }
        catch (Exception failure)
        {
            // Whatever ends a run early is a finding, too.
            _report.Check(false, failure.ToString());
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }

        _report.Say($"     {time.GetElapsedTime(begun).TotalSeconds:0} s");
        if (arguments.Has("--results"))
        {
            await Results.WriteAsync("Snapshots", _report.Lines, time);
        }

        return _report.End();
    }

    private async Task CheckAsync(SnapshotRun run)
    {
        await run.BeginAsync();
        long begun = time.GetTimestamp();
        int wrong = await run.TakeAsync(
            taken => taken < _snapshots && (_minutes == 0 || time.GetElapsedTime(begun).TotalMinutes < _minutes), []);
        int taken = run.Taken;
        long logBytes = run.LogBytesMax;
        int changes = run.ChangesMin;
        long read = run.TasksRead;
        int withoutTask = await run.TakeAsync(of => of < ControlSnapshots, [Alters.SkipTask()]);
        int withoutChanges = await run.TakeAsync(of => of < ControlSnapshots, [Alters.SkipChanges()]);
        await run.HoldOnAsync(LogBytes);
        long heldBytes = run.LogBytesMax;
        Verdict verdict = await run.EndAsync();
        _report.Check(
            wrong == 0 && changes > 0 && verdict.Holds,
            $"what a reader holds at synced are the tasks as of that place: {wrong} of {taken} differ; "
            + $"{read} tasks read, at least {changes} changes within each snapshot; {verdict}");
        _report.Check(logBytes < LogBytes, $"the log stays under {Size(LogBytes)} meanwhile: {Size(logBytes)} at most");
        _report.Check(
            withoutTask > 0,
            $"the control that skips a task of a snapshot is caught: {withoutTask} of {ControlSnapshots} differ");
        _report.Check(
            withoutChanges > 0,
            $"the control that skips the changes within one is caught: {withoutChanges} of {ControlSnapshots} differ");
        _report.Check(
            heldBytes > LogBytes, $"a reader of the database that holds on is seen by the log: {Size(heldBytes)}");
    }

    private static string Size(long bytes) =>
        string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1 << 20):0.0} MiB");
}
