namespace Squall.Faults;

/// <summary>
/// Fails each step of a commit, and of copying it into the database, under load, and says what held; then the same
/// against the control that acknowledges before it commits.
/// </summary>
internal sealed class DiskCommand(bool keepsResults, TimeProvider time)
{
    private static readonly string Here = AppContext.BaseDirectory;
    private static readonly string[] Server = [Path.Combine(Here, "Squall.Server.dll")];
    private static readonly string[] Careless = [Path.Combine(Here, "Squall.Faults.dll"), "serve"];

    private static readonly DiskFault[] Lasting =
    [
        new(DiskFile.Log, DiskCall.Write, DiskFault.NoSpace),
        new(DiskFile.Log, DiskCall.Write, DiskFault.IoError, Skip: 5, IsTorn: true),
        new(DiskFile.Log, DiskCall.Sync, DiskFault.NoSpace),
        new(DiskFile.Log, DiskCall.Sync, DiskFault.IoError),
    ];

    private static readonly DiskFault[] Others =
    [
        new(DiskFile.Log, DiskCall.Write, DiskFault.NoSpace, Times: 1, Skip: 3, IsTorn: true),
        new(DiskFile.Log, DiskCall.Sync, DiskFault.IoError, Times: 1),
        new(DiskFile.Database, DiskCall.Write, DiskFault.NoSpace),
        new(DiskFile.Database, DiskCall.Write, DiskFault.IoError, Skip: 5, IsTorn: true),
        new(DiskFile.Database, DiskCall.Sync, DiskFault.IoError),
        new(DiskFile.Log, DiskCall.Read, DiskFault.IoError),
        new(DiskFile.Database, DiskCall.Read, DiskFault.IoError),
        new(DiskFile.Log, DiskCall.Truncate, DiskFault.IoError, Times: 1),
    ];

    private readonly Report _report = new();

    public static Task<int> RunAsync(string[] args, TimeProvider time) =>
        new DiskCommand(new Arguments(args).Has("--results"), time).RunAsync();

    private async Task<int> RunAsync()
    {
        await WithAsync(Server, async run =>
        {
            foreach (DiskFault fault in (DiskFault[])[.. Lasting, .. Others])
            {
                await CheckAsync(
                    $"{fault}: none lost, none stored that was refused, reads "
                        + (fault.Call == DiskCall.Read ? "are told" : "go on") + ", and all resumes", run,
                    () => run.EndureAsync(fault), verdict => verdict.Holds);
            }

            foreach (DiskFault fault in Lasting)
            {
                await CheckAsync(
                    $"{fault}, and kill -9 in the midst of it: none lost, and none stored that was refused", run,
                    () => run.DieAsync(fault), verdict => verdict.Holds);
            }

            string calls = string.Join(", ", Seen(run.Disk));
            _report.Check(!calls.Contains(" 0 ", StringComparison.Ordinal), $"the disk was asked for: {calls}");
            await CheckAsync(
                "all of it is there after another restart", run, run.RememberAsync, verdict => verdict.Holds);
        });
        await WithAsync(Server, run => CheckAsync(
            "the control, a disk that takes nothing once a sync has failed, is seen to store what was refused", run,
            () => run.DieAsync(Lasting[^1] with { Then = DiskCall.Write }),
            verdict => verdict.Of(Claims.RefusedStored) > 0 && verdict.Of(Verdict.Lost) == 0));
        await WithAsync(Careless, run => CheckAsync(
            "the control that acknowledges before it commits is caught", run, () => run.EndureAsync(Lasting[^1]),
            verdict => verdict.Of(Verdict.Lost) > 0));
        if (keepsResults)
        {
            await Results.WriteAsync("Disk full and I/O errors", _report.Lines, time);
        }

        return _report.End();
    }

    private async Task WithAsync(string[] program, Func<DiskRun, Task> uses)
    {
        long begun = time.GetTimestamp();
        string folder = Directory.CreateTempSubdirectory("squall-disk-data-").FullName;
        try
        {
            await using var run = new DiskRun(program, folder, time);
            await run.StartAsync();
            await uses(run);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }

        _report.Say($"     {time.GetElapsedTime(begun).TotalSeconds:0} s");
    }

    private static IEnumerable<string> Seen(Disk disk) =>
        from file in (DiskFile[])[DiskFile.Log, DiskFile.Database]
        from call in (DiskCall[])[DiskCall.Write, DiskCall.Sync]
        select FormattableString.Invariant($"{file} {disk.Seen(file, call)} {call}s");

    private async Task CheckAsync(
        string promise, DiskRun run, Func<Task<Verdict>> meets, Func<Verdict, bool> passes)
    {
        try
        {
            Verdict verdict = await meets();
            _report.Check(passes(verdict), $"{promise}: {run.Disk.Failed} calls failed; {verdict}");
        }
        catch (Exception failure)
        {
            // Whatever ends one early is a finding, too; the others are still made.
            _report.Check(false, $"{promise}: {failure}");
            run.Disk.Clear();
        }
    }
}
