using Google.Protobuf.WellKnownTypes;
using Squall.V1;

namespace Squall.Server;

/// <summary>
/// A task as it was before a change, in <see cref="ChangeRow.Before"/>: what a filter can ask of it, and only where
/// that differs from the notification's task.
/// </summary>
internal static class TaskBefore
{
    /// <summary>The fields a filter can name, and how each is copied from one task to another.</summary>
    private static readonly (string Path, Action<TaskItem, TaskItem> Copy)[] Fields =
    [
        ("id", (from, to) => to.Id = from.Id),
        ("task_list_id", (from, to) => to.TaskListId = from.TaskListId),
        ("title", (from, to) => to.Title = from.Title),
        ("note", (from, to) => to.Note = from.Note),
        ("state", (from, to) => to.State = from.State),
        ("priority", (from, to) => to.Priority = from.Priority),
        ("labels", CopyLabels),
        ("assignee_id", (from, to) => to.AssigneeId = from.AssigneeId),
        ("parent_id", (from, to) => to.ParentId = from.ParentId),
        ("due_time", (from, to) => to.DueTime = from.DueTime),
        ("remind_time", (from, to) => to.RemindTime = from.RemindTime),
        ("rank", (from, to) => to.Rank = from.Rank),
        ("creator_id", (from, to) => to.CreatorId = from.CreatorId),
        ("create_time", (from, to) => to.CreateTime = from.CreateTime),
        ("update_time", (from, to) => to.UpdateTime = from.UpdateTime),
        ("complete_time", (from, to) => to.CompleteTime = from.CompleteTime),
        ("work", (from, to) => to.Work = WorkOf(from)),
    ];

    /// <summary>
    /// What a change row keeps of <paramref name="before"/>: where it differs from <paramref name="after"/>, the
    /// notification's task; all of it, with an empty mask, where the notification has none. Null: nothing differs.
    /// </summary>
    public static TaskUpdated? Diff(TaskItem before, TaskItem? after)
    {
        var kept = new TaskUpdated { Task = new TaskItem(), Changed = new FieldMask() };
        foreach ((string path, Action<TaskItem, TaskItem> copy) in Fields)
        {
            if (after is null || Differs(before, after, copy))
            {
                copy(before, kept.Task);
                if (after is not null)
                {
                    kept.Changed.Paths.Add(path);
                }
            }
        }

        return after is null || kept.Changed.Paths.Count > 0 ? kept : null;
    }

    /// <summary>
    /// The task as a filter saw it before the change of <paramref name="row"/>, whose notification has
    /// <paramref name="after"/>. Null: there was none. A comment changes nothing: its row keeps the whole task, which
    /// is the one before and after.
    /// </summary>
    public static TaskItem? Of(ChangeRow row, TaskItem? after)
    {
        if (row.Kind == (int)Notification.EventOneofCase.TaskCreated)
        {
            return null;
        }

        if (row.Before is null)
        {
            return after;
        }

        TaskUpdated kept = TaskUpdated.Parser.ParseFrom(row.Before);
        if (after is null)
        {
            return kept.Task;
        }

        TaskItem before = after.Clone();
        foreach ((string path, Action<TaskItem, TaskItem> copy) in Fields)
        {
            if (kept.Changed.Paths.Contains(path))
            {
                copy(kept.Task, before);
            }
        }

        return before;
    }

    private static bool Differs(TaskItem before, TaskItem after, Action<TaskItem, TaskItem> copy)
    {
        var old = new TaskItem();
        var now = new TaskItem();
        copy(before, old);
        copy(after, now);
        return !old.Equals(now);
    }

    private static void CopyLabels(TaskItem from, TaskItem to)
    {
        to.Labels.Clear();
        to.Labels.Add(from.Labels);
    }

    private static Work? WorkOf(TaskItem task) =>
        task.Work is { } work ? new Work { Kind = work.Kind, Attempt = work.Attempt } : null;
}
