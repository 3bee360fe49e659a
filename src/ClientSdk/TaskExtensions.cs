using Google.Protobuf.WellKnownTypes;
using Squall.V1;

namespace Squall.Client;

/// <summary>Shorter ways to what <see cref="ITasks"/> does.</summary>
public static class TaskExtensions
{
    private const int ConflictsMax = 5;

    private static readonly string[] Paths =
    [
        "task_list_id", "title", "note", "priority", "labels", "assignee_id", "parent_id", "due_time", "remind_time",
        "recurrence", "time_zone", "rank",
    ];

    private static readonly string[] WorkPaths = ["kind", "payload", "start_time", "max_attempts", "backoff"];

    /// <summary>Creates a task with a title alone.</summary>
    public static Task<TaskItem> CreateAsync(
        this ITasks tasks, string listId, string title, CallSettings? settings = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(tasks);
        return tasks.CreateAsync(new TaskItem { TaskListId = listId, Title = title }, settings, cancellationToken);
    }

    /// <summary>Changes the fields that are named by their paths, such as "title" and "due_time".</summary>
    public static Task<TaskItem> UpdateAsync(this ITasks tasks, TaskItem task, params string[] paths)
    {
        ArgumentNullException.ThrowIfNull(tasks);
        return tasks.UpdateAsync(task, new FieldMask { Paths = { paths } });
    }

    /// <summary>
    /// Reads a task, changes it, and writes what has changed; anew, if someone else was faster, so the change may run
    /// more than once.
    /// </summary>
    public static async Task<TaskItem> UpdateAsync(
        this ITasks tasks, string taskId, Action<TaskItem> change, CallSettings? settings = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(tasks);
        ArgumentNullException.ThrowIfNull(change);
        for (var conflicts = 0; ; conflicts++)
        {
            var before = await tasks.GetAsync(taskId, settings, cancellationToken).ConfigureAwait(false);
            var after = before.Clone();
            change(after);
            after.Id = before.Id;
            var mask = Changed(before, after);
            if (mask.Paths.Count == 0)
            {
                return before;
            }

            try
            {
                return await tasks.UpdateAsync(after, mask, before.Version, settings, cancellationToken)
                    .ConfigureAwait(false);
            }
            catch (SquallConflictException) when (conflicts < ConflictsMax)
            {
                // What was read is of the past: read it again.
            }
        }
    }

    private static FieldMask Changed(TaskItem before, TaskItem after)
    {
        var mask = new FieldMask();
        mask.Paths.AddRange(Paths.Where(path => Differs(before, after, path)));
        if (before.Work is not null && after.Work is not null)
        {
            mask.Paths.AddRange(WorkPaths.Where(path => Differs(before.Work, after.Work, path))
                .Select(path => $"work.{path}"));
        }
        else if (!Equals(before.Work, after.Work))
        {
            mask.Paths.Add("work");
        }

        return mask;
    }

    private static bool Differs(Google.Protobuf.IMessage before, Google.Protobuf.IMessage after, string path)
    {
        var field = before.Descriptor.FindFieldByName(path).Accessor;
        return !Equals(field.GetValue(before), field.GetValue(after));
    }
}
