using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Squall.V1;

namespace Squall.Server;

/// <summary>
/// A field of a task that a caller gives: how it is checked, by the request alone, and how it is stored. The second
/// argument of <see cref="Check"/> is the field's path in the request.
/// </summary>
internal sealed record TaskField(
    string Path, Action<TaskItem, string, Limits> Check, Action<TaskItem, TaskRow> Set)
{
    public bool Same(TaskItem one, TaskItem other)
    {
        Google.Protobuf.Reflection.IFieldAccessor value = TaskItem.Descriptor.FindFieldByName(Path).Accessor;
        return Equals(value.GetValue(one), value.GetValue(other));
    }
}

/// <summary>The fields that a caller gives, by their paths in a mask.</summary>
internal static class TaskFields
{

    private static readonly TaskField[] All =
    [
        new("task_list_id", CheckList, (task, row) => row.ListId = task.TaskListId),
        new("title", CheckTitle, (task, row) => row.Title = task.Title),
        new("note", CheckNote, (task, row) => row.Note = OrNull(task.Note)),
        new("priority", CheckPriority, (task, row) => row.Priority = (int)task.Priority),
        new("labels", CheckLabels, (task, row) => row.Labels = [.. task.Labels.Distinct()]),
        new("assignee_id", AnyText, (task, row) => row.AssigneeId = OrNull(task.AssigneeId)),
        new("parent_id", AnyText, (task, row) => row.ParentId = OrNull(task.ParentId)),
        new("due_time", CheckDue, (task, row) => row.DueTimeMicros = Micros.OfOptional(task.DueTime)),
        new("rank", CheckRank, (task, row) => row.Rank = task.Rank),
    ];

    private static readonly Dictionary<string, TaskField> ByPath =
        All.ToDictionary(field => field.Path, StringComparer.Ordinal);

    /// <summary>Fields of later versions, and whether a task has them.</summary>
    private static readonly (string Path, Predicate<TaskItem> IsIn)[] Unsupported =
    [
        ("remind_time", task => task.RemindTime is not null),
        ("recurrence", task => task.Recurrence.Length > 0),
        ("time_zone", task => task.TimeZone.Length > 0),
        ("work", task => task.Work is not null),
        ("work.kind", _ => false),
        ("work.payload", _ => false),
        ("work.start_time", _ => false),
        ("work.max_attempts", _ => false),
        ("work.backoff", _ => false),
    ];

    private static readonly string[] Paths =
        [.. All.Select(field => field.Path), .. Unsupported.Select(field => field.Path)];

    /// <summary>Checks a task that is to be created, which stands at <paramref name="path"/> in the request.</summary>
    /// <exception cref="RpcException">INVALID_ARGUMENT, with the field named.</exception>
    public static void CheckNew(TaskItem task, string path, Limits limits)
    {
        foreach (TaskField field in All)
        {
            field.Check(task, $"{path}.{field.Path}", limits);
        }

        if (Unsupported.FirstOrDefault(field => field.IsIn(task)) is { Path: { } later })
        {
            throw Fault.Unsupported($"{path}.{later}");
        }
    }

    /// <summary>The fields that a mask names, whose values in <paramref name="task"/> are checked.</summary>
    /// <exception cref="RpcException">INVALID_ARGUMENT, with the field named.</exception>
    public static TaskField[] CheckMasked(TaskItem task, FieldMask? mask, Limits limits)
    {
        var fields = new List<TaskField>();
        foreach (string path in UpdateMask.Require(mask, Paths))
        {
            if (!ByPath.TryGetValue(path, out TaskField? field))
            {
                throw Fault.Unsupported($"task.{path}");
            }

            field.Check(task, $"task.{path}", limits);
            fields.Add(field);
        }

        return [.. fields];
    }

    /// <summary>Stores all fields in a new row.</summary>
    public static void SetAll(TaskItem task, TaskRow row)
    {
        foreach (TaskField field in All)
        {
            field.Set(task, row);
        }
    }

    private static string? OrNull(string text) => text.Length == 0 ? null : text;

    private static void AnyText(TaskItem task, string path, Limits limits)
    {
    }

    private static void CheckList(TaskItem task, string path, Limits limits)
    {
        if (task.TaskListId.Length == 0)
        {
            throw Fault.Required(path);
        }
    }

    private static void CheckTitle(TaskItem task, string path, Limits limits) =>
        Text.Require(path, task.Title, limits.TaskTitleCharactersMax);

    private static void CheckNote(TaskItem task, string path, Limits limits) =>
        Text.AllowBytes(path, task.Note, limits.NoteBytesMax, lines: true);

    private static void CheckPriority(TaskItem task, string path, Limits limits)
    {
        if (!System.Enum.IsDefined(task.Priority))
        {
            throw Fault.Field(path, "ENUM_UNKNOWN", $"{(int)task.Priority} is no priority");
        }
    }

    private static void CheckLabels(TaskItem task, string path, Limits limits)
    {
        for (int at = 0; at < task.Labels.Count; at++)
        {
            Text.Require($"{path}[{at}]", task.Labels[at], limits.LabelCharactersMax);
        }

        if (task.Labels.Count > limits.LabelsMax && task.Labels.Distinct().Count() > limits.LabelsMax)
        {
            throw Fault.Field(path, "TOO_MANY", $"at most {limits.LabelsMax} labels");
        }
    }

    private static void CheckDue(TaskItem task, string path, Limits limits) => Times.Check(path, task.DueTime);

    private static void CheckRank(TaskItem task, string path, Limits limits)
    {
        if (task.Rank.Length > 0 && !Rank.IsValid(task.Rank, limits.RankCharactersMax))
        {
            throw Fault.Field(path, "RANK_FORMAT", $"1 to {limits.RankCharactersMax} of 0-9 and a-z");
        }
    }
}
