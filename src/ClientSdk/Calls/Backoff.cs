namespace Squall.Client;

/// <summary>
/// How long to wait before the next attempt: a random part of a bound that doubles with each failure, so that many who
/// failed at once do not come back at once.
/// </summary>
internal sealed class Backoff(TimeSpan first, TimeSpan max)
{
    private long boundTicks = Math.Min(first.Ticks, max.Ticks);

    /// <summary>Between nothing and the bound, which then grows.</summary>
    public TimeSpan Next()
    {
        var delay = TimeSpan.FromTicks((long)(Random.Shared.NextDouble() * boundTicks));
        boundTicks = Math.Min(boundTicks * 2, max.Ticks);
        return delay;
    }

    /// <summary>Begins anew, after a success.</summary>
    public void Reset() => boundTicks = Math.Min(first.Ticks, max.Ticks);
}
