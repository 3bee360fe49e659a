using System.Threading.Tasks.Sources;

namespace Squall.Server;

/// <summary>
/// What one loop sleeps on. A wake that comes while it is up is kept: whoever says what has changed before it wakes
/// the loop is never overlooked. While it sleeps it can be borrowed, by one at a time, who does its work in its place.
/// </summary>
internal abstract class Waiter : IValueTaskSource
{
    private const int Up = 0;
    private const int Asleep = 1;
    private const int Woken = 2;
    private const int Borrowed = 3;

    /// <summary>To be woken when it is given back.</summary>
    private const int Wanted = 4;

    private ManualResetValueTaskSourceCore<bool> _wait = new() { RunContinuationsAsynchronously = true };
    private int _state;

    /// <summary>
    /// Done at the next wake, or at once if there was one since the last sleep. One sleeps at a time.
    /// </summary>
    protected ValueTask SleepAsync()
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
        while (true)
        {
            int was = Volatile.Read(ref _state);
            int now = was is Borrowed or Wanted ? Wanted : Woken;
            if (Interlocked.CompareExchange(ref _state, now, was) == was)
            {
                if (was == Asleep)
                {
                    _wait.SetResult(true);
                }

                return;
            }
        }
    }

    /// <summary>False: it does not sleep, or somebody else has it.</summary>
    protected bool TryBorrow() => Interlocked.CompareExchange(ref _state, Borrowed, Asleep) == Asleep;

    /// <summary>Lets it sleep on, unless it is to be awake by now.</summary>
    protected void GiveBack(bool awake)
    {
        if (awake || Interlocked.CompareExchange(ref _state, Asleep, Borrowed) != Borrowed)
        {
            Interlocked.Exchange(ref _state, Woken);
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
