namespace Squall.Server;

/// <summary>
/// The newest changes, in memory, for all subscriptions at once; bounded in bytes. Whoever is too slow for it reads
/// the journal instead. Its end is the newest change that anyone may be told of: memory knows all up to it.
/// </summary>
internal sealed class Tail(Limits limits)
{
    private const int SlotsMin = 256;
    private readonly Lock _gate = new();
    private Change?[] _ring = new Change?[SlotsMin];
    private Cursor _end;
    private long _bytes;
    private int _first;
    private int _count;

    /// <summary>The place of the newest change.</summary>
    public Cursor End
    {
        get
        {
            lock (_gate)
            {
                return _end;
            }
        }
    }

    /// <summary>Begins, with nothing in memory, at the journal's end.</summary>
    public void Start(Cursor end)
    {
        lock (_gate)
        {
            _end = end;
        }
    }

    /// <summary>Takes what was committed, after all else that keeps it in memory, and before the bell.</summary>
    public void Append(IReadOnlyList<ChangeRow> committed)
    {
        lock (_gate)
        {
            foreach (ChangeRow row in committed)
            {
                Add(new Change(row));
            }

            _end = new Cursor(_end.Epoch, committed[^1].Seq, (uint)committed[^1].Mark);
        }
    }

    /// <summary>The change at <paramref name="seq"/>, if it is in memory.</summary>
    public Change? At(long seq)
    {
        lock (_gate)
        {
            long index = _count - 1 - (_end.Seq - seq);
            return index >= 0 && index < _count ? _ring[(_first + (int)index) & (_ring.Length - 1)] : null;
        }
    }

    private void Add(Change change)
    {
        while (_count > 0 && _bytes + change.Bytes > limits.TailBytesMax)
        {
            _bytes -= _ring[_first]!.Bytes;
            _ring[_first] = null;
            _first = (_first + 1) & (_ring.Length - 1);
            _count--;
        }

        if (_count == _ring.Length)
        {
            Grow();
        }

        _ring[(_first + _count) & (_ring.Length - 1)] = change;
        _count++;
        _bytes += change.Bytes;
    }

    private void Grow()
    {
        var larger = new Change?[_ring.Length * 2];
        for (int index = 0; index < _count; index++)
        {
            larger[index] = _ring[(_first + index) & (_ring.Length - 1)];
        }

        _ring = larger;
        _first = 0;
    }
}
