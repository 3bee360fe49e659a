using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Microsoft.EntityFrameworkCore;
using Squall.V1;

namespace Squall.Server;

/// <summary>
/// What a change of tasks works with: finds what it is about, refuses in the order that the service keeps to, and
/// tells what was done.
/// </summary>
internal sealed class TaskChange(ChangeScope scope, Caller caller, Limits limits)
{
    private static readonly Func<SquallDb, string, TaskRow?> ById =
        EF.CompileQuery((SquallDb db, string id) => db.Tasks.AsTracking().SingleOrDefault(task => task.Id == id));

    private int _idsTaken;

    public ChangeScope Scope => scope;
    public SquallDb Db => scope.Db;
    public Caller Caller => caller;
    public Limits Limits => limits;
    public long NowMicros => scope.NowMicros;

    /// <summary>A task that the caller may see and change as the call needs, at the version that it expects.</summary>
    /// <exception cref="RpcException">NOT_FOUND, PERMISSION_DENIED, ABORTED.</exception>
    public TaskRow Find(string taskId, long expectedVersion = 0)
    {
        TaskRow task = ById(Db, taskId) ?? throw Fault.NotFound("task", taskId);
        caller.RequireMember(Db, task.ListId, "task", taskId);
        UpdateMask.RequireVersion(expectedVersion, task.Version);
        return task;
    }

    /// <exception cref="RpcException">NOT_FOUND: there is none, or the caller may not see it.</exception>
    public TaskRow Visible(string taskId) =>
        ById(Db, taskId) is { } task && caller.Sees(Db, task.ListId) ? task : throw Fault.NotFound("task", taskId);

    /// <exception cref="RpcException">NOT_FOUND: there is none, or the caller may not see it.</exception>
    public void RequireVisibleList(string listId)
    {
        if (!caller.Sees(Db, listId))
        {
            throw Fault.NotFound("task list", listId);
        }
    }

    /// <exception cref="RpcException">FAILED_PRECONDITION: the account is no member of the list.</exception>
    public void RequireAssignee(string listId, string accountId)
    {
        if (!Caller.IsMember(Db, listId, accountId))
        {
            throw Fault.Precondition("ASSIGNEE_NOT_MEMBER", "The assignee must be a member of the task list.");
        }
    }

    /// <summary>Counts a task as a step of <paramref name="parent"/>.</summary>
    /// <exception cref="RpcException">FAILED_PRECONDITION: it is of another list, or itself a step.
    /// RESOURCE_EXHAUSTED: it has as many steps as it may.</exception>
    public void AddStep(TaskRow parent, string listId)
    {
        if (parent.ListId != listId)
        {
            throw Fault.Precondition("PARENT_IN_OTHER_LIST", "A step must be of the task list that its parent is of.");
        }

        if (parent.ParentId is not null)
        {
            throw Fault.Precondition("PARENT_IS_STEP", "The parent is itself a step, which has no steps.");
        }

        if (++parent.StepCount > limits.TaskStepsMax)
        {
            throw Fault.LimitReached("STEPS_LIMIT", $"A task has at most {limits.TaskStepsMax} steps.");
        }
    }

    public void RemoveStep(string parentId)
    {
        if (ById(Db, parentId) is { } parent)
        {
            parent.StepCount--;
        }
    }

    /// <summary>Counts tasks that come to a list, or leave it.</summary>
    /// <exception cref="RpcException">RESOURCE_EXHAUSTED: it would have more than it may.</exception>
    public void Count(string listId, int tasks)
    {
        long count = (long)Db.Execute(
            """
            UPDATE task_lists SET "TaskCount" = "TaskCount" + @tasks WHERE "Id" = @id RETURNING "TaskCount"
            """,
            ("@tasks", tasks), ("@id", listId))!;
        if (tasks > 0 && count > limits.ListTasksMax)
        {
            throw Fault.LimitReached("TASKS_LIMIT", $"A task list has at most {limits.ListTasksMax} tasks.");
        }
    }

    /// <summary>The highest rank in a list; null: it is empty.</summary>
    public string? LastRank(string listId) => (string?)Db.Execute(
        """SELECT "Rank" FROM tasks WHERE "ListId" = @list ORDER BY "Rank" DESC LIMIT 1""", ("@list", listId));

    public string NextRank(string? last) => Rank.After(last, limits.RankCharactersMax);

    /// <summary>An id; those of one change are in the order in which it takes them.</summary>
    public string NewId() => Ids.New(NowMicros, _idsTaken++);

    public void Touch(TaskRow task)
    {
        task.Version++;
        task.UpdateTimeMicros = NowMicros;
    }

    /// <summary>Tells of a task, with what a filter could ask of it before; null: there was none.</summary>
    public void Tell(TaskItem task, Notification notification, TaskItem? before) => scope.Tell(
        caller.AccountId, task.TaskListId, notification, task.Id,
        before: before is null ? null : TaskBefore.Diff(before, task));

    public void TellCreated(TaskItem task) =>
        Tell(task, new Notification { TaskCreated = new TaskCreated { Task = task } }, null);

    public void TellUpdated(TaskItem task, IEnumerable<string> changed, TaskItem before) => Tell(
        task,
        new Notification
        {
            TaskUpdated = new TaskUpdated { Task = task, Changed = new FieldMask { Paths = { changed } } },
        },
        before);

    /// <summary>Tells that a task is gone from its list, with all that a filter could ask of it.</summary>
    public void TellDeleted(TaskItem before) => scope.Tell(
        caller.AccountId, before.TaskListId,
        new Notification { TaskDeleted = new TaskDeleted { TaskId = before.Id } }, before.Id,
        before: TaskBefore.Diff(before, null));

    /// <summary>Tells of a comment, with the task that it belongs to, which it does not change.</summary>
    public void TellComment(Comment comment, TaskItem task) => scope.Tell(
        caller.AccountId, task.TaskListId,
        new Notification { CommentCreated = new CommentCreated { Comment = comment } }, task.Id,
        before: TaskBefore.Diff(task, null));
}
