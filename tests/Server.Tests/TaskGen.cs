using FsCheck;
using FsCheck.Fluent;
using Squall.V1;

namespace Squall.Server.Tests;

/// <summary>
/// Random tasks of few values each, so that comparisons hit, orders have ties, and much is not set. Texts are such as
/// are easily compared wrongly: beyond U+FFFF, just below it, with marks of their own, and with a filter's own signs.
/// </summary>
internal static class TaskGen
{
    public static readonly string[] Texts =
    [
        "a", "b", "ab", "Ab", "a b", "é", "e\u0301", "\uD7FF", "\uE000", "\uFF5E", "\uFFFD", "\U00010000", "😀", "a😀",
        "a\uFF5E", "\"a\"", "it's", "a\\", "AND", "*", "-a", "(a)", "labels:a", "i00000", "the old printer",
        "Printer: OLD!", "straße 7", "STRASSE 7", "ﬁx x²", "FIX (X2)", "Σίσυφος", "ΣΊΣΥΦΟΣ", "日本 語", "\U00010400 b",
    ];

    /// <summary>What can be searched for in them: words, and words that stand together, written in many ways.</summary>
    public static readonly string[] Phrases =
    [
        "a", "A", "á", "b", "B", "ab", "a b", "b a", "e", "É", "printer", "PRINTER", "old", "óld printer",
        "printer old",
        "printer, OLD", "the", "strasse", "STRAßE 7", "7", "fix", "ﬁx", "fix-x²", "X2", "σίσυφοσ", "日本", "日本...語", "語",
        "\U00010428", "it's", "it", "i00000", "labels", "labels a", "two lines", "tab", "nothing", "not there",
        "a\uFF5E",
    ];

    public static readonly string[] Notes = [.. Texts, "two\nlines", "a\ttab", "a\r\nb"];
    public static readonly string[] Labels = ["a", "b", "😀", "\uFFFD", "OR", "a b"];
    public static readonly string[] Ids = ["id-1", "id-2", "id-3", "ID-2"];
    public static readonly string[] Ranks = ["0", "00", "a", "i00000", "i00001", "zz"];

    /// <summary>Microseconds: the first and the last of all, and some close to one another.</summary>
    public static readonly long[] Times = [0, 1, 999_999, 1_000_000, 1_764_504_000_000_000, 253_402_300_799_999_999];

    public static readonly Gen<TaskRow> Task =
        from title in Gen.Elements(Texts)
        from creator in Gen.Elements(Ids)
        from others in Gen.ArrayOf(Gen.Elements(Ids).Or(Gen.Constant("")), 2)
        from note in Gen.Elements(Notes).Or(Gen.Constant(""))
        from rank in Gen.Elements(Ranks)
        from state in Gen.Choose(1, 5)
        from priority in Gen.Choose(0, 4)
        from labels in Gen.SubListOf(Labels)
        from times in Gen.ArrayOf(Gen.Elements(Times), 4)
        from unset in Gen.Choose(0, 3)
        select new TaskRow
        {
            Num = 0,
            Id = "",
            ListId = "",
            Title = title,
            Note = OrNull(note),
            Rank = rank,
            State = state,
            Priority = priority,
            Labels = [.. labels.Distinct()],
            AssigneeId = OrNull(others[0]),
            ParentId = OrNull(others[1]),
            CreatorId = creator,
            CreateTimeMicros = times[0],
            UpdateTimeMicros = times[1],
            DueTimeMicros = (unset & 1) == 0 ? times[2] : null,
            CompleteTimeMicros = (unset & 2) == 0 ? times[3] : null,
            Version = 1,
        };

    public static Task<TaskItem[]> StoreAsync(
        this ServerFixture server, IReadOnlyList<TaskRow> tasks, params string[] listIds) =>
        server.Get<Journal>().RunAsync(scope => Store(scope, tasks, listIds), null, 0, CancellationToken.None);

    /// <summary>Puts tasks into lists as they are, whatever their fields, as no call could. Each gets its id.</summary>
    public static TaskItem[] Store(ChangeScope scope, IReadOnlyList<TaskRow> tasks, params string[] listIds)
    {
        for (int at = 0; at < tasks.Count; at++)
        {
            TaskRow task = tasks[at];
            task.Id = Ids.Length > at ? $"{listIds[0]} {Ids[at]}" : Server.Ids.New(scope.NowMicros);
            task.ListId = listIds[at % listIds.Length];
        }

        // As it is of all tasks, the order of ids is that in which they were created.
        long num = Math.Max(scope.NowMicros, scope.Db.Tasks.Max(task => (long?)task.Num) ?? 0);
        var times = new Queue<long>(tasks.Select(task => task.CreateTimeMicros).Order());
        foreach (TaskRow task in tasks.OrderBy(task => task.Id, StringComparer.Ordinal))
        {
            task.Num = ++num;
            task.CreateTimeMicros = times.Dequeue();
            scope.Db.Tasks.Add(task);
            TaskTerms.Add(scope, task);
        }

        return [.. tasks.Select(task => task.ToProto())];
    }

    private static string? OrNull(string text) => text.Length == 0 ? null : text;
}
