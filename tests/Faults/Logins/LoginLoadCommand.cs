namespace Squall.Faults;

/// <summary>
/// Offers more logins than are hashed, beside callers who are logged in: says how long their calls take with and
/// without, in turn, and what became of everyone; then with each control, which is to be caught. Its times mean
/// something only on a machine that does nothing else, and are told, not judged.
/// </summary>
internal sealed class LoginLoadCommand(Arguments arguments, TimeProvider time)
{
    private const int Accounts = 8;
    private const int ControlAccounts = 2;
    private static readonly TimeSpan Settles = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Control = TimeSpan.FromSeconds(0.25);
    private static readonly string Here = AppContext.BaseDirectory;

    // So that no session ends since it is old, or one of too many, which have tests of their own.
    private static readonly string[] Limits = ["--access-lifetime", "1d", "--account-sessions-max", "1000"];
    private static readonly string[] Server = [Path.Combine(Here, "Squall.Server.dll"), .. Limits];
    private static readonly string[] Unbounded = [.. Server, "--hashes-waiting-max", "10000"];
    private static readonly string[] Harsh = [Path.Combine(Here, "Squall.Faults.dll"), "serve-harsh", .. Limits];
    private readonly int _pairs = arguments.Number("--pairs", 1);
    private readonly int _rate = arguments.Number("--rate", 200);
    private readonly TimeSpan _each = TimeSpan.FromSeconds(arguments.Number("--seconds", 3));
    private readonly Report _report = new();

    public static Task<int> RunAsync(string[] args, TimeProvider time) =>
        new LoginLoadCommand(new Arguments(args), time).RunAsync();

    private async Task<int> RunAsync()
    {
        _report.Say(FormattableString.Invariant(
            $"{_rate} logins a second offered beside {Accounts} callers (20 reads and 20 writes/s each); ")
            + FormattableString.Invariant($"{_pairs} pairs of {_each.TotalSeconds} s, without and with them"));
        await CheckAsync(Server, Accounts, MeasureAsync, (tally, outcome) =>
        {
            _report.Check(tally.ExcessIsRefused, $"the excess is refused, and told when to try again: {tally}");
            _report.Check(outcome.NobodyLoggedOut, $"nobody logged in is logged out: {Said(outcome)}");
            _report.Check(
                outcome.StreamsOpen,
                FormattableString.Invariant($"their streams are open, and told of all: {outcome.Streams} of ")
                + FormattableString.Invariant($"{outcome.Callers}"));
        });
        await CheckAsync(Harsh, ControlAccounts, run => run.OfferAsync(_rate, Control), (tally, outcome) =>
        {
            _report.Check(!tally.ExcessIsRefused, $"the control that does not tell when is caught: {tally}");
            _report.Check(
                outcome is { NobodyLoggedOut: false, StreamsOpen: false },
                $"as it ends a session, it is caught: {Said(outcome)}; {outcome.Streams} streams");
        });
        await CheckAsync(Unbounded, ControlAccounts, run => run.OfferAsync(_rate, Control), (tally, _) => _report.Check(
            !tally.ExcessIsRefused, $"the control that lets any number wait is caught: {tally}"));
        if (arguments.Has("--results"))
        {
            await Results.WriteAsync("Login load", _report.Lines, time);
        }

        return _report.End();
    }

    private async Task CheckAsync(
        string[] program, int accounts, Func<LoginLoadRun, Task> load, Action<LoginTally, LoginOutcome> check)
    {
        long begun = time.GetTimestamp();
        string folder = Directory.CreateTempSubdirectory("squall-logins-").FullName;
        try
        {
            await using ServerProcess server = await ServerProcess.StartAsync(program, folder);
            await using var run = new LoginLoadRun(server, accounts, time);
            await run.BeginAsync();
            await load(run);
            check(run.Tally, await run.EndAsync());
        }
        catch (Exception failure)
        {
            // Whatever ends a run early is a finding, too; the others are still made.
            _report.Check(false, failure.ToString());
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }

        _report.Say(FormattableString.Invariant($"     {time.GetElapsedTime(begun).TotalSeconds:0} s"));
    }

    private async Task MeasureAsync(LoginLoadRun run)
    {
        var without = new List<Durations>();
        var with = new List<Durations>();
        await run.MeasureAsync(Settles);
        for (int pair = 0; pair < _pairs; pair++)
        {
            without.Add(await run.MeasureAsync(_each));
            Task logins = run.OfferAsync(_rate, _each);
            with.Add(await run.MeasureAsync(_each));
            await logins;
            await run.MeasureAsync(Settles);
        }

        for (int pair = 0; pair < _pairs; pair++)
        {
            foreach (Timed what in Enum.GetValues<Timed>())
            {
                (double P50, double P99, int Count) alone = without[pair].Of(what), beside = with[pair].Of(what);
                _report.Say(
                    FormattableString.Invariant($"     pair {pair + 1}, {Name(what)}: p50 {alone.P50:0.0} ms without, ")
                    + FormattableString.Invariant($"{beside.P50:0.0} ms with; p99 {alone.P99:0.0} ms without, ")
                    + FormattableString.Invariant($"{beside.P99:0.0} ms with; of {alone.Count} and {beside.Count}"));
            }
        }
    }

    private static string Said(LoginOutcome outcome) =>
        FormattableString.Invariant($"{outcome.Sessions} of {outcome.Callers} sessions from before, ")
        + FormattableString.Invariant($"{outcome.BegunAlive} of {outcome.Begun} begun meanwhile; ")
        + FormattableString.Invariant($"{outcome.Failures.Length} calls of theirs failed")
        + string.Concat(outcome.Failures.Select(failure => $"; {failure.Status}"));

    private static string Name(Timed what) => what switch
    {
        Timed.Read => "GetTask",
        Timed.Write => "CreateTask",
        _ => "a notification of it",
    };
}
