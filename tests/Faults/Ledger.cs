using Squall.V1;

namespace Squall.Faults;

/// <summary>
/// What the server acknowledged, what it told, and what it has at the end: the checker of every run, with and without
/// a control that breaks the promise. All that was asked is acknowledged by the end, for whoever asks repeats until it
/// is; so what each writer was told must be exactly what it was acknowledged, in its order.
/// </summary>
internal sealed class Ledger(int writers)
{
    private readonly Book[] _books = [.. Enumerable.Range(0, writers).Select(writer => new Book(writer))];
    private readonly List<Notification>[] _told =
        [.. Enumerable.Range(0, writers).Select(_ => new List<Notification>())];

    private readonly Dictionary<string, int> _writerOf = [];
    private readonly HashSet<string> _cursors = [];
    private readonly Verdict _verdict = new();
    private DateTimeOffset _lastTime;

    public Book BookOf(int writer) => _books[writer];

    /// <summary>Takes a notification as the subscriber saw it; gives whose it is, or -1.</summary>
    public int Tell(Notification notification)
    {
        DateTimeOffset time = notification.Time.ToDateTimeOffset();
        _verdict.Count("told with an earlier time", time < _lastTime);
        _verdict.Count("told with a cursor seen before", !_cursors.Add(notification.Cursor));
        _lastTime = time;
        if (notification.TaskCreated is { Task: { } created })
        {
            _writerOf.TryAdd(created.Id, Book.WriterOf(created.Title));
        }

        if (!_writerOf.TryGetValue(Book.SubjectOf(notification), out int writer))
        {
            _verdict.Count("told of what was never made", 1);
            return -1;
        }

        _told[writer].Add(Book.Plain(notification));
        return writer;
    }

    /// <summary>A subscriber could not go on where it was.</summary>
    public void RefuseCursor() => _verdict.Count("cursors refused", 1);

    /// <summary>Compares with all tasks and comments that the server has at the end.</summary>
    public Verdict Judge(IReadOnlyList<TaskItem> tasks, ILookup<string, Comment> comments)
    {
        Dictionary<string, TaskItem> stored = tasks.DistinctBy(task => task.Id).ToDictionary(task => task.Id);
        _verdict.Count("tasks listed twice", tasks.Count - stored.Count);
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
            Compare(book.Told, _told[book.Writer]);
        }

        _verdict.Count("tasks never acknowledged, or deleted", stored.Count);
        return _verdict;
    }

    private void Compare(IReadOnlyList<Notification> asked, List<Notification> told)
    {
        if (asked.SequenceEqual(told))
        {
            return;
        }

        Dictionary<Notification, int> left = asked.CountBy(change => change).ToDictionary();
        bool same = asked.Count == told.Count;
        foreach (Notification change in told)
        {
            bool known = left.TryGetValue(change, out int count);
            _verdict.Count("changes told that were not acknowledged", !known);
            _verdict.Count("changes told twice", known && count == 0);
            same &= count > 0;
            left[change] = Math.Max(count - 1, 0);
        }

        _verdict.Count("changes not told", left.Values.Sum());
        _verdict.Count("writers told out of order", same);
    }
}

/// <summary>What the checker found: how much there was to find, and each kind of fault with its number.</summary>
internal sealed class Verdict
{
    public const string Lost = "acknowledged tasks lost";
    public const string Differs = "tasks other than acknowledged";
    private readonly SortedDictionary<string, int> _faults = new(StringComparer.Ordinal);

    public int Acknowledged { get; set; }

    public bool Holds => _faults.Count == 0;

    public int Of(string fault) => _faults.GetValueOrDefault(fault);

    public void Count(string fault, bool found) => Count(fault, found ? 1 : 0);

    public void Count(string fault, int found)
    {
        if (found > 0)
        {
            _faults[fault] = Of(fault) + found;
        }
    }

    public override string ToString() => $"{Acknowledged} acknowledged; "
        + (Holds ? "no fault" : string.Join(", ", _faults.Select(fault => $"{fault.Value} {fault.Key}")));
}
