using Grpc.Core;
using Squall.V1;

namespace Squall.Server;

/// <summary>Deletes a task with its steps. Their comments, of which there may be millions, go afterwards.</summary>
internal static class TaskDeletion
{
    /// <exception cref="RpcException">NOT_FOUND, PERMISSION_DENIED, ABORTED.</exception>
    public static void Delete(TaskChange change, string taskId, long expectedVersion)
    {
        TaskRow row = change.Find(taskId, expectedVersion);
        TaskRow[] steps = row.StepCount > 0 ? [.. change.Db.Tasks.Where(task => task.ParentId == taskId)] : [];
        if (row.ParentId is { } parentId)
        {
            change.RemoveStep(parentId);
        }

        change.Count(row.ListId, -1 - steps.Length);
        foreach (TaskRow task in steps.Append(row))
        {
            change.TellDeleted(task.ToProto());
        }

        Remove(change.Scope, [.. steps, row]);
    }

    /// <summary>Removes tasks with what belongs to them, and leaves a note of what is left to clear away.</summary>
    public static void Remove(ChangeScope scope, TaskRow[] tasks)
    {
        foreach (TaskRow task in tasks)
        {
            TaskTerms.Remove(scope, task);
        }

        scope.Db.GoneTasks.AddRange(
            tasks.Where(task => task.CommentCount > 0).Select(task => new GoneTaskRow { TaskId = task.Id }));
        scope.Db.Tasks.RemoveRange(tasks);
    }
}
