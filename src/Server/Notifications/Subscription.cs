using Squall.V1;

namespace Squall.Server;

/// <summary>
/// One stream: a place in the journal and a view of it, no queue. It reads at its own pace and waits for the bell when
/// there is nothing more, so that whoever is slow delays nobody and misses nothing.
/// </summary>
internal sealed class Subscription : IDisposable
{
    private readonly Tail _tail;
    private readonly Bell _bell;
    private readonly ChangeReader _changes;
    private readonly View _view;
    private readonly Delivery _delivery;
    private readonly OpenSubscription _open;
    private readonly TimeSpan _heartbeat;
    private readonly Waiter _waiter = new();
    private readonly Agenda _agenda;
    private readonly ITimer _timer;
    private readonly CancellationTokenRegistration _over;
    private int _timerSet;

    public Subscription(
        Tail tail, Bell bell, ChangeReader changes, View view, Delivery delivery, OpenSubscription open,
        TimeSpan heartbeat, TimeProvider time)
    {
        _tail = tail;
        _bell = bell;
        _changes = changes;
        _view = view;
        _delivery = delivery;
        _open = open;
        _heartbeat = heartbeat;
        _timer = time.CreateTimer(_ => TimerRang(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _over = open.Over.UnsafeRegister(static waiter => ((Waiter)waiter!).Wake(), _waiter);
        _agenda = new Agenda(view, _waiter);
        bell.Add(_waiter);
    }

    /// <summary>
    /// (1) Sends the snapshot, if there is one, a page at a time: first what changed up to the page's place, so that
    /// what is sent is never older than what was; (2) or what was missed; (3) says that this is all; (4) sends what
    /// changes from there, of which the bell tells it, until the call or its session ends.
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
        _bell.Add(_agenda);
        _bell.Remove(_waiter);
        await TellThroughAsync(_tail.End.Seq, null);
        await TellLiveAsync();
    }

    public void Dispose()
    {
        _bell.Remove(_waiter);
        _bell.Remove(_agenda);
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
                if (_view.Sees(task.TaskListId))
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
                if (await TellAsync(change))
                {
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

    /// <summary>
    /// Tells the changes that the bell puts on the agenda, and passes over all others without a look at them.
    /// </summary>
    private async Task TellLiveAsync()
    {
        while (true)
        {
            _open.ThrowIfOver();

            // Asked before the agenda: what is put there from now on lies beyond it.
            Cursor covered = _bell.Covered;
            if (_agenda.TryTake(out long seq))
            {
                if (seq > _changes.Place.Seq && !await TellAsync(await _changes.AtAsync(seq, _open.Over)))
                {
                    await BeatAsync();
                }
            }
            else if (_agenda.TakeBehind())
            {
                await TellThroughAsync(_tail.End.Seq, null);
            }
            else
            {
                _changes.SkipTo(covered);
                await BeatAsync();
                await SleepAsync();
            }
        }
    }

    /// <summary>False: there is nothing to tell of it.</summary>
    private async ValueTask<bool> TellAsync(Change change)
    {
        Sight sight = _view.Of(change);
        if (sight == Sight.Nothing)
        {
            return false;
        }

        await _delivery.SendAsync(change, sight);
        return true;
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
