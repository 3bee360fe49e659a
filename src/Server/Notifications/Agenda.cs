namespace Squall.Server;

/// <summary>
/// What one subscription has still to look at: the places of those changes that it may have to be told of. The bell
/// puts them in, in order; the subscription takes them out. Whoever lets too many wait looks at all changes instead,
/// so that it takes no more memory the slower it is.
/// </summary>
/// <param name="tellNow">
/// Does what the subscription would do, in its place and while it sleeps; false: it has to wake for the rest.
/// </param>
internal sealed class Agenda(View view, Waiter waiter, Func<bool>? tellNow = null)
{
    private const int PlacesMax = 64;
    private readonly Lock _gate = new();

    // Most have one place, or none: 0.
    private long _first;
    private Queue<long>? _others;
    private bool _behind;
    private bool _called;

    public View View => view;

    /// <summary>True: the subscription is to be called for the change at <paramref name="seq"/>.</summary>
    public bool Add(long seq)
    {
        lock (_gate)
        {
            if (_behind || _others is { Count: >= PlacesMax - 1 })
            {
                _behind = true;
            }
            else if (_first == 0)
            {
                _first = seq;
            }
            else
            {
                (_others ??= new()).Enqueue(seq);
            }

            return !_called && (_called = true);
        }
    }

    /// <summary>Has the subscription look at all changes. True: it is to be called.</summary>
    public bool FallBehind()
    {
        lock (_gate)
        {
            _behind = true;
            return !_called && (_called = true);
        }
    }

    /// <summary>Tells it that there is something, by doing it where it sleeps and need not wait.</summary>
    public void Call()
    {
        lock (_gate)
        {
            _called = false;
        }

        if (tellNow is not null && waiter.TryBorrow())
        {
            waiter.GiveBack(awake: !tellNow());
        }
        else
        {
            waiter.Wake();
        }
    }

    /// <summary>The place of the next change; false: there is none, unless it is behind.</summary>
    public bool TryTake(out long seq)
    {
        lock (_gate)
        {
            seq = _first;
            _first = _others is not null && _others.TryDequeue(out long next) ? next : 0;
            return seq > 0;
        }
    }

    /// <summary>Whether changes were left out.</summary>
    public bool IsBehind
    {
        get
        {
            lock (_gate)
            {
                return _behind;
            }
        }
    }

    /// <summary>
    /// True: changes were left out. They are in the tail by now, and what comes after them is put in again.
    /// </summary>
    public bool TakeBehind()
    {
        lock (_gate)
        {
            return _behind && !(_behind = false);
        }
    }
}
