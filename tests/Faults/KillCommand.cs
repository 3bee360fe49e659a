using Grpc.Core.Interceptors;

namespace Squall.Faults;

/// <summary>
/// Runs the kills and the cuts against the real server, then against each control, and says what held.
/// </summary>
internal sealed class KillCommand(Arguments arguments, TimeProvider time)
{
    private const int ControlKills = 3;
    private const int ControlKillsMax = 20;
    private const int SaidEach = 20;
    private const int SmallBatch = 5;
    private const int LargeBatch = 100;
    private const int LargeBatchesFrom = 1_000;
    private static readonly string Here = AppContext.BaseDirectory;
    private static readonly string[] Server = [Path.Combine(Here, "Squall.Server.dll")];
    private static readonly string[] AnswersEarly = [Path.Combine(Here, "Squall.Faults.dll"), "serve"];
    private static readonly string[] TellsEarly = [Path.Combine(Here, "Squall.Faults.dll"), "serve-eager"];
    private readonly int _kills = arguments.Number("--kills", 20);
    private readonly int _changes = arguments.Number("--changes", 0);
    private readonly int _writers = arguments.Number("--writers", 64);
    private readonly int _subscribers = arguments.Number("--subscribers", 16);
    private readonly int _minutes = arguments.Number("--minutes", 0);
    private readonly int _seed = arguments.Number("--seed", Environment.TickCount);
    private readonly long _begun = time.GetTimestamp();
    private readonly Report _report = new();

    public static Task<int> RunAsync(string[] args, TimeProvider time) =>
        new KillCommand(new Arguments(args), time).RunAsync();

    /// <summary>
    /// Every kill that counts has hit a commit; a third of them is made while it is written, and a third after that and
    /// before its answers. So many are made, and no more than twice as many tried. A control's go on until they hit.
    /// </summary>
    private async Task<int> RunAsync()
    {
        _report.Say(FormattableString.Invariant(
            $"Kills under {_writers} writers, before {_subscribers} subscribers that are cut and 1 that is not; ")
            + FormattableString.Invariant($"seed {_seed}"));
        await CheckAsync(
            "what a killed server acknowledged is there once, and told each subscriber once", Server, [], _kills * 2,
            IsEnough,
            verdict => verdict.Holds);
        await CheckAsync(
            "the control that acknowledges 50 ms before it commits holds without a kill", AnswersEarly, [], 0,
            _ => true, verdict => verdict.Holds);
        await CheckAsync(
            "it is caught", AnswersEarly, [], ControlKillsMax,
            run => run.Wrecks.Hits >= ControlKills,
            verdict => verdict.Of(Verdict.Lost) + verdict.Of(Verdict.Differs) > 0);
        await CheckAsync(
            "the control that skips a notification when it resumes is caught", Server, [Alters.SkipOne()], 0,
            _ => true, verdict => verdict.Of(Verdict.NotTold) > 0 && verdict.HoldsBut(Verdict.NotTold));
        await CheckAsync(
            "the control that tells one twice when it resumes is caught", Server, [Alters.TellOneTwice()], 0,
            _ => true, verdict => verdict.Of(Verdict.Twice) > 0 && verdict.HoldsBut(Verdict.Twice));
        await CheckAsync(
            "the control that swaps two when it resumes is caught", Server, [Alters.SwapTwo()], 0, _ => true,
            verdict => !verdict.Holds && verdict.HoldsBut(Verdict.Disordered, Verdict.Earlier));
        await CheckAsync(
            "the control that tells 50 ms before it commits holds without a kill", TellsEarly, [], 0,
            _ => true, verdict => verdict.Holds);
        await CheckAsync(
            "it is caught", TellsEarly, [], ControlKillsMax, run => run.CursorsRefused > 0,
            verdict => verdict.Of(Verdict.Baseless) > 0);
        if (arguments.Has("--results"))
        {
            await Results.WriteAsync("Kills and cuts", _report.Lines, time);
        }

        return _report.End();
    }

    /// <summary>With --minutes, what was made by then, and never less than both kinds of kills.</summary>
    private bool IsEnough(KillRun run) => run.Wrecks is { InWriting: > 0, BeforeAnswers: > 0 } wrecks
        && ((wrecks.Hits >= _kills && run.Acknowledged >= _changes)
            || (_minutes > 0 && time.GetElapsedTime(_begun).TotalMinutes > _minutes));

    private async Task CheckAsync(
        string promise, string[] program, Interceptor[] reading, int killsMax, Func<KillRun, bool> enough,
        Func<Verdict, bool> passes)
    {
        long begun = time.GetTimestamp();
        string folder = Directory.CreateTempSubdirectory("squall-kill-").FullName;
        bool isReal = program == Server && killsMax > 0;
        using Disk? disk = isReal ? new Disk(folder, keepsUnsynced: false) : null;
        using var run = new KillRun(program, folder, _writers, new Random(_seed), time)
        {
            CutSubscribers = _subscribers,
            Disk = disk,
            Reading = reading,
            StopsAfter = program == TellsEarly ? run => run.ToldAsync()
                : program == AnswersEarly ? run => run.AnsweredAsync()
                : null,
            ChangesBetween = isReal ? _changes / _kills : 0,
            BatchMax = isReal && _changes / _kills > LargeBatchesFrom ? LargeBatch : SmallBatch,
        };
        string said;
        bool passed = false;
        try
        {
            Verdict verdict = await run.RunAsync(
                wrecks =>
                {
                    if (wrecks.Kills > 0 && wrecks.Kills % SaidEach == 0)
                    {
                        Console.WriteLine($"     {wrecks.Kills} kills, {run.Acknowledged} acknowledged");
                    }

                    return enough(run);
                },
                killsMax);
            passed = passes(verdict) && enough(run) && run.Cuts.Least > 0;
            said = verdict.ToString();
        }
        catch (Exception failure)
        {
            // Whatever ends a run early is a finding, too; the others are still made.
            said = $"{run.Found}; {failure}";
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }

        _report.Check(passed, $"{promise}: {said}");
        _report.Say($"     {run.Cuts}");
        string kills = killsMax > 0 ? $"{run.Wrecks}; " : "";
        _report.Say($"     {kills}{time.GetElapsedTime(begun).TotalSeconds:0} s");
    }
}
