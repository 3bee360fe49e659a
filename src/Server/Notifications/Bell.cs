using System.Runtime.CompilerServices;
using System.Threading.Tasks.Sources;

namespace Squall.Server;

/// <summary>
/// Says to those who may have to be told of a change that there is one: to them alone, found by the list and its
/// members, so that a change costs nothing for whoever does not see it. Ringing costs the writer one item of work,
/// however many listen, and waiting for it costs nothing on the heap.
/// </summary>
internal sealed class Bell(Tail tail, Memberships memberships) : IThreadPoolWorkItem
{
    private readonly Lock _gate = new();
    private readonly HashSet<Waiter> _waiters = [];
    private readonly Dictionary<string, List<Agenda>> _agendasOf = new(StringComparer.Ordinal);
    private int _rung;

    // Boxed, so that the many who are woken at once read it without the gate.
    private volatile StrongBox<Cursor> _covered = new();

    /// <summary>All changes up to here are in the agendas of those who may have to be told of them.</summary>
    public Cursor Covered => _covered.Value;

    /// <summary>Wakes it at each ring.</summary>
    public void Add(Waiter waiter)
    {
        lock (_gate)
        {
            _waiters.Add(waiter);
        }
    }

    public void Remove(Waiter waiter)
    {
        lock (_gate)
        {
            _waiters.Remove(waiter);
        }
    }

    /// <summary>Fills it with the changes that come; those up to the tail's end as it is then are looked at.</summary>
    public void Add(Agenda agenda)
    {
        lock (_gate)
        {
            if (_agendasOf.Count == 0)
            {
                _covered = new(tail.End); // There was nobody to be told of it.
            }

            if (!_agendasOf.TryGetValue(agenda.View.AccountId, out List<Agenda>? agendas))
            {
                _agendasOf[agenda.View.AccountId] = agendas = [];
            }

            agendas.Add(agenda);
        }
    }

    public void Remove(Agenda agenda)
    {
        lock (_gate)
        {
            if (_agendasOf.TryGetValue(agenda.View.AccountId, out List<Agenda>? agendas)
                && agendas.Remove(agenda) && agendas.Count == 0)
            {
                _agendasOf.Remove(agenda.View.AccountId);
            }
        }
    }

    /// <summary>Says that the tail has them: the last handler of <see cref="Journal.Committed"/>.</summary>
    public void Ring(IReadOnlyList<ChangeRow> committed)
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
            foreach (Waiter waiter in _waiters)
            {
                waiter.Wake();
            }

            Cursor end = tail.End;
            for (long seq = Covered.Seq + 1; seq <= end.Seq && _agendasOf.Count > 0; seq++)
            {
                if (tail.At(seq) is not { } change)
                {
                    // It left memory before anyone was told of it.
                    FallBehind();
                    break;
                }

                Tell(change.Row);
            }

            _covered = new(end);
        }
    }

    private void FallBehind()
    {
        foreach (Agenda agenda in _agendasOf.Values.SelectMany(agendas => agendas))
        {
            agenda.FallBehind();
        }
    }

    /// <summary>Goes through those who see the list, or those who listen, whichever are fewer.</summary>
    private void Tell(ChangeRow row)
    {
        IReadOnlySet<string> audience = memberships.AudienceOf(row);
        if (audience.Count <= _agendasOf.Count)
        {
            foreach (string account in audience)
            {
                Tell(row, account);
            }
        }
        else
        {
            foreach (string account in _agendasOf.Keys.Where(audience.Contains))
            {
                Tell(row, account);
            }
        }

        if (row.AccountId.Length > 0 && !audience.Contains(row.AccountId))
        {
            Tell(row, row.AccountId);
        }
    }

    private void Tell(ChangeRow row, string account)
    {
        if (!_agendasOf.TryGetValue(account, out List<Agenda>? agendas))
        {
            return;
        }

        foreach (Agenda agenda in agendas)
        {
            // What is told of a list itself is told whatever the filter.
            if (row.TaskId.Length == 0 || agenda.View.Reaches(row.ListId))
            {
                agenda.Add(row.Seq);
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
