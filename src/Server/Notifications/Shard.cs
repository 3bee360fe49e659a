using System.Runtime.CompilerServices;

namespace Squall.Server;

/// <summary>
/// Some of those who listen. They are told one after the other, of one change after the other, by one thread at a time:
/// what each of them needs in memory is visited once a change. Shards are told side by side.
/// </summary>
internal sealed class Shard(Bell bell) : IThreadPoolWorkItem
{
    /// <summary>So few that all are told within about a millisecond; a shard costs so many next to nothing.</summary>
    public const int ListenersMax = 128;

    private readonly Lock _gate = new();
    private List<(Group Group, Change? Change)> _posted = [];
    private List<(Group Group, Change? Change)> _telling = [];
    private bool _isRung;
    private int _untold;
    private volatile StrongBox<Cursor> _toldTo = new();

    /// <summary>How many it has; changed by the bell.</summary>
    public int Listeners { get; set; }

    /// <summary>All changes up to here have been told to those who may have to be told of them.</summary>
    public Cursor Covered
    {
        get
        {
            // First the bell's: what it covers has been posted here before.
            Cursor covered = bell.Covered;
            return Volatile.Read(ref _untold) == 0 ? covered : _toldTo.Value;
        }
    }

    /// <summary>Takes a change for a group; null: changes that are no longer in memory.</summary>
    /// <returns>True: it is to be executed.</returns>
    public bool Post(Group group, Change? change)
    {
        Interlocked.Increment(ref _untold);
        lock (_gate)
        {
            _posted.Add((group, change));
            return !_isRung && (_isRung = true);
        }
    }

    public void Execute()
    {
        var covered = new StrongBox<Cursor>(bell.Covered);
        lock (_gate)
        {
            (_telling, _posted) = (_posted, _telling);
        }

        foreach ((Group group, Change? change) in _telling)
        {
            group.Tell(change);
        }

        _toldTo = covered;
        Interlocked.Add(ref _untold, -_telling.Count);
        _telling.Clear();
        lock (_gate)
        {
            if (_posted.Count == 0)
            {
                _isRung = false;
                return;
            }
        }

        // Others have their turn first.
        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }
}

/// <summary>Those of a shard who listen for the same account.</summary>
internal sealed class Group(Shard shard)
{
    // A new one at each change, so that whoever tells them needs no lock.
    private volatile Listener[] _listeners = [];

    public Shard Shard => shard;

    public bool IsEmpty => _listeners.Length == 0;

    public void Add(Listener listener)
    {
        // Behind those on its connection: what they are told one after the other is sent together.
        Listener[] before = _listeners;
        int at = Array.FindLastIndex(before, other => other.Connection == listener.Connection) + 1;
        at = at > 0 ? at : before.Length;
        _listeners = [.. before[..at], listener, .. before[at..]];
        listener.Group = this;
        shard.Listeners++;
    }

    public void Remove(Listener listener)
    {
        _listeners = [.. _listeners.Where(other => other != listener)];
        shard.Listeners--;
    }

    /// <summary>
    /// Tells each of them of a change, if their account may be told of it; null: of changes that are no longer in
    /// memory.
    /// </summary>
    public void Tell(Change? change)
    {
        Listener[] listeners = _listeners;
        if (change is null)
        {
            Array.ForEach(listeners, listener => listener.FallBehind());
        }
        else if (listeners is [{ } any, ..] && any.View.MayBeTold(change))
        {
            foreach (Listener listener in listeners)
            {
                listener.Tell(change);
            }
        }
    }
}
