using Grpc.Core;
using Squall.V1;

namespace Squall.Server;

/// <summary>Creates tasks, all of one list.</summary>
internal static class TaskCreation
{
    /// <summary>
    /// (1) The list and the parents are there and visible, (2) the caller may create, (3) assignees are members and
    /// parents can have steps, (4) each gets its id and rank, and is told.
    /// </summary>
    /// <exception cref="RpcException">NOT_FOUND, PERMISSION_DENIED, FAILED_PRECONDITION, RESOURCE_EXHAUSTED.
    /// </exception>
    public static List<TaskItem> Create(TaskChange change, string listId, IReadOnlyList<TaskItem> tasks)
    {
        Dictionary<string, TaskRow> parents = FindParents(change, listId, tasks);
        change.Caller.RequireMember(change.Db, listId);
        foreach (string assignee in Named(tasks, task => task.AssigneeId))
        {
            change.RequireAssignee(listId, assignee);
        }

        foreach (TaskItem task in tasks.Where(task => task.ParentId.Length > 0))
        {
            change.AddStep(parents[task.ParentId], listId);
        }

        change.Count(listId, tasks.Count);
        return Add(change, listId, tasks);
    }

    private static List<TaskItem> Add(TaskChange change, string listId, IReadOnlyList<TaskItem> tasks)
    {
        string? last = change.LastRank(listId);
        var created = new List<TaskItem>(tasks.Count);
        foreach (TaskItem task in tasks)
        {
            TaskRow row = NewRow(change, listId, task);
            if (row.Rank.Length == 0)
            {
                row.Rank = change.NextRank(last);
            }

            last = string.CompareOrdinal(row.Rank, last) > 0 ? row.Rank : last;
            row.Insert(change.Db);
            TaskTerms.Add(change.Scope, row);
            created.Add(row.ToProto());
            change.TellCreated(created[^1]);
        }

        return created;
    }

    private static TaskRow NewRow(TaskChange change, string listId, TaskItem task)
    {
        var row = new TaskRow
        {
            Num = change.Scope.NextSeq,
            Id = change.NewId(),
            ListId = listId,
            Title = task.Title,
            Rank = task.Rank,
            CreatorId = change.Caller.AccountId,
            CreateTimeMicros = change.NowMicros,
            UpdateTimeMicros = change.NowMicros,
            State = (int)TaskState.Open,
            Version = 1,
        };
        TaskFields.SetAll(task, row);
        row.ListId = listId;
        return row;
    }

    private static Dictionary<string, TaskRow> FindParents(
        TaskChange change, string listId, IReadOnlyList<TaskItem> tasks)
    {
        string[] ids = Named(tasks, task => task.ParentId);
        if (ids.Length > 0)
        {
            change.RequireVisibleList(listId);
        }

        return ids.ToDictionary(id => id, change.Visible, StringComparer.Ordinal);
    }

    private static string[] Named(IReadOnlyList<TaskItem> tasks, Func<TaskItem, string> id) =>
        [.. tasks.Select(id).Where(name => name.Length > 0).Distinct()];
}
