using System.Globalization;

namespace Squall.Faults;

/// <summary>
/// Runs the kills against the real server, then against its careless control, without and with kills, and says what
/// held.
/// </summary>
internal sealed class KillCommand(int kills, int writers, int seed, TimeProvider time)
{
    private const int ControlKills = 3;
    private static readonly string Here = AppContext.BaseDirectory;
    private static readonly string[] Server = [Path.Combine(Here, "Squall.Server.dll")];
    private static readonly string[] Careless = [Path.Combine(Here, "Squall.Faults.dll"), "serve"];
    private int _passed;
    private int _failed;

    public static Task<int> RunAsync(string[] args, TimeProvider time)
    {
        int seed = Option("--seed", Environment.TickCount);
        return new KillCommand(Option("--kills", 20), Option("--writers", 64), seed, time).RunAsync();

        int Option(string name, int otherwise)
        {
            int at = Array.IndexOf(args, name);
            return at < 0 ? otherwise : int.Parse(args[at + 1], CultureInfo.InvariantCulture);
        }
    }

    /// <summary>
    /// Every kill that counts has hit a commit; at least one came while it was being written, and one after that and
    /// before its answers. So many are made, and no more than twice as many tried.
    /// </summary>
    private async Task<int> RunAsync()
    {
        Console.WriteLine($"Kills under {writers} writers, seed {seed}");
        await CheckAsync(
            "what a killed server acknowledged is there once, and told once", Server, kills * 2,
            wrecks => wrecks.Hits >= kills && wrecks.InWriting > 0 && wrecks.BeforeAnswers > 0,
            verdict => verdict.Holds);
        await CheckAsync(
            "the control that acknowledges 50 ms before it commits holds without a kill", Careless, 0,
            _ => true, verdict => verdict.Holds);
        await CheckAsync(
            "the control is caught", Careless, ControlKills * 2, wrecks => wrecks.Hits >= ControlKills,
            verdict => verdict.Of(Verdict.Lost) + verdict.Of(Verdict.Differs) > 0);
        Console.WriteLine($"{_passed} passed, {_failed} failed");
        return _failed == 0 ? 0 : 1;
    }

    private async Task CheckAsync(
        string promise, string[] program, int killsMax, Func<Wrecks, bool> enough, Func<Verdict, bool> passes)
    {
        long begun = time.GetTimestamp();
        string folder = Directory.CreateTempSubdirectory("squall-kill-").FullName;
        var run = new KillRun(program, folder, writers, new Random(seed), time);
        string said;
        bool passed = false;
        try
        {
            Verdict verdict = await run.RunAsync(enough, killsMax);
            passed = passes(verdict) && enough(run.Wrecks);
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

        _ = passed ? _passed++ : _failed++;
        Console.WriteLine($"{(passed ? "ok  " : "FAIL")} {promise}: {said}");
        Console.WriteLine($"     {run.Wrecks}; {time.GetElapsedTime(begun).TotalSeconds:0} s");
    }
}
