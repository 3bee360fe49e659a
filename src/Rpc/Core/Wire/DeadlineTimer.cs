namespace Squall.Rpc;

/// Fires once after a time of any length. Timers of .NET reach 49 days, so a longer time is waited for in parts.
public sealed class DeadlineTimer : IDisposable
{
    private static readonly TimeSpan PartMax = TimeSpan.FromMilliseconds(uint.MaxValue - 1);

    private readonly TimeProvider time;
    private readonly long start;
    private readonly TimeSpan due;
    private readonly Action expired;
    private readonly ITimer timer;

    public DeadlineTimer(TimeProvider time, TimeSpan due, Action expired)
    {
        this.time = time;
        this.due = due;
        this.expired = expired;
        start = time.GetTimestamp();
        timer = time.CreateTimer(
            state => ((DeadlineTimer)state!).OnPart(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        timer.Change(Part(due), Timeout.InfiniteTimeSpan);
    }

    public void Dispose() => timer.Dispose();

    private void OnPart()
    {
        TimeSpan left = due - time.GetElapsedTime(start);
        if (left <= TimeSpan.Zero)
        {
            expired();
            return;
        }

        timer.Change(Part(left), Timeout.InfiniteTimeSpan);
    }

    // Whole milliseconds, rounded up: a timer that is cut down would fire before its time, again and again.
    private static TimeSpan Part(TimeSpan left) =>
        left > PartMax ? PartMax : TimeSpan.FromMilliseconds(Math.Ceiling(Math.Max(left.TotalMilliseconds, 0)));
}
