using System.Globalization;
using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Squall.V1;

namespace Squall.Server.Tests;

/// <summary>
/// A filter as someone means it, what is meant by it, and one of the ways to write it down: a second reading of the
/// contract, which shares nothing with the server's.
/// </summary>
internal abstract record FilterAsked
{
    private static readonly string[] States = ["", "OPEN", "LEASED", "DONE", "CANCELLED", "FAILED"];
    private static readonly string[] Priorities = ["NONE", "LOW", "MEDIUM", "HIGH", "URGENT"];
    private static readonly string[] Comparators = ["=", "!=", "<", "<=", ">", ">=", ":"];

    private static readonly (string Name, string[] Values, Func<TaskItem, string> Of)[] TextFields =
    [
        ("title", TaskGen.Texts, task => task.Title),
        ("note", TaskGen.Notes, task => task.Note),
        ("rank", TaskGen.Ranks, task => task.Rank),
        ("assignee_id", TaskGen.Ids, task => task.AssigneeId),
        ("parent_id", TaskGen.Ids, task => task.ParentId),
        ("creator_id", TaskGen.Ids, task => task.CreatorId),
        ("id", TaskGen.Ids, task => task.Id),
        ("work.kind", TaskGen.Texts, _ => ""),
    ];

    private static readonly (string Name, Func<TaskItem, Google.Protobuf.WellKnownTypes.Timestamp?> Of)[] TimeFields =
    [
        ("due_time", task => task.DueTime), ("create_time", task => task.CreateTime),
        ("update_time", task => task.UpdateTime), ("complete_time", task => task.CompleteTime),
        ("remind_time", _ => null),
    ];

    public static readonly Gen<FilterAsked> AnyOf = Gen.Sized(size => Of(Math.Min(size / 20, 3)));

    public static readonly Arbitrary<FilterAsked> Any = Arb.From(AnyOf, filter => filter.Smaller());

    public abstract bool Holds(TaskItem task);

    public abstract string Written { get; }

    /// <summary>Whether any of it searches for words.</summary>
    public virtual bool Searches => false;

    public override string ToString() => Written;

    /// <summary>Simpler ones, in which a disagreement is easier to see.</summary>
    public virtual IEnumerable<FilterAsked> Smaller() => [];

    private static Gen<FilterAsked> Of(int depth) => depth == 0
        ? Gen.OneOf(OfText(), OfTime(), OfName("state", States, 1, task => (int)task.State),
            OfName("priority", Priorities, 0, task => (int)task.Priority), OfAttempt(), OfLabel(), OfWhetherSet(),
            OfPhrase(), OfPhrase(), OfPhrase())
        : Gen.OneOf(
            Of(0),
            from part in Of(depth - 1)
            from minus in Gen.Elements(true, false)
            select (FilterAsked)new No(part, minus),
            from parts in Gen.ListOf(Of(depth - 1), 3)
            from way in Gen.Choose(0, 3)
            select (FilterAsked)new All(parts, way),
            from parts in Gen.ListOf(Of(depth - 1), 3)
            select (FilterAsked)new Some(parts));

    private static Gen<FilterAsked> OfText() =>
        from field in Gen.Elements(TextFields)
        from sign in Gen.Elements(Comparators)
        from value in Gen.Elements(field.Values).Or(Gen.Elements(TaskGen.Texts))
        from quote in Gen.Elements("", "\"", "'")
        select Test(field.Name, sign, Quoted(value, quote), task => field.Of(task) is { Length: > 0 } text
            ? Encoding.UTF8.GetBytes(text).AsSpan().SequenceCompareTo(Encoding.UTF8.GetBytes(value))
            : null);

    private static Gen<FilterAsked> OfTime() =>
        from field in Gen.Elements(TimeFields)
        from sign in Gen.Elements(Comparators)
        from micros in Gen.Elements(TaskGen.Times)
        from quote in Gen.Elements("", "\"")
        let ticks = DateTime.UnixEpoch.Ticks + (micros * 10)
        let text = new DateTime(ticks).ToString("yyyy-MM-ddTHH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture)
        select Test(field.Name, sign, Quoted(text, quote), task => field.Of(task)?.ToDateTime().Ticks.CompareTo(ticks));

    private static Gen<FilterAsked> OfName(string field, string[] names, int least, Func<TaskItem, int> of) =>
        from sign in Gen.Elements(Comparators)
        from number in Gen.Choose(least, names.Length - 1)
        select Test(field, sign, names[number], task => of(task).CompareTo(number));

    private static Gen<FilterAsked> OfAttempt() =>
        from sign in Gen.Elements(Comparators)
        from number in Gen.Choose(-1, 3)
        select Test("work.attempt", sign, number.ToString(CultureInfo.InvariantCulture), _ => null);

    private static Gen<FilterAsked> OfLabel() =>
        from label in Gen.Elements(TaskGen.Labels).Or(Gen.Elements(TaskGen.Texts))
        from quote in Gen.Elements("", "\"", "'")
        select (FilterAsked)new One($"labels:{Quoted(label, quote)}", task => task.Labels.Contains(label));

    private static Gen<FilterAsked> OfWhetherSet() => Gen.Elements<FilterAsked>(
    [
        .. TextFields.Select(field => new One($"{field.Name}:*", task => field.Of(task).Length > 0)),
        .. TimeFields.Select(field => new One($"{field.Name}:*", task => field.Of(task) is not null)),
        new One("labels:*", task => task.Labels.Count > 0),
        new One("priority:*", task => task.Priority != Priority.Unspecified),
        new One("state:*", _ => true),
        new One("work.attempt:*", _ => false),
    ]);

    private static Gen<FilterAsked> OfPhrase() =>
        from phrase in Gen.Elements(TaskGen.Phrases)
        from quote in Gen.Elements("", "\"", "'")
        let words = SlowWords.Of(phrase)
        select (FilterAsked)new One(
            Quoted(phrase, phrase.IndexOfAny([':', '*']) >= 0 && quote.Length == 0 ? "'" : quote),
            task => SlowWords.Has(task.Title, words) || SlowWords.Has(task.Note, words), IsSearch: true);

    private static FilterAsked Test(string field, string by, string value, Func<TaskItem, int?> order) =>
        new One($"{field} {by} {value}", task => order(task) is { } than && by switch
        {
            "<" => than < 0,
            "<=" => than <= 0,
            ">" => than > 0,
            ">=" => than >= 0,
            "!=" => than != 0,
            _ => than == 0,
        });

    /// <summary>Without quotes where that is not possible otherwise.</summary>
    private static string Quoted(string value, string quote)
    {
        bool needed = value is "AND" or "OR" or "NOT" or "*" || value.IndexOfAny([.. " \t\r\n()\"'=!<>,"]) >= 0;
        if (quote.Length == 0 && !needed)
        {
            return value;
        }

        string by = quote.Length == 0 ? "\"" : quote;
        string escaped = value.Replace("\\", "\\\\").Replace(by, "\\" + by).Replace("\n", "\\n").Replace("\r", "\\r");
        return by + escaped + by;
    }

    private sealed record One(string Text, Func<TaskItem, bool> Meant, bool IsSearch = false) : FilterAsked
    {
        public override bool Searches => IsSearch;

        public override string Written => Text;

        public override string ToString() => Written;

        public override bool Holds(TaskItem task) => Meant(task);
    }

    private sealed record No(FilterAsked Part, bool Minus) : FilterAsked
    {
        public override bool Searches => Part.Searches;

        public override string Written => (Minus ? "-" : "NOT ") + (Part is One ? Part.Written : $"({Part.Written})");

        public override string ToString() => Written;

        public override bool Holds(TaskItem task) => !Part.Holds(task);

        public override IEnumerable<FilterAsked> Smaller() =>
            [Part, .. Part.Smaller().Select(part => new No(part, Minus))];
    }

    /// <summary>Parts that are joined by OR need no parentheses here: OR binds closer.</summary>
    private sealed record All(IReadOnlyList<FilterAsked> Parts, int Way) : FilterAsked
    {
        public override bool Searches => Parts.Any(part => part.Searches);

        public override string Written => string.Join(
            Way switch { 0 => " AND ", 1 => " ", 2 => "\nAND\t", _ => "  " },
            Parts.Select(part => part is All ? $"({part.Written})" : part.Written));

        public override string ToString() => Written;

        public override bool Holds(TaskItem task) => Parts.All(part => part.Holds(task));

        public override IEnumerable<FilterAsked> Smaller() => Parts;
    }

    private sealed record Some(IReadOnlyList<FilterAsked> Parts) : FilterAsked
    {
        public override bool Searches => Parts.Any(part => part.Searches);

        public override string Written => string.Join(
            " OR ", Parts.Select(part => part is All or Some ? $"({part.Written})" : part.Written));

        public override string ToString() => Written;

        public override bool Holds(TaskItem task) => Parts.Any(part => part.Holds(task));

        public override IEnumerable<FilterAsked> Smaller() => Parts;
    }
}
