namespace Squall.Rpc;

/// How long to wait before the next attempt: a random part of a bound that grows with each failure, so that many who
/// failed at once do not come back at once.
public sealed class Backoff(
    TimeSpan first, TimeSpan max, double factor = 2, TimeProvider? time = null, Random? random = null)
{
    private readonly Random random = random ?? Random.Shared;
    private readonly TimeProvider time = time ?? TimeProvider.System;
    private double boundTicks = Math.Min(first.Ticks, max.Ticks);

    /// Between nothing and the bound, which then grows.
    public TimeSpan Next()
    {
        TimeSpan delay = TimeSpan.FromTicks((long)(random.NextDouble() * boundTicks));
        boundTicks = Math.Min(boundTicks * factor, max.Ticks);
        return delay;
    }

    /// Waits for as long as Next says, but at least `least`.
    public Task WaitAsync(TimeSpan least = default, CancellationToken cancellationToken = default)
    {
        TimeSpan delay = Next();
        return Task.Delay(delay > least ? delay : least, time, cancellationToken);
    }

    /// Begins anew, after a success.
    public void Reset() => boundTicks = Math.Min(first.Ticks, max.Ticks);
}
