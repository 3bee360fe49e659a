using Grpc.Core;

namespace Squall.Server;

/// <summary>
/// Reads the journal for whoever asks for changes that are no longer in memory, in short pages; two at a time, so that
/// many who resume together leave the disk to the writer. Pages begin at fixed places, and the newest are kept: those
/// who read the same share what one of them has read and decoded.
/// </summary>
internal sealed class JournalPages(Store store, Tail tail) : IDisposable
{
    private const int RowsMax = 500;
    private const int BytesMax = 256 << 10;
    private const int ReadsAtOnceMax = 2;
    private const int PagesMax = 16;
    private readonly SemaphoreSlim _free = new(ReadsAtOnceMax);
    private readonly Dictionary<long, Task<Queue<Change>>> _pages = [];
    private readonly Queue<long> _kept = new();

    /// <summary>The changes right after <paramref name="seq"/>, at least one, up to the tail's end.</summary>
    /// <exception cref="RpcException">OUT_OF_RANGE: the journal no longer has them.</exception>
    public async Task<Queue<Change>> ReadAsync(long seq, CancellationToken cancelled)
    {
        var reading = new TaskCompletionSource<Queue<Change>>(TaskCreationOptions.RunContinuationsAsynchronously);
        Task<Queue<Change>>? page;
        lock (_pages)
        {
            if (!_pages.TryGetValue(seq, out page))
            {
                _pages[seq] = reading.Task;
            }
        }

        if (page is null)
        {
            page = reading.Task;
            _ = ReadForAllAsync(seq, reading);
        }

        return new Queue<Change>(await page.WaitAsync(cancelled));
    }

    /// <summary>The place that <paramref name="text"/>, a request's field <c>after</c>, names.</summary>
    /// <exception cref="RpcException">INVALID_ARGUMENT: it is no cursor. OUT_OF_RANGE: not of this journal, or no
    /// longer.</exception>
    public async Task<Cursor> PlaceOfAsync(string text, CancellationToken cancelled)
    {
        Cursor place = Parse(text);
        Cursor end = tail.End;
        if (place.Epoch != end.Epoch || place.Seq > end.Seq)
        {
            throw Fault.CursorExpired();
        }

        uint? mark = place.Seq == end.Seq ? end.Mark
            : tail.At(place.Seq) is { } change ? (uint)change.Row.Mark
            : await store.ReadAsync(db => MarkAt(db, place.Seq), cancelled);
        return mark == place.Mark ? place : throw Fault.CursorExpired();
    }

    /// <summary>
    /// Begins before the oldest change that is kept: its first page is read with the place itself, so that none of it
    /// is trimmed in between.
    /// </summary>
    public async Task<ChangeReader> FromOldestAsync(CancellationToken cancelled)
    {
        long end = tail.End.Seq;
        await _free.WaitAsync(cancelled);
        try
        {
            return await store.ReadAsync(
                db =>
                {
                    JournalRow journal = db.Journals.Single();
                    var place = new Cursor(journal.Epoch, journal.FloorSeq, (uint)journal.FloorMark);
                    return new ChangeReader(tail, this, place, Read(db, place.Seq, end));
                },
                cancelled);
        }
        finally
        {
            _free.Release();
        }
    }

    public void Dispose() => _free.Dispose();

    /// <summary>Reads on though the one who began may be gone: others may wait for it.</summary>
    private async Task ReadForAllAsync(long seq, TaskCompletionSource<Queue<Change>> reading)
    {
        try
        {
            long end = tail.End.Seq;
            await _free.WaitAsync();
            Queue<Change> page;
            try
            {
                page = await store.ReadAsync(db => Read(db, seq, end), CancellationToken.None);
            }
            finally
            {
                _free.Release();
            }

            // What more is to come of is read again, then with that.
            Keep(seq, page.Count > 0 && seq + page.Count < end);
            reading.SetResult(page.Count > 0 ? page : throw Fault.CursorExpired());
        }
        catch (Exception failure)
        {
            Keep(seq, isWhole: false);
            reading.SetException(failure);
        }
    }

    private void Keep(long seq, bool isWhole)
    {
        lock (_pages)
        {
            if (!isWhole)
            {
                _pages.Remove(seq);
                return;
            }

            _kept.Enqueue(seq);
            if (_kept.Count > PagesMax)
            {
                _pages.Remove(_kept.Dequeue());
            }
        }
    }

    /// <summary>Shows that a text is a cursor, wherever it leads.</summary>
    public static Cursor Parse(string text) =>
        Cursor.TryParse(text, out Cursor cursor)
            ? cursor
            : throw Fault.Field("after", "CURSOR_FORMAT", "is no cursor; give one as a notification told it");

    private static Queue<Change> Read(SquallDb db, long seq, long end)
    {
        var page = new Queue<Change>();
        long bytes = 0;
        long last = Math.Min(end, ((seq / RowsMax) + 1) * RowsMax);
        foreach (ChangeRow row in db.Changes
            .Where(row => row.Seq > seq && row.Seq <= last).OrderBy(row => row.Seq).Take(RowsMax).AsEnumerable())
        {
            if (row.Seq != seq + page.Count + 1)
            {
                throw Fault.CursorExpired();
            }

            page.Enqueue(new Change(row));
            bytes += row.Notification.Length;
            if (bytes > BytesMax)
            {
                break;
            }
        }

        return page;
    }

    private static uint? MarkAt(SquallDb db, long seq)
    {
        long? mark = db.Changes.Where(row => row.Seq == seq).Select(row => (long?)row.Mark).SingleOrDefault()
            ?? db.Journals.Where(row => row.FloorSeq == seq).Select(row => (long?)row.FloorMark).SingleOrDefault();
        return (uint?)mark;
    }
}

/// <summary>
/// Reads all changes after a place, one after the other, from memory where they are there and from the journal where
/// they are not. What missed them and what is new is one thing to it.
/// </summary>
internal sealed class ChangeReader(Tail tail, JournalPages journal, Cursor start, Queue<Change>? page = null)
{
    private static readonly Queue<Change> None = new();
    private Queue<Change> _page = page ?? None;

    /// <summary>Right after the change that was given last.</summary>
    public Cursor Place { get; private set; } = start;

    /// <summary>The next change; null: there is none yet.</summary>
    /// <exception cref="RpcException">OUT_OF_RANGE: the next one is no longer kept.</exception>
    public async ValueTask<Change?> NextAsync(CancellationToken cancelled)
    {
        if (!_page.TryDequeue(out Change? next) && (next = tail.At(Place.Seq + 1)) is null)
        {
            if (Place.Seq >= tail.End.Seq)
            {
                return null;
            }

            _page = await journal.ReadAsync(Place.Seq, cancelled);
            next = _page.Dequeue();
        }

        Place = new Cursor(Place.Epoch, next.Row.Seq, (uint)next.Row.Mark);
        return next;
    }

    /// <summary>The change at <paramref name="seq"/>, beyond the place: those between are passed over.</summary>
    /// <exception cref="RpcException">OUT_OF_RANGE: it is no longer kept.</exception>
    public async ValueTask<Change> AtAsync(long seq, CancellationToken cancelled)
    {
        while (_page.TryPeek(out Change? passed) && passed.Row.Seq < seq)
        {
            _page.Dequeue();
        }

        Place = Place with { Seq = seq - 1 };
        return (await NextAsync(cancelled))!;
    }

    /// <summary>To right after a change that is at hand, beyond the place: those between are passed over.</summary>
    public void MoveTo(Change change) => SkipTo(new Cursor(Place.Epoch, change.Row.Seq, (uint)change.Row.Mark));

    /// <summary>Passes over all up to <paramref name="place"/>, unless it is there already.</summary>
    public void SkipTo(Cursor place)
    {
        if (place.Seq > Place.Seq)
        {
            _page = None;
            Place = place;
        }
    }
}
