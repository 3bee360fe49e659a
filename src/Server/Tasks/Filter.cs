using Grpc.Core;
using Squall.V1;

namespace Squall.Server;

/// <summary>
/// Which tasks, as the contract words it at ListTasksRequest: one text, one parser and one meaning, used as SQL
/// (<see cref="FilterSql"/>) and as a predicate. Unchanging, and safe to share.
/// </summary>
internal sealed class Filter
{
    /// <summary>The filter of the empty text.</summary>
    public static readonly Filter All = new(new AllOf([]));

    private Filter(FilterNode root) => Root = root;

    public FilterNode Root { get; }

    /// <summary>What must all hold.</summary>
    public IReadOnlyList<FilterNode> Conditions => Root is AllOf all ? all.Nodes : [Root];

    /// <summary>The one list that a task must be of to match, where the filter says so at its top.</summary>
    public string? OnlyList => Conditions
        .OfType<TextTest>()
        .FirstOrDefault(test => test.Field == FilterField.TaskListId && test.By == Comparator.Equal)?.Value;

    /// <summary>Whether a task must be in one certain state to match.</summary>
    public bool OneState => Conditions
        .Any(node => node is NumberTest { Field.Kind: FieldKind.State, By: Comparator.Equal });

    /// <exception cref="RpcException">INVALID_ARGUMENT: too long, or it does not parse; the details tell where.
    /// </exception>
    public static Filter Parse(string text, Limits limits)
    {
        if (System.Text.Encoding.UTF8.GetByteCount(text) > limits.FilterBytesMax)
        {
            throw Fault.TooLong("filter", limits.FilterBytesMax, "bytes");
        }

        return new FilterParser(text, limits).Parse() is { } root ? new Filter(root) : All;
    }

    public bool Matches(TaskItem task) => Matches(new FilterSubject(task));

    public bool Matches(FilterSubject subject) => Root.Matches(subject);
}

internal enum Comparator
{
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// <summary>
/// A task, not to be changed, as filters look at it: what takes time to find out is found out once, or once more by
/// whoever asks at the same moment.
/// </summary>
internal sealed class FilterSubject(TaskItem task)
{
    private string? _title;
    private string? _note;

    public TaskItem Task => task;

    /// <summary>Whether its title or its note has a phrase, as <see cref="Words.Spell"/> spells it.</summary>
    public bool Says(string phrase) =>
        Words.Has(_title ??= Words.Spell(task.Title), phrase) || Words.Has(_note ??= Words.Spell(task.Note), phrase);
}

/// <summary>A part of a filter. A test of a field that is not set is false.</summary>
internal abstract record FilterNode
{
    public abstract bool Matches(FilterSubject subject);

    protected static bool Holds(Comparator by, int order) => by switch
    {
        Comparator.Equal => order == 0,
        Comparator.NotEqual => order != 0,
        Comparator.Less => order < 0,
        Comparator.LessOrEqual => order <= 0,
        Comparator.Greater => order > 0,
        _ => order >= 0,
    };
}

internal sealed record AllOf(IReadOnlyList<FilterNode> Nodes) : FilterNode
{
    public override bool Matches(FilterSubject subject)
    {
        foreach (FilterNode node in Nodes)
        {
            if (!node.Matches(subject))
            {
                return false;
            }
        }

        return true;
    }
}

internal sealed record AnyOf(IReadOnlyList<FilterNode> Nodes) : FilterNode
{
    public override bool Matches(FilterSubject subject)
    {
        foreach (FilterNode node in Nodes)
        {
            if (node.Matches(subject))
            {
                return true;
            }
        }

        return false;
    }
}

internal sealed record Not(FilterNode Node) : FilterNode
{
    public override bool Matches(FilterSubject subject) => !Node.Matches(subject);
}

/// <summary>A field's text compared whole, by code point.</summary>
internal sealed record TextTest(FilterField Field, Comparator By, string Value) : FilterNode
{
    public override bool Matches(FilterSubject subject) =>
        Field.Text(subject.Task) is { Length: > 0 } text && Holds(By, CodePoints.Compare(text, Value));
}

/// <summary>A time, an enum or a number compared.</summary>
internal sealed record NumberTest(FilterField Field, Comparator By, long Value) : FilterNode
{
    public override bool Matches(FilterSubject subject) =>
        Field.Number(subject.Task) is { } number && Holds(By, number.CompareTo(Value));
}

/// <summary>Whether a field is set at all.</summary>
internal sealed record SetTest(FilterField Field) : FilterNode
{
    public override bool Matches(FilterSubject subject) =>
        Field.Kind == FieldKind.Text ? Field.Text(subject.Task).Length > 0 : Field.Number(subject.Task) is not null;
}

/// <summary>Whether a title or a note has a phrase, as <see cref="Words.Spell"/> spells it.</summary>
internal sealed record PhraseTest(string Phrase) : FilterNode
{
    public override bool Matches(FilterSubject subject) => subject.Says(Phrase);
}

/// <summary>Whether a task has a label; null: any.</summary>
internal sealed record LabelTest(string? Label) : FilterNode
{
    public override bool Matches(FilterSubject subject) =>
        Label is null ? subject.Task.Labels.Count > 0 : subject.Task.Labels.Contains(Label);
}

/// <summary>The order of text: that of its code points, which is also that of its UTF-8, not of its UTF-16.</summary>
internal static class CodePoints
{
    public static int Compare(string left, string right)
    {
        int length = Math.Min(left.Length, right.Length);
        int same = left.AsSpan(0, length).CommonPrefixLength(right);
        return same == length
            ? left.Length.CompareTo(right.Length)
            : Place(left[same]).CompareTo(Place(right[same]));
    }

    /// <summary>Surrogates, which stand for what is beyond U+FFFF, go after all else.</summary>
    private static int Place(char unit) => char.IsSurrogate(unit) ? unit + 0x10000 : unit;
}
