using System.Collections.Concurrent;
using System.Globalization;
using Squall.Server;
using Squall.V1;

namespace Squall.Faults;

/// <summary>
/// What the server acknowledged, what it told each subscriber, and what it has: the checker of every run, with and
/// without a control that breaks the promise. All that was asked is acknowledged by the end, for whoever asks repeats
/// until it is; so what each subscriber was told of each writer must be exactly what that one was acknowledged, in its
/// order. The journal itself is read like one more subscriber, from kill to kill.
/// </summary>
internal sealed class Ledger
{
    private const int Readers = 8;
    private const int UncommentedMax = 20_000;
    private const string Conversations = "conversations other than acknowledged";
    private readonly Book[] _books;
    private readonly List<Telling> _tellings = [];
    private readonly ConcurrentDictionary<string, int> _writerOf = [];
    private readonly ConcurrentDictionary<Cursor, Seen> _byCursor = [];
    private readonly Verdict _verdict = new();
    private readonly Telling _journal;
    private volatile TaskCompletionSource? _awaited;

    public Ledger(int writers)
    {
        _books = [.. Enumerable.Range(0, writers).Select(writer => new Book(writer))];
        _journal = new Telling(this);
    }

    /// <summary>How often a subscriber could not go on where it was, so far.</summary>
    public int CursorsRefused => _verdict.Of(Verdict.Refused);

    /// <summary>So far.</summary>
    public int Acknowledged => _books.Sum(book => book.Acknowledged);

    /// <summary>How many changes the slowest subscriber has not been told yet.</summary>
    public int Behind =>
        Math.Max(0, _books.Sum(book => book.ToldCount) - _tellings.Select(telling => telling.Count).Min());

    /// <summary>What was found so far: of the journal, and of what does not wait for the end.</summary>
    public string Found => string.Create(
        CultureInfo.InvariantCulture,
        $"until then {Acknowledged} acknowledged; {_tellings.Sum(telling => telling.Count)} deliveries; "
        + $"{(_verdict.Holds ? "no fault" : _verdict)}");

    public Book BookOf(int writer) => _books[writer];

    /// <summary>Done when any subscriber is told of a change.</summary>
    public Task NextTellingAsync() => (_awaited = new(TaskCreationOptions.RunContinuationsAsynchronously)).Task;

    /// <summary>For one more subscriber; all are made before the first change.</summary>
    public Telling NewTelling()
    {
        _tellings.Add(new Telling(this));
        return _tellings[^1];
    }

    /// <summary>
    /// Takes what stands in the journal after what was taken before: all that is acknowledged by now must be there,
    /// whatever else is.
    /// </summary>
    public void TakeJournal(Func<IEnumerable<Notification>> read)
    {
        int[] acknowledged = [.. _books.Select(book => book.ToldCount)];
        foreach (Notification notification in read())
        {
            _journal.Tell(notification);
        }

        _verdict.Count(
            "acknowledged changes not in the journal",
            _books.Sum(book => Math.Max(0, acknowledged[book.Writer] - _journal.CountOf(book.Writer))));
    }

    /// <summary>
    /// Compares with all tasks that the server has at the end, and with the comments of each that has any; of the
    /// others, which would have been told of, no more than <see cref="UncommentedMax"/>.
    /// </summary>
    /// <param name="tasks">Pages of all tasks.</param>
    /// <param name="comments">Gives the comments of a task.</param>
    public async Task CompareAsync(
        IAsyncEnumerable<IReadOnlyList<TaskItem>> tasks, Func<string, Task<IReadOnlyList<Comment>>> comments)
    {
        Dictionary<string, UInt128> left = _books.SelectMany(book => book.Tasks).ToDictionary();
        var listed = new HashSet<string>(left.Count);
        await foreach (IReadOnlyList<TaskItem> page in tasks)
        {
            foreach (TaskItem task in page)
            {
                bool again = !listed.Add(task.Id);
                bool known = left.Remove(task.Id, out UInt128 print);
                _verdict.Count("tasks listed twice", again);
                _verdict.Count(Verdict.Differs, known && print != Book.Print(task));
                _verdict.Count("tasks never acknowledged, or deleted", !known && !again);
            }
        }

        _verdict.Count(Verdict.Lost, left.Count);
        Dictionary<string, List<Comment>> commented = _books.SelectMany(book => book.Comments).ToDictionary();
        IEnumerable<string> others = listed.Where(id => !commented.ContainsKey(id)).Take(UncommentedMax);
        _verdict.Count(Conversations, commented.Keys.Count(id => !listed.Contains(id)));
        var readers = new ParallelOptions { MaxDegreeOfParallelism = Readers };
        await Parallel.ForEachAsync(commented.Keys.Where(listed.Contains).Concat(others), readers, async (id, _) =>
        {
            IReadOnlyList<Comment> found = await comments(id);
            List<Comment> acknowledged = commented.GetValueOrDefault(id, []);
            _verdict.Count(Conversations, !found.SequenceEqual(acknowledged));
        });
    }

    /// <summary>
    /// Compares what each subscriber was told, and the journal, with what each writer was acknowledged.
    /// </summary>
    public Verdict Judge()
    {
        foreach (Book book in _books)
        {
            _verdict.Acknowledged += book.Acknowledged;
            _verdict.Count("answers other than asked for", book.WrongAnswers);
            Array.ForEach([.. book.Refusals], refusal => _verdict.Count($"refused {refusal}", 1));
            UInt128[] asked = book.Told();
            _tellings.Append(_journal).ToList().ForEach(telling => telling.Compare(book, asked));
        }

        _verdict.Deliveries = _tellings.Sum(telling => telling.Count);
        return _verdict;
    }

    private readonly record struct Seen(UInt128 Whole, UInt128 Plain, int Writer);

    /// <summary>What one subscriber was told. What agrees with the writer's book is counted, and not kept.</summary>
    public sealed class Telling(Ledger ledger)
    {
        private const int KeptMax = 1_000;
        private readonly List<UInt128>[] _told = [.. ledger._books.Select(_ => new List<UInt128>())];
        private readonly int[] _agreed = new int[ledger._books.Length];
        private DateTimeOffset _lastTime;

        public int Count { get; private set; }

        public int CountOf(int writer) => _agreed[writer] + _told[writer].Count;

        /// <summary>Takes a notification as the subscriber saw it; gives whose it is, or -1.</summary>
        public int Tell(Notification notification)
        {
            ledger._awaited?.TrySetResult();
            Verdict verdict = ledger._verdict;
            DateTimeOffset time = notification.Time.ToDateTimeOffset();
            verdict.Count(Verdict.Earlier, time < _lastTime);
            _lastTime = time;
            verdict.Count("told under no cursor", !Cursor.TryParse(notification.Cursor, out Cursor cursor));
            UInt128 whole = Book.Print(notification);
            if (ledger._byCursor.TryGetValue(cursor, out Seen seen))
            {
                verdict.Count("told otherwise under a cursor seen before", seen.Whole != whole);
            }

            if (seen.Whole != whole)
            {
                if (ledger.WriterOf(notification) is not { } writer)
                {
                    verdict.Count("told of what was never made", 1);
                    return -1;
                }

                seen = new Seen(whole, Book.Print(Book.Plain(notification)), writer);
                ledger._byCursor.TryAdd(cursor, seen);
            }

            Count++;
            List<UInt128> told = _told[seen.Writer];
            told.Add(seen.Plain);
            if (told.Count >= KeptMax)
            {
                int agreed = ledger._books[seen.Writer].Agreement(_agreed[seen.Writer], told);
                _agreed[seen.Writer] += agreed;
                told.RemoveRange(0, agreed);
            }

            return seen.Writer;
        }

        /// <summary>The subscriber could not go on where it was.</summary>
        public void RefuseCursor() => ledger._verdict.Count(Verdict.Refused, 1);

        public void Compare(Book book, UInt128[] asked)
        {
            List<UInt128> told = _told[book.Writer];
            int agreed = _agreed[book.Writer];
            if (asked.AsSpan(agreed).SequenceEqual(told.ToArray()))
            {
                return;
            }

            Verdict verdict = ledger._verdict;
            Dictionary<UInt128, int> left = asked.CountBy(change => change).ToDictionary();
            Array.ForEach(asked[..agreed], change => left[change]--);
            bool same = asked.Length == agreed + told.Count;
            foreach (UInt128 change in told)
            {
                bool known = left.TryGetValue(change, out int count);
                verdict.Count(Verdict.Baseless, !known);
                verdict.Count(Verdict.Twice, known && count == 0);
                same &= count > 0;
                left[change] = Math.Max(count - 1, 0);
            }

            verdict.Count(Verdict.NotTold, left.Values.Sum());
            verdict.Count(Verdict.Disordered, same);
        }
    }

    /// <summary>A task's title and a comment's text say it; of a task that is gone it is remembered.</summary>
    private int? WriterOf(Notification notification)
    {
        string? text = Book.TaskOf(notification)?.Title ?? notification.CommentCreated?.Comment.Text;
        if (text is not null)
        {
            return _writerOf.GetOrAdd(Book.SubjectOf(notification), _ => Book.WriterOf(text));
        }

        return _writerOf.TryGetValue(Book.SubjectOf(notification), out int writer) ? writer : null;
    }
}
