namespace Squall.Client;

/// <summary>
/// How many retries a client may make, over all its calls: one for ten calls and ten a second, saved up to a thousand.
/// A short break is outlasted by all calls; a long one does not multiply the load on a server that struggles.
/// </summary>
internal sealed class RetryBudget(TimeProvider time)
{
    private const double RetriesMax = 1_000;
    private const double PerSecond = 10;
    private const double PerCall = 0.1;

    private readonly Lock gate = new();
    private double retries = RetriesMax;
    private long counted = time.GetTimestamp();

    /// <summary>A call begins.</summary>
    public void Earn()
    {
        lock (gate)
        {
            retries = Math.Min(RetriesMax, retries + PerCall);
        }
    }

    /// <summary>Takes one retry; false: there is none left.</summary>
    public bool Spend()
    {
        lock (gate)
        {
            var now = time.GetTimestamp();
            retries = Math.Min(RetriesMax, retries + (time.GetElapsedTime(counted, now).TotalSeconds * PerSecond));
            counted = now;
            if (retries < 1)
            {
                return false;
            }

            retries--;
            return true;
        }
    }
}
