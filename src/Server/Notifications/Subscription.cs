using Squall.V1;

namespace Squall.Server;

/// <summary>
/// One stream: a place in the journal and a view of it, no queue. It reads at its own pace and waits for the bell when
/// there is nothing more, so that whoever is slow delays nobody and misses nothing.
/// </summary>
internal sealed class Subscription : Listener, IDisposable
{
    private readonly Tail _tail;
    private readonly Bell _bell;
    private readonly CatchUp _catchUp;
    private readonly ChangeReader _changes;
    private readonly Delivery _delivery;
    private readonly OpenSubscription _open;
    private readonly TimeSpan _heartbeat;
    private readonly ITimer _timer;
    private readonly CancellationTokenRegistration _cancelled;
    private int _timerSet;

    // What was begun in the loop's place, for it to finish.
    private Task? _sending;

    public Subscription(
        Tail tail, Bell bell, CatchUp catchUp, ChangeReader changes, View view, Delivery delivery,
        OpenSubscription open, TimeSpan heartbeat, TimeProvider time)
        : base(view, open.Connection)
    {
        _tail = tail;
        _bell = bell;
        _catchUp = catchUp;
        _changes = changes;
        _delivery = delivery;
        _open = open;
        _heartbeat = heartbeat;
        _timer = time.CreateTimer(
            static subscription => ((Subscription)subscription!).TimerRang(),
            this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _cancelled = open.Cancelled.UnsafeRegister(static subscription => ((Subscription)subscription!).Wake(), this);
        open.Wakes(this);
        bell.Add(this);
    }

    /// <summary>
    /// (1) Sends the snapshot, if there is one, a page at a time: first what changed up to the page's place, so that
    /// what is sent is never older than what was; (2) or what was missed; (3) says that this is all. From there on the
    /// bell tells it what to look at.
    /// </summary>
    /// <param name="snapshot">Null: none is asked for.</param>
    /// <param name="resumes">False: it starts now, and has missed nothing.</param>
    public async Task CatchUpAsync(SnapshotScan? snapshot, bool resumes)
    {
        if (resumes)
        {
            await TellThroughAsync(_tail.End.Seq, null);
        }
        else if (snapshot is not null)
        {
            await SendSnapshotAsync(snapshot);
        }

        _open.ThrowIfOver();
        await _delivery.SyncedAsync(_changes.Place);
        _bell.Listen(this);
        _bell.Remove(this);
        await TellThroughAsync(_tail.End.Seq, null);
    }

    /// <summary>
    /// Then sends the changes that the bell tells it of, and passes over all others without a look at them, until the
    /// call, or its session or key, ends.
    /// </summary>
    public async Task TellLiveAsync()
    {
        while (true)
        {
            if (_sending is { } sending)
            {
                _sending = null;
                await sending;
            }

            _open.ThrowIfOver();

            // Asked first: what it is told from now on lies beyond it.
            Cursor covered = Covered;
            if (TryTake(out long seq))
            {
                if (seq > _changes.Place.Seq && !await TellAsync(await _changes.AtAsync(seq, _open.Cancelled)))
                {
                    await BeatAsync();
                }
            }
            else if (TakeBehind())
            {
                await TellThroughAsync(_tail.End.Seq, null);
            }
            else
            {
                _changes.SkipTo(covered);
                await BeatAsync();
                await RestAsync();
            }
        }
    }

    public void Dispose()
    {
        _bell.Remove(this);
        _bell.Leave(this);
        _cancelled.Dispose();
        _timer.Dispose();
    }

    private async Task SendSnapshotAsync(SnapshotScan snapshot)
    {
        using CancellationTokenSource over = Over();
        while (await snapshot.ReadAsync(over.Token) is { } page)
        {
            _open.ThrowIfOver();
            await TellThroughAsync(page.Seq, snapshot);
            foreach (TaskItem task in page.Tasks)
            {
                _open.ThrowIfOver();
                if (View.Sees(task.TaskListId))
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
            if (snapshot is null && seq - _changes.Place.Seq > CatchUp.FreeChanges)
            {
                await TellPieceAsync(seq);
            }
            else if (await _changes.NextAsync(_open.Cancelled) is { } change)
            {
                snapshot?.Follow(change.Row);
                if (await TellAsync(change))
                {
                    continue;
                }
            }
            else
            {
                await RestAsync();
            }

            await BeatAsync();
        }
    }

    /// <summary>Tells some of many changes, in turn with others; its reader is waited for after that.</summary>
    private async Task TellPieceAsync(long seq)
    {
        Task sending = Task.CompletedTask;
        using CancellationTokenSource over = Over();
        long began = await _catchUp.EnterAsync(over.Token);
        try
        {
            for (int told = 0; told < CatchUp.TurnChanges && sending.IsCompletedSuccessfully; told++)
            {
                _open.ThrowIfOver();
                if (_changes.Place.Seq >= seq || await _changes.NextAsync(over.Token) is not { } change)
                {
                    break;
                }

                Sight sight = View.Of(change);
                sending = sight == Sight.Nothing ? sending : _delivery.SendAsync(change, sight);
            }
        }
        finally
        {
            _catchUp.Leave(began);
        }

        await sending;
    }

    /// <summary>Most changes are sent at once, without waking anyone.</summary>
    protected override bool TryTellNow(Change change)
    {
        if (_open.AccessEnded)
        {
            return false;
        }

        try
        {
            Sight sight = change.Row.Seq > _changes.Place.Seq ? View.OfAllowed(change) : Sight.Nothing;
            if (sight == Sight.Nothing)
            {
                return true;
            }

            _changes.MoveTo(change);
            _sending = _delivery.SendAsync(change, sight);
        }
        catch (Exception exception)
        {
            _sending = Task.FromException(exception); // The loop ends by it.
        }

        return _sending.IsCompletedSuccessfully;
    }

    /// <summary>For what may take long: whoever has no access any more does not wait for it.</summary>
    private CancellationTokenSource Over() =>
        CancellationTokenSource.CreateLinkedTokenSource(_open.Cancelled, _open.Cut);

    /// <summary>False: there is nothing to tell of it.</summary>
    private async ValueTask<bool> TellAsync(Change change)
    {
        // Asked with the change at hand: who lost access before it knows of that by now.
        _open.ThrowIfOver();
        Sight sight = View.Of(change);
        if (sight == Sight.Nothing)
        {
            return false;
        }

        await _delivery.SendAsync(change, sight);
        return true;
    }

    private ValueTask RestAsync()
    {
        // The timer is not set back at each message: it rings, finds that it is too early, and is set anew.
        if (Interlocked.Exchange(ref _timerSet, 1) == 0)
        {
            TimeSpan rest = _heartbeat - _delivery.Silence;
            _timer.Change(rest > TimeSpan.Zero ? rest : TimeSpan.Zero, Timeout.InfiniteTimeSpan);
        }

        return SleepAsync();
    }

    private void TimerRang()
    {
        Interlocked.Exchange(ref _timerSet, 0);
        Wake();
    }

    /// <summary>Says that the stream is alive, if nothing else did for an interval.</summary>
    private Task BeatAsync() =>
        _delivery.Silence >= _heartbeat ? _delivery.HeartbeatAsync(_changes.Place) : Task.CompletedTask;
}
