namespace Squall.Fuzz;

/// <summary>Pours each flood on a server as it is, and on one whose bound is off, which has to be seen.</summary>
internal sealed class FloodCommand(Arguments arguments, TimeProvider time)
{
    private const int Whole = 10_000;
    private const int Slice = 1_000;
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(2);
    private readonly List<FloodResult> _results = [];
    private int _passed;
    private int _failed;

    public static Task<int> RunAsync(Arguments arguments, TimeProvider time) =>
        new FloodCommand(arguments, time).RunAsync();

    private async Task<int> RunAsync()
    {
        bool isWhole = arguments.Has("--full");
        int count = isWhole ? Whole : Slice;
        TimeSpan cutAfter = isWhole ? TimeSpan.FromSeconds(10) : Soon;
        await HoldsAsync(BombFlood.Of(members: 16, atOnce: isWhole ? 8 : 2, each: isWhole ? 5 : 1));
        await HoldsAsync(StreamFloods.Resets(count));
        await HoldsAsync(StreamFloods.Continuations(isWhole ? 100 : 10, cutAfter));
        await HoldsAsync(StreamFloods.Uploads(count, cutAfter));
        await HoldsAsync(StreamFloods.Readers(count, cutAfter));
        await BreakAsync();
        if (arguments.Has("--results"))
        {
            await Results.WriteAsync("Floods", Rows(), time);
        }

        Console.WriteLine($"{_passed} passed, {_failed} failed");
        return _failed == 0 ? 0 : 1;
    }

    /// <summary>The controls.</summary>
    private async Task BreakAsync()
    {
        await BreaksAsync(
            "inflates without a limit", "A bomb was not refused",
            BombFlood.Of(members: 4, atOnce: 1, each: 1, limit: 0));
        await BreaksAsync(
            "goes on after a reset", "were reset are still there", StreamFloods.Resets(Slice, Plant.Holds));
        await BreaksAsync(
            "takes any headers", "A block of headers went on for",
            StreamFloods.Continuations(2, Soon, isBounded: false));
        await BreaksAsync(
            "waits for ever for a message", "did not go on are still there",
            StreamFloods.Uploads(Slice, Soon, isBounded: false));
        await BreaksAsync(
            "waits for ever for a reader", "did not read are still there",
            StreamFloods.Readers(Slice, Soon, isBounded: false));
    }

    private async Task HoldsAsync(Flood flood)
    {
        FloodResult result = await FloodResult.OfAsync(flood, time);
        _results.Add(result);
        Check(result.Faults.Count == 0, $"{flood.Name} ({result.How})");
        Console.WriteLine($"     memory grew by {result.Grown}: {flood.Bound}, and {FloodResult.Process}");
        Console.WriteLine($"     another client: {result.Healthy}");
        foreach (string fault in result.Faults)
        {
            Console.WriteLine($"       {fault}");
        }
    }

    private async Task BreaksAsync(string how, string expected, Flood flood)
    {
        FloodResult result = await FloodResult.OfAsync(flood, time);
        string? caught = result.Faults.FirstOrDefault(
            fault => fault.Contains(expected, StringComparison.Ordinal));
        Check(caught is not null, $"the control that {how} is caught: "
            + (caught ?? string.Join("; ", result.Faults)).Split('\n')[0]);
    }

    private IEnumerable<string> Rows() =>
    [
        "| flood | memory grew by | the sum of the bounds | another client |", "|---|---|---|---|",
        .. _results.Select(result => $"| {result.Flood.Name}, {result.How} | {result.Grown} | {result.Flood.Bound} | "
            + $"{result.Healthy} |"),
        "",
        "Memory is the resident set of the server's process at its peak, less what it was before the flood. What it",
        $"may grow by is the sum of the bounds, and {FloodResult.Process}. The runtime holds the managed",
        "heap to the bounds and 64 MiB, and fills it with garbage up to there before it collects any."
    ];

    private void Check(bool holds, string promise)
    {
        _ = holds ? _passed++ : _failed++;
        Console.WriteLine($"{(holds ? "ok  " : "FAIL")} {promise}");
    }
}
