using Squall.V1;

namespace Squall.Server;

/// <summary>
/// One stream: a place in the journal and a view of it, no queue. It reads at its own pace and waits for the bell when
/// there is nothing more, so that whoever is slow delays nobody and misses nothing.
/// </summary>
internal sealed class Subscription : IDisposable
{
    private readonly Tail _tail;
    private readonly ChangeReader _changes;
    private readonly View _view;
    private readonly Delivery _delivery;
    private readonly OpenSubscription _open;
    private readonly TimeSpan _heartbeat;
    private readonly Waiter _waiter = new();
    private readonly ITimer _timer;
    private readonly CancellationTokenRegistration _over;
    private int _timerSet;

    public Subscription(
        Tail tail, ChangeReader changes, View view, Delivery delivery, OpenSubscription open, TimeSpan heartbeat,
        TimeProvider time)
    {
        _tail = tail;
        _changes = changes;
        _view = view;
        _delivery = delivery;
        _open = open;
        _heartbeat = heartbeat;
        _timer = time.CreateTimer(_ => TimerRang(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _over = open.Over.UnsafeRegister(static waiter => ((Waiter)waiter!).Wake(), _waiter);
        tail.Bell.Add(_waiter);
    }

    /// <summary>
    /// (1) Sends the snapshot, if there is one, a page at a time: first what changed up to the page's place, so that
    /// what is sent is never older than what was; (2) or what was missed; (3) says that this is all; (4) sends what
    /// changes from there, until the call or its session ends.
    /// </summary>
    /// <param name="snapshot">Null: none is asked for.</param>
    /// <param name="resumes">False: it starts now, and has missed nothing.</param>
    public async Task RunAsync(SnapshotScan? snapshot, bool resumes)
    {
        if (resumes)
        {
            await TellThroughAsync(_tail.End.Seq, null);
        }
        else if (snapshot is not null)
        {
            await SendSnapshotAsync(snapshot);
        }

        await _delivery.SyncedAsync(_changes.Place);
        await TellThroughAsync(long.MaxValue, null);
    }

    public void Dispose()
    {
        _tail.Bell.Remove(_waiter);
        _over.Dispose();
        _timer.Dispose();
    }

    private async Task SendSnapshotAsync(SnapshotScan snapshot)
    {
        while (await snapshot.ReadAsync(_open.Over) is { } page)
        {
            await TellThroughAsync(page.Seq, snapshot);
            foreach (TaskItem task in page.Tasks)
            {
                _open.ThrowIfOver();
                if (_view.IsMember(task.TaskListId))
                {
                    await _delivery.SendAsync(task);
                }
            }

            await BeatAsync();
        }
    }

    /// <summary>
    /// Tells all changes up to and with <paramref name="seq"/>, waiting for those that are still to come.
    /// </summary>
    private async Task TellThroughAsync(long seq, SnapshotScan? snapshot)
    {
        while (_changes.Place.Seq < seq)
        {
            _open.ThrowIfOver();
            if (await _changes.NextAsync(_open.Over) is { } change)
            {
                snapshot?.Follow(change.Row);
                Sight sight = _view.Of(change);
                if (sight != Sight.Nothing)
                {
                    await _delivery.SendAsync(change, sight);
                    continue;
                }
            }
            else
            {
                await SleepAsync();
            }

            await BeatAsync();
        }
    }

    private ValueTask SleepAsync()
    {
        // The timer is not set back at each message: it rings, finds that it is too early, and is set anew.
        if (Interlocked.Exchange(ref _timerSet, 1) == 0)
        {
            TimeSpan rest = _heartbeat - _delivery.Silence;
            _timer.Change(rest > TimeSpan.Zero ? rest : TimeSpan.Zero, Timeout.InfiniteTimeSpan);
        }

        return _waiter.SleepAsync();
    }

    private void TimerRang()
    {
        Interlocked.Exchange(ref _timerSet, 0);
        _waiter.Wake();
    }

    /// <summary>Says that the stream is alive, if nothing else did for an interval.</summary>
    private Task BeatAsync() =>
        _delivery.Silence >= _heartbeat ? _delivery.HeartbeatAsync(_changes.Place) : Task.CompletedTask;
}
