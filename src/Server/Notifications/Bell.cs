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
    private readonly Dictionary<string, List<Group>> _groupsOf = new(StringComparer.Ordinal);

    // One that has room for more.
    private Shard? _roomy;

    // One that is to be executed, and the last so far.
    private Shard? _last;
    private int _rung;

    // Boxed, so that it is read without the gate.
    private volatile StrongBox<Cursor> _covered = new();

    /// <summary>All changes up to here are with the shards of those who may have to be told of them.</summary>
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

    /// <summary>
    /// Tells it of the changes that come, beyond the tail's end as it is then, from where they can be told.
    /// </summary>
    public void Listen(Listener listener)
    {
        lock (_gate)
        {
            if (_groupsOf.Count == 0)
            {
                _covered = new(tail.End); // There was nobody to be told of it.
            }

            if (!_groupsOf.TryGetValue(listener.View.AccountId, out List<Group>? groups))
            {
                _groupsOf[listener.View.AccountId] = groups = [];
            }

            GroupWithRoom(groups).Add(listener);
        }
    }

    public void Leave(Listener listener)
    {
        lock (_gate)
        {
            if (listener.Group is not { } group)
            {
                return;
            }

            group.Remove(listener);
            _roomy = group.Shard;
            if (group.IsEmpty)
            {
                List<Group> groups = _groupsOf[listener.View.AccountId];
                groups.Remove(group);
                if (groups.Count == 0)
                {
                    _groupsOf.Remove(listener.View.AccountId);
                }
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
        Shard? last;
        lock (_gate)
        {
            foreach (Waiter waiter in _waiters)
            {
                waiter.Wake();
            }

            Cursor end = tail.End;
            for (long seq = Covered.Seq + 1; seq <= end.Seq && _groupsOf.Count > 0; seq++)
            {
                if (tail.At(seq) is not { } change)
                {
                    // It left memory before anyone was told of it.
                    Post(_groupsOf.Values.SelectMany(groups => groups), null);
                    break;
                }

                Tell(change);
            }

            _covered = new(end);
            (last, _last) = (_last, null);
        }

        last?.Execute();
    }

    private Group GroupWithRoom(List<Group> groups)
    {
        if (groups.Find(group => group.Shard.Listeners < Shard.ListenersMax) is { } found)
        {
            return found;
        }

        if (_roomy is null || _roomy.Listeners >= Shard.ListenersMax)
        {
            _roomy = new Shard(this);
        }

        var group = new Group(_roomy);
        groups.Add(group);
        return group;
    }

    /// <summary>Goes through those who see the list, or those who listen, whichever are fewer.</summary>
    private void Tell(Change change)
    {
        ChangeRow row = change.Row;
        IReadOnlySet<string> audience = memberships.AudienceOf(row);
        foreach (string account in audience.Count <= _groupsOf.Count
            ? audience
            : _groupsOf.Keys.Where(audience.Contains))
        {
            Tell(change, account);
        }

        if (row.AccountId.Length > 0 && !audience.Contains(row.AccountId))
        {
            Tell(change, row.AccountId);
        }
    }

    private void Tell(Change change, string account)
    {
        if (_groupsOf.TryGetValue(account, out List<Group>? groups))
        {
            Post(groups, change);
        }
    }

    /// <summary>Where there are several shards, they are told by several threads: the last one by this.</summary>
    private void Post(IEnumerable<Group> groups, Change? change)
    {
        foreach (Group group in groups)
        {
            if (group.Shard.Post(group, change))
            {
                if (_last is not null)
                {
                    ThreadPool.UnsafeQueueUserWorkItem(_last, preferLocal: false);
                }

                _last = group.Shard;
            }
        }
    }
}
