using System.Globalization;
using Squall.V1;

namespace Squall.Server;

internal enum FieldKind
{
    Text,
    Time,
    State,
    Priority,
    Number,
    Labels,
}

/// <summary>
/// A field that a filter can name: where it stands in a message and in the database. One without a column is never
/// set in this version.
/// </summary>
internal sealed class FilterField
{
    private static readonly string[] States = ["", "OPEN", "LEASED", "DONE", "CANCELLED", "FAILED"];
    private static readonly string[] Priorities = ["NONE", "LOW", "MEDIUM", "HIGH", "URGENT"];

    public static readonly FilterField TaskListId = OfText("task_list_id", "ListId", task => task.TaskListId);

    public static readonly IReadOnlyDictionary<string, FilterField> ByName = new[]
    {
        TaskListId,
        OfText("id", "Id", task => task.Id),
        OfText("title", "Title", task => task.Title),
        OfText("note", "Note", task => task.Note),
        OfText("assignee_id", "AssigneeId", task => task.AssigneeId),
        OfText("parent_id", "ParentId", task => task.ParentId),
        OfText("rank", "Rank", task => task.Rank),
        OfText("creator_id", "CreatorId", task => task.CreatorId),
        OfNumber("state", FieldKind.State, "State", task => (long)task.State),
        OfNumber("priority", FieldKind.Priority, "Priority", task => (long)task.Priority),
        OfNumber("due_time", FieldKind.Time, "DueTimeMicros", task => Micros.OfOptional(task.DueTime)),
        OfNumber("create_time", FieldKind.Time, "CreateTimeMicros", task => Micros.OfOptional(task.CreateTime)),
        OfNumber("update_time", FieldKind.Time, "UpdateTimeMicros", task => Micros.OfOptional(task.UpdateTime)),
        OfNumber("complete_time", FieldKind.Time, "CompleteTimeMicros", task => Micros.OfOptional(task.CompleteTime)),
        OfNumber("remind_time", FieldKind.Time, null, _ => null),
        OfText("work.kind", null, _ => ""),
        OfNumber("work.attempt", FieldKind.Number, null, _ => null),
        new("labels", FieldKind.Labels, null),
    }.ToDictionary(field => field.Name, StringComparer.Ordinal);

    private FilterField(string name, FieldKind kind, string? column)
    {
        Name = name;
        Kind = kind;
        Column = column;
    }

    public string Name { get; }
    public FieldKind Kind { get; }
    public string? Column { get; }

    /// <summary>Whether there are tasks without it.</summary>
    public bool MayBeUnset => Name is "due_time" or "complete_time";

    /// <summary>The text in a task; empty: not set.</summary>
    public Func<TaskItem, string> Text { get; private init; } = _ => "";

    /// <summary>The number in a task: of an enum its number, of a time its microseconds; null: not set.</summary>
    public Func<TaskItem, long?> Number { get; private init; } = _ => null;

    /// <summary>The number that a value in a filter stands for; null: it is none of this kind.</summary>
    public long? NumberOf(string value) => Kind switch
    {
        FieldKind.Time => Rfc3339.MicrosOf(value),
        FieldKind.State => Named(States, value),
        FieldKind.Priority => Named(Priorities, value),
        _ => int.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int number)
            ? number
            : null,
    };

    /// <summary>What a value must be, for whoever wrote another.</summary>
    public string Expects => Kind switch
    {
        FieldKind.Time => "an RFC 3339 time, such as \"2026-12-01T00:00:00Z\"",
        FieldKind.State => "one of " + string.Join(", ", States.Skip(1)),
        FieldKind.Priority => "one of " + string.Join(", ", Priorities),
        FieldKind.Number => "a whole number",
        _ => "text",
    };

    private static FilterField OfText(string name, string? column, Func<TaskItem, string> text) =>
        new(name, FieldKind.Text, column) { Text = text };

    private static FilterField OfNumber(string name, FieldKind kind, string? column, Func<TaskItem, long?> number) =>
        new(name, kind, column) { Number = number };

    private static long? Named(string[] names, string value) =>
        value.Length > 0 && Array.IndexOf(names, value) is >= 0 and var number ? number : null;
}
