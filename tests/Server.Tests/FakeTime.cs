namespace Squall.Server.Tests;

/// <summary>A clock that a test moves: timers ring within <see cref="Advance"/>, in order.</summary>
internal sealed class FakeTime : TimeProvider
{
    private readonly Lock _gate = new();
    private readonly List<Timer> _timers = [];
    private TaskCompletionSource _set = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private DateTimeOffset _now = new(2026, 11, 22, 12, 0, 0, TimeSpan.Zero);

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override DateTimeOffset GetUtcNow()
    {
        lock (_gate)
        {
            return _now;
        }
    }

    public override long GetTimestamp() => GetUtcNow().Ticks;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new Timer(this, () => callback(state));
        timer.Change(dueTime, period);
        return timer;
    }

    /// <summary>
    /// Waits until so many timers are set that are due after <paramref name="wait"/>, or at any time if that is null:
    /// whoever is to be rung sleeps by then.
    /// </summary>
    public async Task TimerSetAsync(TimeSpan? wait = null, int timers = 1)
    {
        while (true)
        {
            Task set;
            lock (_gate)
            {
                if (_timers.Count(timer => timer.Due is { } due && (wait is null || due == _now + wait)) >= timers)
                {
                    return;
                }

                set = _set.Task;
            }

            await set.WaitAsync(TimeSpan.FromSeconds(30));
        }
    }

    public void Advance(TimeSpan by)
    {
        DateTimeOffset until = GetUtcNow() + by;
        while (TakeDue(until) is { } timer)
        {
            timer.Ring();
        }
    }

    private Timer? TakeDue(DateTimeOffset until)
    {
        lock (_gate)
        {
            Timer? next = _timers.Where(timer => timer.Due <= until).MinBy(timer => timer.Due);
            _now = next is null ? until : next.Due > _now ? next.Due.Value : _now;
            next?.Taken();
            return next;
        }
    }

    private sealed class Timer(FakeTime time, Action ring) : ITimer
    {
        private TimeSpan _period;

        public DateTimeOffset? Due { get; private set; }

        public void Ring() => ring();

        public void Taken() => Due = _period > TimeSpan.Zero ? Due + _period : null;

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            lock (time._gate)
            {
                time._timers.Remove(this);
                _period = period;
                Due = dueTime < TimeSpan.Zero ? null : time._now + dueTime;
                time._timers.Add(this);
                time._set.TrySetResult();
                time._set = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                return true;
            }
        }

        public void Dispose()
        {
            lock (time._gate)
            {
                time._timers.Remove(this);
            }
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
