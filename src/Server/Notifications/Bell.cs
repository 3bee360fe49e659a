using System.Runtime.CompilerServices;

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
    private Calls _calls = new();
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
        Calls last;
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
            last = _calls;
            _calls = new();
        }

        last.Execute();
    }

    private void FallBehind()
    {
        foreach (Agenda agenda in _agendasOf.Values.SelectMany(agendas => agendas))
        {
            if (agenda.FallBehind())
            {
                Call(agenda);
            }
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
            if ((row.TaskId.Length == 0 || agenda.View.Reaches(row.ListId)) && agenda.Add(row.Seq))
            {
                Call(agenda);
            }
        }
    }

    /// <summary>Where many are to be called, they are called by several threads.</summary>
    private void Call(Agenda agenda)
    {
        _calls.Add(agenda);
        if (_calls.IsFull)
        {
            ThreadPool.UnsafeQueueUserWorkItem(_calls, preferLocal: false);
            _calls = new();
        }
    }

    /// <summary>Some who are called one after the other.</summary>
    private sealed class Calls : IThreadPoolWorkItem
    {
        private const int AgendasMax = 128;
        private readonly List<Agenda> _agendas = [];

        public bool IsFull => _agendas.Count == AgendasMax;

        public void Add(Agenda agenda) => _agendas.Add(agenda);

        public void Execute()
        {
            foreach (Agenda agenda in _agendas)
            {
                agenda.Call();
            }
        }
    }
}
