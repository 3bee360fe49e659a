using System.Globalization;

namespace Squall.Bench;

/// <summary>What was measured once: calls, by the clock and by the CPU of the process that served them.</summary>
internal sealed record Measurement(long Calls, TimeSpan Time, TimeSpan Cpu)
{
    public double PerSecond => Calls / Time.TotalSeconds;
    public double PerCpuSecond => Calls / Cpu.TotalSeconds;
}

/// <summary>Something to measure, for so long.</summary>
internal delegate Task<Measurement> Measure(TimeSpan duration);

/// <summary>Ours beside a floor, measured in turn, so that both see the same machine.</summary>
internal sealed record Comparison(string What, string Floor, Measurement[] Ours, Measurement[] Floors)
{
    public const string Heading = """
        | ours | floor | calls/s: ours | floor | ratio | spread | calls/CPU s: ours | floor | ratio | spread |
        |---|---|---:|---:|---:|---|---:|---:|---:|---|
        """;

    public string ToRow() => $"| {What} | {Floor} | {Cells(of => of.PerSecond)} | {Cells(of => of.PerCpuSecond)} |";

    /// <summary>Medians, and of the ratio, which is taken round by round, also its spread.</summary>
    private string Cells(Func<Measurement, double> rate)
    {
        double[] ratios = [.. Ours.Zip(Floors, (ours, floor) => rate(ours) / rate(floor))];
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{Median(Ours.Select(rate)):N0} | {Median(Floors.Select(rate)):N0} | **{Median(ratios):0.000}** "
            + $"| {ratios.Min():0.000} to {ratios.Max():0.000}");
    }

    private static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        int middle = sorted.Length / 2;
        return sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }
}

/// <summary>Measures in turn: ours, its floors, ours, its floors, …</summary>
/// <param name="count">Rounds.</param>
/// <param name="uncounted">Rounds before them, while the servers get warm.</param>
/// <param name="duration">Of each measurement.</param>
/// <param name="only">What is measured begins with this; null: all.</param>
/// <param name="smoke">Only sees whether it runs.</param>
internal sealed class Rounds(int count, int uncounted, TimeSpan duration, string? only, bool smoke)
{
    private readonly List<Comparison> _comparisons = [];
    private readonly List<string> _notes = [];

    public int Count => count;
    public TimeSpan Duration => duration;
    public bool IsAll => only is null;
    public bool IsSmoke => smoke;
    public IReadOnlyList<Comparison> Comparisons => _comparisons;

    /// <summary>What is no rate.</summary>
    public IReadOnlyList<string> Notes => _notes;

    /// <summary>Whether this is to be measured.</summary>
    public bool Wants(string what) => only is null || what.StartsWith(only, StringComparison.Ordinal);

    /// <summary>What was measured in another way.</summary>
    public void Note(string measured)
    {
        _notes.Add($"{measured}.");
        Console.WriteLine(_notes[^1]);
    }

    /// <summary>Measures something that does not depend on the machine's speed: once.</summary>
    public async Task NoteAsync(string what, Func<Task<double>> measure)
    {
        if (only is null)
        {
            double measured = await measure();
            Note(string.Create(CultureInfo.InvariantCulture, $"{what}: **{measured:N0}**"));
        }
    }

    public async Task RunAsync(string what, Measure ours, params (string Name, Measure Measure)[] floors)
    {
        if (!Wants(what))
        {
            return;
        }

        var own = new List<Measurement>();
        List<Measurement>[] others = [.. floors.Select(_ => new List<Measurement>())];
        for (int round = 0; round < uncounted + count; round++)
        {
            own.Add(await ours(duration));
            for (int at = 0; at < floors.Length; at++)
            {
                others[at].Add(await floors[at].Measure(duration));
            }
        }

        foreach (((string name, _), List<Measurement> measured) in floors.Zip(others))
        {
            _comparisons.Add(new Comparison(what, name, [.. own.Skip(uncounted)], [.. measured.Skip(uncounted)]));
            Console.WriteLine(_comparisons[^1].ToRow());
        }
    }
}
