namespace Squall.Server;

/// <summary>
/// What one subscription has still to look at: the places of those changes that it may have to be told of. The bell
/// puts them in, in order; the subscription takes them out. Whoever lets too many wait looks at all changes instead,
/// so that it takes no more memory the slower it is.
/// </summary>
internal sealed class Agenda(View view, Waiter waiter)
{
    private const int PlacesMax = 64;
    private readonly Lock _gate = new();
    private readonly Queue<long> _places = new();
    private bool _behind;

    public View View => view;

    /// <summary>Wakes the subscription for the change at <paramref name="seq"/>.</summary>
    public void Add(long seq)
    {
        lock (_gate)
        {
            if (!_behind && _places.Count < PlacesMax)
            {
                _places.Enqueue(seq);
            }
            else
            {
                _behind = true;
            }
        }

        waiter.Wake();
    }

    /// <summary>Has the subscription look at all changes.</summary>
    public void FallBehind()
    {
        lock (_gate)
        {
            _behind = true;
        }

        waiter.Wake();
    }

    /// <summary>The place of the next change; false: there is none, unless it is behind.</summary>
    public bool TryTake(out long seq)
    {
        lock (_gate)
        {
            return _places.TryDequeue(out seq);
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
