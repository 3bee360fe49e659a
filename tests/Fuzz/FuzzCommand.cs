namespace Squall.Fuzz;

/// <summary>Runs the calls of a seed against the server as it is, then against each of its controls.</summary>
internal sealed class FuzzCommand(Arguments arguments, TimeProvider time)
{
    private const long CountDefault = 50_000;
    private const long ControlCount = 3_000;
    private const long HangControlCount = 600;
    private const int FewCalls = 40;

    // More than the server gives a request to arrive, and yet not long to wait for those that never are answered.
    private static readonly TimeSpan ControlHangMax = TimeSpan.FromSeconds(3);

    private static readonly (Finding What, string Promise)[] Promises =
    [
        (Finding.Crash, "the server lives"),
        (Finding.Hang, "each request is answered, or its connection closed, within 10 s"),
        (Finding.Fault, "no answer blames the server for its caller's fault"),
        (Finding.Log, "nothing is logged as an error, and no failure goes unseen"),
        (Finding.Shallow, "a third of the requests gets past framing, and a tenth into a handler"),
        (Finding.Memory, "memory is flat"),
        (Finding.LeftOpen, "nothing stays open"),
        (Finding.Healthy, "the healthy client's calls go on"),
    ];

    private static readonly (Plant Plant, Finding Caught)[] Controls =
    [
        (Plant.Throws, Finding.Fault), (Plant.Throws, Finding.Log), (Plant.Blames, Finding.Fault),
        (Plant.Leaks, Finding.Memory), (Plant.Hangs, Finding.Hang), (Plant.Crashes, Finding.Crash),
        (Plant.Forgets, Finding.Log),
    ];

    private readonly List<string> _said = [];
    private int _passed;
    private int _failed;

    public static Task<int> RunAsync(Arguments arguments, TimeProvider time) =>
        new FuzzCommand(arguments, time).RunAsync();

    public static int Show(Arguments arguments)
    {
        Console.WriteLine(new CallMaker(arguments.Number("--seed", 0)).Make(arguments.Number("--from", 0)).ToText());
        return 0;
    }

    private async Task<int> RunAsync()
    {
        long seed = arguments.Number("--seed", Environment.TickCount64);
        long from = arguments.Number("--from", 0);
        long count = arguments.Number("--count", CountDefault);
        Say($"{count:N0} requests from number {from}, seed {seed}");
        long begun = time.GetTimestamp();
        var run = new FuzzRun(seed, from, count, time) { IsTalkative = count <= FewCalls };
        await run.RunAsync();
        Tell(run, from, count > FewCalls);
        Say($"     {time.GetElapsedTime(begun).TotalSeconds:0} s");
        if (count > FewCalls)
        {
            foreach (IGrouping<Plant, (Plant, Finding Caught)> control in Controls.GroupBy(control => control.Plant))
            {
                await RunControlAsync(seed, control.Key, [.. control.Select(expected => expected.Caught)]);
            }
        }

        if (arguments.Has("--results"))
        {
            await Results.WriteAsync("Mutated requests", _said.Select(line => $"    {line}"), time);
        }

        Console.WriteLine($"{_passed} passed, {_failed} failed");
        return _failed == 0 ? 0 : 1;
    }

    private void Tell(FuzzRun run, long from, bool isMany)
    {
        foreach ((Finding what, string promise) in Promises.Where(promise => isMany || promise.What < Finding.Shallow))
        {
            IReadOnlyList<string> found = run.Of(what);
            Check(found.Count == 0, promise);
            foreach (string text in found)
            {
                Say($"       {text}");
            }
        }

        Say($"     Again: fuzz --seed {run.Seed} --from NUMBER --count 1; if it needs those that shared "
            + $"its connection, from the last multiple of {FuzzRun.CallsTogether} on (this run: from {from})");
        if (run.After is null)
        {
            return;
        }

        string outcomes = string.Join(
            ", ", run.Outcomes.OrderByDescending(of => of.Count).Select(of => $"{of.Outcome} {of.Count:N0}"));
        Say($"     {run.Sent:N0} sent; {run.PastFraming:P1} past framing, {run.Handled:P1} in a handler");
        Say($"     {outcomes}");
        Say(
            $"     managed heap {run.Before.HeapBytes:N0} bytes when warm, {run.Amid.HeapBytes:N0} amid, "
            + $"{run.After.HeapBytes:N0} after");
        Say($"     the healthy client: {run.Healthy}");
    }

    private async Task RunControlAsync(long seed, Plant plant, Finding[] caught)
    {
        long begun = time.GetTimestamp();
        var run = new FuzzRun(seed, 0, plant == Plant.Hangs ? HangControlCount : ControlCount, time)
        {
            Plant = plant,
            HangMax = ControlHangMax,
        };
        await run.RunAsync();
        Check(
            caught.All(what => run.Of(what).Count > 0),
            $"the control that {plant.ToString().ToLowerInvariant()} is caught "
                + $"({string.Join(", ", caught)}; {time.GetElapsedTime(begun).TotalSeconds:0} s)");
    }

    private void Check(bool holds, string promise)
    {
        _ = holds ? _passed++ : _failed++;
        Say($"{(holds ? "ok  " : "FAIL")} {promise}");
    }

    private void Say(string line)
    {
        _said.Add(line);
        Console.WriteLine(line);
    }
}
