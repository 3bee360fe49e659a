namespace Squall.Server;

/// <summary>
/// Who is told of changes. While its loop sleeps, what is to be done is done in the thread that tells it; else the loop
/// finds the places in the journal that it has still to look at. Whoever lets too many wait looks at all changes
/// instead, so that it takes no more memory the slower it is.
/// </summary>
internal abstract class Listener(View view, string connection) : Waiter
{
    private const int PlacesMax = 64;
    private readonly Lock _gate = new();

    // Most have one place, or none: 0.
    private long _first;
    private Queue<long>? _others;
    private bool _behind;

    public View View => view;

    /// <summary>The connection that it writes to.</summary>
    public string Connection => connection;

    /// <summary>Where it is told with others; set when it begins to listen.</summary>
    public Group? Group { get; set; }

    /// <summary>It has been told of all changes up to here that it may have to look at. It must listen.</summary>
    protected Cursor Covered => Group!.Shard.Covered;

    /// <summary>Tells it of a change that its account may be told of: one after the other, in order.</summary>
    public void Tell(Change change)
    {
        // What is told of a list itself is told whatever the filter.
        if (change.Row.TaskId.Length > 0 && !view.Reaches(change.Row.ListId))
        {
            return;
        }

        if (TryBorrow())
        {
            // It sleeps: nothing is left of what came before.
            GiveBack(awake: !TryTellNow(change));
        }
        else
        {
            Add(change.Row.Seq);
            Wake();
        }
    }

    /// <summary>Has it look at all changes.</summary>
    public void FallBehind()
    {
        lock (_gate)
        {
            _behind = true;
        }

        Wake();
    }

    /// <summary>
    /// Does the loop's work in its place, while it sleeps, with a change that its account may be told of; false: the
    /// loop is to wake for the rest.
    /// </summary>
    protected abstract bool TryTellNow(Change change);

    /// <summary>The place of the next change; false: there is none, unless it is behind.</summary>
    protected bool TryTake(out long seq)
    {
        lock (_gate)
        {
            seq = _first;
            _first = _others is not null && _others.TryDequeue(out long next) ? next : 0;
            return seq > 0;
        }
    }

    /// <summary>
    /// True: changes were left out. They are in the tail by now, and what comes after them is put in again.
    /// </summary>
    protected bool TakeBehind()
    {
        lock (_gate)
        {
            return _behind && !(_behind = false);
        }
    }

    private void Add(long seq)
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
        }
    }
}
