using Grpc.Core;
using Squall.V1;

namespace Squall.Server;

/// <summary>Changes the fields of a task that a mask names, and no other; in another list, the task moves.</summary>
internal static class TaskUpdate
{
    /// <summary>
    /// (1) The task, the list it moves to and its new parent are there and visible, (2) the caller may change both
    /// lists, (3) the version is the expected one, (4) the fields are set, (5) what they rest on holds, (6) it is
    /// told. An update that changes nothing keeps the version and tells nothing.
    /// </summary>
    /// <exception cref="RpcException">NOT_FOUND, PERMISSION_DENIED, ABORTED, FAILED_PRECONDITION,
    /// RESOURCE_EXHAUSTED.</exception>
    public static TaskItem Update(TaskChange change, TaskItem wanted, TaskField[] fields, long expectedVersion)
    {
        TaskRow row = change.Visible(wanted.Id);
        TaskItem before = row.ToProto();
        string listId = Masks(fields, "task_list_id") ? wanted.TaskListId : row.ListId;
        if (listId != row.ListId)
        {
            change.RequireVisibleList(listId);
        }

        string parentId = Masks(fields, "parent_id") ? wanted.ParentId : before.ParentId;
        bool sameParent = listId == row.ListId && parentId == before.ParentId;
        TaskRow? parent = parentId.Length > 0 && !sameParent ? change.Visible(parentId) : null;
        change.Caller.RequireMember(change.Db, row.ListId, "task", row.Id);
        if (listId != row.ListId)
        {
            change.Caller.RequireMember(change.Db, listId);
        }

        UpdateMask.RequireVersion(expectedVersion, row.Version);
        Set(change, row, wanted, fields);
        TaskItem after = row.ToProto();
        string[] changed = [.. fields.Where(field => !field.Same(before, after)).Select(field => field.Path)];
        if (changed.Length == 0)
        {
            return after;
        }

        Require(change, row, before, parent);
        TaskTerms.Replace(change.Scope, before, row);
        change.Touch(row);
        after = row.ToProto();
        if (listId == before.TaskListId)
        {
            change.TellUpdated(after, changed, before);
            return after;
        }

        Move(change, row, before);
        return after;
    }

    private static bool Masks(TaskField[] fields, string path) => fields.Any(field => field.Path == path);

    private static void Set(TaskChange change, TaskRow row, TaskItem wanted, TaskField[] fields)
    {
        foreach (TaskField field in fields)
        {
            field.Set(wanted, row);
        }

        if (row.Rank.Length == 0)
        {
            row.Rank = change.NextRank(change.LastRank(row.ListId));
        }
    }

    private static void Require(TaskChange change, TaskRow row, TaskItem before, TaskRow? parent)
    {
        bool moves = row.ListId != before.TaskListId;
        if (row.AssigneeId is { } assignee && (moves || assignee != before.AssigneeId))
        {
            change.RequireAssignee(row.ListId, assignee);
        }

        if (!moves && (row.ParentId ?? "") == before.ParentId)
        {
            return;
        }

        if (parent is not null && row.StepCount > 0)
        {
            throw Fault.Precondition("TASK_HAS_STEPS", "A task that has steps cannot become a step.");
        }

        if (before.ParentId.Length > 0)
        {
            change.RemoveStep(before.ParentId);
        }

        if (parent is not null)
        {
            change.AddStep(parent, row.ListId);
        }
    }

    /// <summary>
    /// A task moves with its steps, which are of its list by rule. A step moves only if its parent changes with it,
    /// or is cleared: nothing but what the mask names is changed.
    /// </summary>
    private static void Move(TaskChange change, TaskRow row, TaskItem before)
    {
        TaskRow[] steps = row.StepCount > 0 ? [.. change.Db.Tasks.Where(task => task.ParentId == row.Id)] : [];
        foreach (string assignee in steps.Select(step => step.AssigneeId).OfType<string>().Distinct())
        {
            change.RequireAssignee(row.ListId, assignee);
        }

        change.Count(before.TaskListId, -1 - steps.Length);
        change.Count(row.ListId, 1 + steps.Length);
        change.TellDeleted(before);
        change.TellCreated(row.ToProto());
        foreach (TaskRow step in steps)
        {
            TaskItem was = step.ToProto();
            change.TellDeleted(was);
            step.ListId = row.ListId;
            TaskTerms.Replace(change.Scope, was, step);
            change.Touch(step);
            change.TellCreated(step.ToProto());
        }
    }
}
