using System.Collections.Concurrent;
using Squall.V1;

namespace Squall.Faults;

/// <summary>
/// What the server acknowledged, what it told each subscriber, and what it has at the end: the checker of every run,
/// with and without a control that breaks the promise. All that was asked is acknowledged by the end, for whoever asks
/// repeats until it is; so what each subscriber was told of each writer must be exactly what that one was
/// acknowledged, in its order.
/// </summary>
internal sealed class Ledger(int writers)
{
    private readonly Book[] _books = [.. Enumerable.Range(0, writers).Select(writer => new Book(writer))];
    private readonly List<Telling> _tellings = [];
    private readonly ConcurrentDictionary<string, int> _writerOf = [];
    private readonly ConcurrentDictionary<string, UInt128> _byCursor = [];
    private readonly Verdict _verdict = new();
    private volatile TaskCompletionSource? _awaited;

    /// <summary>How often a subscriber could not go on where it was, so far.</summary>
    public int CursorsRefused => _verdict.Of(Verdict.Refused);

    public Book BookOf(int writer) => _books[writer];

    /// <summary>Done when any subscriber is told of a change.</summary>
    public Task NextTellingAsync() => (_awaited = new(TaskCreationOptions.RunContinuationsAsynchronously)).Task;

    /// <summary>For one more subscriber; all are made before the first change.</summary>
    public Telling NewTelling()
    {
        _tellings.Add(new Telling(this, writers));
        return _tellings[^1];
    }

    /// <summary>Compares with all tasks and comments that the server has at the end.</summary>
    public Verdict Judge(IReadOnlyList<TaskItem> tasks, ILookup<string, Comment> comments)
    {
        Dictionary<string, TaskItem> stored = tasks.DistinctBy(task => task.Id).ToDictionary(task => task.Id);
        _verdict.Count("tasks listed twice", tasks.Count - stored.Count);
        _verdict.Deliveries = _tellings.Sum(telling => telling.Count);
        foreach (Book book in _books)
        {
            _verdict.Acknowledged += book.Acknowledged;
            _verdict.Count("answers other than asked for", book.WrongAnswers);
            Array.ForEach([.. book.Refusals], refusal => _verdict.Count($"refused {refusal}", 1));
            foreach (TaskItem task in book.Tasks)
            {
                bool there = stored.Remove(task.Id, out TaskItem? found);
                _verdict.Count(Verdict.Lost, !there);
                _verdict.Count(Verdict.Differs, there && !found!.Equals(task));
            }

            _verdict.Count(
                "conversations other than acknowledged",
                book.Comments.Count(of => !of.Value.SequenceEqual(comments[of.Key])));
            _tellings.ForEach(telling => Compare(book.Told, telling.Of(book.Writer)));
        }

        _verdict.Count("tasks never acknowledged, or deleted", stored.Count);
        return _verdict;
    }

    private void Compare(IReadOnlyList<UInt128> asked, List<UInt128> told)
    {
        if (asked.SequenceEqual(told))
        {
            return;
        }

        Dictionary<UInt128, int> left = asked.CountBy(change => change).ToDictionary();
        bool same = asked.Count == told.Count;
        foreach (UInt128 change in told)
        {
            bool known = left.TryGetValue(change, out int count);
            _verdict.Count(Verdict.Baseless, !known);
            _verdict.Count("changes told twice", known && count == 0);
            same &= count > 0;
            left[change] = Math.Max(count - 1, 0);
        }

        _verdict.Count(Verdict.NotTold, left.Values.Sum());
        _verdict.Count("writers told out of order", same);
    }

    /// <summary>What one subscriber was told.</summary>
    public sealed class Telling(Ledger ledger, int writers)
    {
        private readonly List<UInt128>[] _told = [.. Enumerable.Range(0, writers).Select(_ => new List<UInt128>())];
        private DateTimeOffset _lastTime;

        public int Count => _told.Sum(of => of.Count);

        public List<UInt128> Of(int writer) => _told[writer];

        /// <summary>Takes a notification as the subscriber saw it; gives whose it is, or -1.</summary>
        public int Tell(Notification notification)
        {
            ledger._awaited?.TrySetResult();
            Verdict verdict = ledger._verdict;
            DateTimeOffset time = notification.Time.ToDateTimeOffset();
            verdict.Count("told with an earlier time", time < _lastTime);
            _lastTime = time;
            UInt128 whole = Book.Print(notification);
            verdict.Count(
                "told otherwise under a cursor seen before",
                ledger._byCursor.GetOrAdd(notification.Cursor, whole) != whole);
            if (notification.TaskCreated is { Task: { } created })
            {
                ledger._writerOf.TryAdd(created.Id, Book.WriterOf(created.Title));
            }

            if (!ledger._writerOf.TryGetValue(Book.SubjectOf(notification), out int writer))
            {
                verdict.Count("told of what was never made", 1);
                return -1;
            }

            _told[writer].Add(Book.Print(Book.Plain(notification)));
            return writer;
        }

        /// <summary>The subscriber could not go on where it was.</summary>
        public void RefuseCursor() => ledger._verdict.Count(Verdict.Refused, 1);
    }
}

/// <summary>What the checker found: how much there was to find, and each kind of fault with its number.</summary>
internal sealed class Verdict
{
    public const string Lost = "acknowledged tasks lost";
    public const string Differs = "tasks other than acknowledged";
    public const string Refused = "cursors refused";
    public const string NotTold = "changes not told";
    public const string Baseless = "changes told that were not acknowledged";
    private readonly Lock _gate = new();
    private readonly SortedDictionary<string, int> _faults = new(StringComparer.Ordinal);

    public int Acknowledged { get; set; }

    public int Deliveries { get; set; }

    public bool Holds => _faults.Count == 0;

    public int Of(string fault)
    {
        lock (_gate)
        {
            return _faults.GetValueOrDefault(fault);
        }
    }

    public void Count(string fault, bool found) => Count(fault, found ? 1 : 0);

    public void Count(string fault, int found)
    {
        if (found == 0)
        {
            return;
        }

        lock (_gate)
        {
            _faults[fault] = _faults.GetValueOrDefault(fault) + found;
        }
    }

    public override string ToString() => $"{Acknowledged} acknowledged; "
        + (Deliveries > 0 ? $"{Deliveries} deliveries; " : "")
        + (Holds ? "no fault" : string.Join(", ", _faults.Select(fault => $"{fault.Value} {fault.Key}")));
}
