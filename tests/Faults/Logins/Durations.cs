namespace Squall.Faults;

/// <summary>What is timed beside logins.</summary>
internal enum Timed
{
    Read,
    Write,
    Telling,
}

/// <summary>How long each of a kind took, of one time that was measured.</summary>
internal sealed class Durations
{
    private readonly Lock _gate = new();
    private readonly List<double>[] _millis = [.. Enum.GetValues<Timed>().Select(_ => new List<double>())];

    public void Add(Timed what, TimeSpan took)
    {
        lock (_gate)
        {
            _millis[(int)what].Add(took.TotalMilliseconds);
        }
    }

    /// <summary>In ms, and of how many.</summary>
    public (double P50, double P99, int Count) Of(Timed what)
    {
        lock (_gate)
        {
            List<double> millis = _millis[(int)what];
            return (Latencies.Quantile(millis, 0.5), Latencies.Quantile(millis, 0.99), millis.Count);
        }
    }
}
