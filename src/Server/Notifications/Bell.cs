using System.Threading.Tasks.Sources;

namespace Squall.Server;

/// <summary>
/// Says to all who listen that there is more. Ringing costs the writer one item of work, however many listen, and
/// waiting for it costs nothing on the heap.
/// </summary>
internal sealed class Bell : IThreadPoolWorkItem
{
    private readonly Lock _gate = new();
    private readonly HashSet<Waiter> _listeners = [];
    private int _rung;

    public void Add(Waiter waiter)
    {
        lock (_gate)
        {
            _listeners.Add(waiter);
        }
    }

    public void Remove(Waiter waiter)
    {
        lock (_gate)
        {
            _listeners.Remove(waiter);
        }
    }

    public void Ring()
    {
        if (Interlocked.Exchange(ref _rung, 1) == 0)
        {
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }
    }

    public void Execute()
    {
        // Before the walk: whoever rings during it asks for another one.
        Interlocked.Exchange(ref _rung, 0);
        lock (_gate)
        {
            foreach (Waiter waiter in _listeners)
            {
                waiter.Wake();
            }
        }
    }
}

/// <summary>
/// What one loop sleeps on. A wake that comes while it is up is kept: whoever says what has changed before it wakes
/// the loop is never overlooked.
/// </summary>
internal sealed class Waiter : IValueTaskSource
{
    private const int Up = 0;
    private const int Asleep = 1;
    private const int Woken = 2;
    private ManualResetValueTaskSourceCore<bool> _wait = new() { RunContinuationsAsynchronously = true };
    private int _state;

    /// <summary>
    /// Done at the next wake, or at once if there was one since the last sleep. One sleeps at a time.
    /// </summary>
    public ValueTask SleepAsync()
    {
        _wait.Reset();
        if (Interlocked.CompareExchange(ref _state, Asleep, Up) == Woken)
        {
            Interlocked.Exchange(ref _state, Up);
            return ValueTask.CompletedTask;
        }

        return new ValueTask(this, _wait.Version);
    }

    public void Wake()
    {
        if (Interlocked.Exchange(ref _state, Woken) == Asleep)
        {
            _wait.SetResult(true);
        }
    }

    void IValueTaskSource.GetResult(short token)
    {
        _wait.GetResult(token);
        Interlocked.Exchange(ref _state, Up);
    }

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _wait.GetStatus(token);

    void IValueTaskSource.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _wait.OnCompleted(continuation, state, token, flags);
}
