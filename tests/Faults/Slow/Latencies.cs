using System.Globalization;

namespace Squall.Faults;

/// <summary>How long a load's calls took, and its notifications, of one time that was measured.</summary>
internal sealed class Latencies
{
    private readonly Lock _gate = new();
    private readonly List<double> _calls = [];
    private readonly List<double> _tellings = [];

    public void AddCall(TimeSpan took) => Add(_calls, took);

    public void AddTelling(TimeSpan took) => Add(_tellings, took);

    /// <summary>Each of these, in ms: of calls p50 and p99, of notifications p50 and p99.</summary>
    public double[] Quantiles()
    {
        lock (_gate)
        {
            return [Quantile(_calls, 0.5), Quantile(_calls, 0.99), Quantile(_tellings, 0.5), Quantile(_tellings, 0.99)];
        }
    }

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture, $"{_calls.Count} calls, {_tellings.Count} notifications");

    public static double Quantile(List<double> values, double share)
    {
        double[] sorted = [.. values.Order()];
        return sorted[(int)Math.Min(sorted.Length - 1, sorted.Length * share)];
    }

    private void Add(List<double> to, TimeSpan took)
    {
        lock (_gate)
        {
            to.Add(took.TotalMilliseconds);
        }
    }
}
