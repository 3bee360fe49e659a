using Spectre.Console;
using Spectre.Console.Rendering;
using Squall.V1;

namespace Squall.Cli;

/// <summary>Tasks as rows, for people and for programs that read columns.</summary>
internal static class TaskRows
{
    private static readonly Style Late = new(Color.Red);
    private static readonly Style Soon = new(Color.Yellow);
    private static readonly Style Over = new(decoration: Decoration.Dim);

    /// <summary>What happened to a task, on a line.</summary>
    public static string Said(string what, TaskItem task, TimeProvider time) =>
        $"{what} {ShortId.Of(task.Id)}  {task.Title}"
        + (task.DueTime is { } due ? $"  (due {DueTime.Text(due.ToDateTimeOffset(), time)})" : "");

    /// <summary>Id, state, due time, priority, list and title: always these, and the title last.</summary>
    public static string[] Plain(TaskItem task, string listTitle, TimeProvider time) =>
        [ShortId.Of(task.Id), Named(task.State), Due(task, time), Named(task.Priority), listTitle, task.Title];

    /// <summary>A table with the columns that say something, steps below what they are steps of.</summary>
    public static IRenderable Table(IReadOnlyList<TaskItem> tasks, Names names, bool withLists, Invocation run)
    {
        (string Title, Func<TaskItem, Cell> Cell)[] columns =
        [
            ("Id", task => Cell.Id(task.Id)),
            ("Title", task => new(Indented(task), IsOver(task) ? Over : null)),
            ("State", task => new(task.State == TaskState.Open ? "" : Named(task.State))),
            ("Due", task => DueCell(task, run.Time)),
            ("Priority", task => new(Named(task.Priority), StyleOf(task.Priority))),
            ("Labels", task => new(string.Join(' ', task.Labels))),
            ("For", task => new(names.OfMember(task.TaskListId, task.AssigneeId))),
            ("List", task => new(withLists ? names.OfList(task.TaskListId) : "")),
        ];
        return Rows.Table(
            [.. columns.Select(column => column.Title)],
            [.. StepsBelow(tasks).Select(task => columns.Select(column => column.Cell(task)).ToArray())],
            wrapped: 1, run.Output.Width);
    }

    public static string Named(TaskState state) => state.ToString().ToLowerInvariant();

    public static string Named(Priority priority) =>
        priority == Priority.Unspecified ? "" : priority.ToString().ToLowerInvariant();

    private static string Due(TaskItem task, TimeProvider time) =>
        task.DueTime is { } due ? DueTime.Text(due.ToDateTimeOffset(), time) : "";

    private static Cell DueCell(TaskItem task, TimeProvider time)
    {
        if (task.DueTime?.ToDateTimeOffset() is not { } due)
        {
            return new Cell("");
        }

        var left = due - time.GetUtcNow();
        var style = IsOver(task) ? Over : left < TimeSpan.Zero ? Late : left < TimeSpan.FromDays(1) ? Soon : null;
        return new Cell(DueTime.Words(due, time), style);
    }

    private static string Indented(TaskItem task) => task.ParentId.Length > 0 ? $"- {task.Title}" : task.Title;

    private static bool IsOver(TaskItem task) => task.State is TaskState.Done or TaskState.Cancelled;

    private static Style? StyleOf(Priority priority) => priority switch
    {
        Priority.Urgent => Late,
        Priority.High => Soon,
        _ => null,
    };

    private static IEnumerable<TaskItem> StepsBelow(IReadOnlyList<TaskItem> tasks)
    {
        var ids = tasks.Select(task => task.Id).ToHashSet();
        var steps = tasks.ToLookup(task => ids.Contains(task.ParentId) ? task.ParentId : "");
        return steps[""].SelectMany(task => steps[task.Id].Prepend(task));
    }
}
