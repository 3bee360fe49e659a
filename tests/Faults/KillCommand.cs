using Grpc.Core.Interceptors;

namespace Squall.Faults;

/// <summary>
/// Runs the kills and the cuts against the real server, then against each control, and says what held.
/// </summary>
internal sealed class KillCommand(Arguments arguments, TimeProvider time)
{
    private const int ControlKills = 3;
    private const int ControlKillsMax = 20;
    private static readonly string Here = AppContext.BaseDirectory;
    private static readonly string[] Server = [Path.Combine(Here, "Squall.Server.dll")];
    private static readonly string[] AnswersEarly = [Path.Combine(Here, "Squall.Faults.dll"), "serve"];
    private static readonly string[] TellsEarly = [Path.Combine(Here, "Squall.Faults.dll"), "serve-eager"];
    private readonly int _kills = arguments.Number("--kills", 20);
    private readonly int _changes = arguments.Number("--changes", 0);
    private readonly int _writers = arguments.Number("--writers", 64);
    private readonly int _subscribers = arguments.Number("--subscribers", 16);
    private readonly int _seed = arguments.Number("--seed", Environment.TickCount);
    private readonly Report _report = new();

    public static Task<int> RunAsync(string[] args, TimeProvider time) =>
        new KillCommand(new Arguments(args), time).RunAsync();

    /// <summary>
    /// Every kill that counts has hit a commit; at least one came while it was being written, and one after that and
    /// before its answers. So many are made, and no more than twice as many tried. A control's go on until they hit.
    /// </summary>
    private async Task<int> RunAsync()
    {
        _report.Say(FormattableString.Invariant(
            $"Kills under {_writers} writers, before {_subscribers} subscribers that are cut and 1 that is not; ")
            + FormattableString.Invariant($"seed {_seed}"));
        await CheckAsync(
            "what a killed server acknowledged is there once, and told each subscriber once", Server, [], _kills * 2,
            run => run.Wrecks is { InWriting: > 0, BeforeAnswers: > 0 } wrecks && wrecks.Hits >= _kills,
            verdict => verdict.Holds);
        await CheckAsync(
            "the control that acknowledges 50 ms before it commits holds without a kill", AnswersEarly, [], 0,
            _ => true, verdict => verdict.Holds);
        await CheckAsync(
            "it is caught", AnswersEarly, [], ControlKillsMax,
            run => run.Wrecks.Hits >= ControlKills,
            verdict => verdict.Of(Verdict.Lost) + verdict.Of(Verdict.Differs) > 0);
        await CheckAsync(
            "the control that skips a notification when it resumes is caught", Server, [new SkipsOne()], 0,
            _ => true, verdict => verdict.Of(Verdict.NotTold) > 0);
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

    private async Task CheckAsync(
        string promise, string[] program, Interceptor[] reading, int killsMax, Func<KillRun, bool> enough,
        Func<Verdict, bool> passes)
    {
        long begun = time.GetTimestamp();
        string folder = Directory.CreateTempSubdirectory("squall-kill-").FullName;
        using var run = new KillRun(program, folder, _writers, new Random(_seed), time)
        {
            CutSubscribers = _subscribers,
            Reading = reading,
            StopsAfter = program == TellsEarly ? run => run.ToldAsync()
                : program == AnswersEarly ? run => run.AnsweredAsync()
                : null,
            AnswersBetween = program == Server && killsMax > 0 ? _changes / _kills : 0,
        };
        string said;
        bool passed = false;
        try
        {
            Verdict verdict = await run.RunAsync(_ => enough(run), killsMax);
            passed = passes(verdict) && enough(run) && run.Cuts.Least > 0;
            said = verdict.ToString();
        }
        catch (Exception failure)
        {
            // Whatever ends a run early is a finding, too; the others are still made.
            said = failure.ToString();
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
