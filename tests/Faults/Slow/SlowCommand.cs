using System.Globalization;

namespace Squall.Faults;

/// <summary>
/// Measures the same load with and without subscribers that do not read, in turn, and compares: p50 within 1.5, p99
/// within 2, as medians of the pairs' ratios. Its figures mean something only on a machine that does nothing else.
/// </summary>
internal sealed class SlowCommand(Arguments arguments, TimeProvider time)
{
    private static readonly TimeSpan Settles = TimeSpan.FromSeconds(2);
    private static readonly string[] Quantities =
        ["writers' p50", "writers' p99", "other subscribers' p50", "other subscribers' p99"];

    private static readonly double[] Most = [1.5, 2, 1.5, 2];

    // So that all of them stall for as long as they are measured.
    private static readonly string[] Server =
    [
        Path.Combine(AppContext.BaseDirectory, "Squall.Server.dll"), "--access-lifetime", "1d",
        "--account-subscriptions-max", "10000", "--stalled-write-max", "5m",
    ];

    private readonly int _pairs = arguments.Number("--pairs", 9);
    private readonly int _stalled = arguments.Number("--stalled", 1_000);
    private readonly TimeSpan _each = TimeSpan.FromSeconds(arguments.Number("--seconds", 10));
    private readonly Report _report = new();

    public static Task<int> RunAsync(string[] args, TimeProvider time) =>
        new SlowCommand(new Arguments(args), time).RunAsync();

    private async Task<int> RunAsync()
    {
        string folder = Directory.CreateTempSubdirectory("squall-slow-").FullName;
        try
        {
            await using ServerProcess server = await ServerProcess.StartAsync(Server, folder);
            await using var run = new SlowRun(server, time);
            await MeasureAsync(run, server);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }

        if (arguments.Has("--results"))
        {
            await Results.WriteAsync("Slow readers", _report.Lines, time);
        }

        return _report.End();
    }

    private async Task MeasureAsync(SlowRun run, ServerProcess server)
    {
        var without = new List<double[]>();
        var with = new List<double[]>();
        var resident = new List<double>();
        await run.BeginAsync();
        await run.MeasureAsync(Settles);
        for (int pair = 0; pair < _pairs; pair++)
        {
            Latencies alone = await run.MeasureAsync(_each);
            await run.StallAsync(_stalled);
            await run.MeasureAsync(Settles);
            Latencies beside = await run.MeasureAsync(_each);
            resident.Add(server.ResidentBytes / (double)(1 << 20));
            run.EndStalls();
            await run.MeasureAsync(Settles);
            without.Add(alone.Quantiles());
            with.Add(beside.Quantiles());
            Console.WriteLine($"     pair {pair + 1}: {alone}; {beside}");
        }

        _report.Say(string.Create(
            CultureInfo.InvariantCulture,
            $"{_stalled} subscribers that do not read, beside 8 writers (20 changes/s each) and 8 that do; {_pairs} "
            + $"pairs of {_each.TotalSeconds} s"));
        for (int at = 0; at < Quantities.Length; at++)
        {
            List<double> ratios = [.. without.Zip(with, (alone, beside) => beside[at] / alone[at])];
            double median = Latencies.Quantile(ratios, 0.5);
            _report.Check(
                median <= Most[at],
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{Quantities[at]}: {median:0.00} times (at most {Most[at]}; {ratios.Min():0.00} to "
                    + $"{ratios.Max():0.00}), of {Latencies.Quantile([.. without.Select(of => of[at])], 0.5):0.0} ms"));
        }

        _report.Say(string.Create(
            CultureInfo.InvariantCulture,
            $"     the server's resident memory with them: {resident.Min():0} to {resident.Max():0} MiB"));
    }
}
