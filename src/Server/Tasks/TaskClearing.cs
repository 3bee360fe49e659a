using Google.Protobuf.WellKnownTypes;
using Microsoft.EntityFrameworkCore;
using Squall.V1;

namespace Squall.Server;

/// <summary>
/// What is too much for one change and goes after it, in steps: each is one of the server's own changes, and gives how
/// much it did, 0 when nothing is left.
/// </summary>
internal static class TaskClearing
{
    /// <summary>How many rows a step changes.</summary>
    public const int RowsMax = 500;

    /// <summary>How many lists of a deleted account a step deletes: each changes rows of several tables.</summary>
    private const int OwnListsMax = 100;

    /// <summary>Takes a removed member off the tasks of a list, which is told as their update by the server.</summary>
    public static int Unassign(ChangeScope scope, string listId, string accountId)
    {
        TaskRow[] tasks =
        [
            .. scope.Db.Tasks.Where(task => task.ListId == listId && task.AssigneeId == accountId).Take(RowsMax),
        ];
        foreach (TaskRow task in tasks)
        {
            TaskItem before = task.ToProto();
            task.AssigneeId = null;
            task.Version++;
            task.UpdateTimeMicros = scope.NowMicros;
            TaskItem after = task.ToProto();
            var updated = new TaskUpdated { Task = after, Changed = new FieldMask { Paths = { "assignee_id" } } };
            scope.Tell(
                "", listId, new Notification { TaskUpdated = updated }, task.Id,
                before: TaskBefore.Diff(before, after));
        }

        return tasks.Length;
    }

    /// <summary>
    /// Deletes a list: nobody sees it from here on, of which its members are told. It is cleared away after.
    /// </summary>
    public static void Mark(ChangeScope scope, TaskListRow list, string actorId)
    {
        list.DeleteTimeMicros = scope.NowMicros;
        MemberChanges.EndAll(scope, list.Id);
        var deleted = new Notification { TaskListDeleted = new TaskListDeleted { TaskListId = list.Id } };
        scope.Tell(actorId, list.Id, deleted);
    }

    /// <summary>
    /// Ends memberships of a deleted account: of lists that others share, and, when there are no more of those, its own
    /// lists with them.
    /// </summary>
    public static int LeaveLists(ChangeScope scope)
    {
        string? account = scope.Db.Accounts.Where(row => row.DeleteTimeMicros != null && row.ListCount > 0)
            .OrderBy(row => row.DeleteTimeMicros).Select(row => row.Id).FirstOrDefault();
        IQueryable<MemberRow> left = scope.Db.Members.Where(row => row.AccountId == account && row.EndSeq == null);
        MemberRow[] shared =
            [.. left.Where(row => scope.Db.LiveMembers.Any(other => other.ListId == row.ListId)).Take(RowsMax)];
        foreach (MemberRow member in shared)
        {
            MemberChanges.End(scope, member, member.AccountId);
            scope.Record(new AuditEntry(AuditEvent.MemberRemoved)
            {
                AccountId = member.AccountId, SubjectId = member.AccountId, ListId = member.ListId,
            });
        }

        if (shared.Length > 0)
        {
            return shared.Length;
        }

        string[] own = [.. left.Select(row => row.ListId).Take(OwnListsMax)];
        foreach (TaskListRow list in scope.Db.TaskLists.Where(list => own.Contains(list.Id)).ToArray())
        {
            Mark(scope, list, account!);
            scope.Record(new AuditEntry(AuditEvent.ListDeleted) { AccountId = account, ListId = list.Id });
        }

        return own.Length;
    }

    /// <summary>Removes the tasks of a deleted list, which was told already.</summary>
    public static int ClearList(ChangeScope scope, string listId)
    {
        var cleared = new List<TaskRow>();
        int rows = 0;
        foreach (TaskRow task in scope.Db.Tasks.Where(task => task.ListId == listId).Take(RowsMax).ToArray())
        {
            rows += 2 + task.Labels.Length;
            if (rows > RowsMax && cleared.Count > 0)
            {
                break;
            }

            cleared.Add(task);
        }

        TaskDeletion.Remove(scope, [.. cleared]);
        return cleared.Count;
    }

    /// <summary>Removes the comments of tasks that are gone.</summary>
    public static int ClearComments(ChangeScope scope)
    {
        GoneTaskRow? gone = scope.Db.GoneTasks.OrderBy(task => task.TaskId).FirstOrDefault();
        if (gone is null)
        {
            return 0;
        }

        int removed = scope.Db.Comments.Where(comment => comment.TaskId == gone.TaskId).Take(RowsMax).ExecuteDelete();
        if (removed < RowsMax)
        {
            scope.Db.GoneTasks.Remove(gone);
        }

        return removed + 1;
    }
}
