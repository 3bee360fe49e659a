using Grpc.Core;
using Squall.V1;

namespace Squall.Server;

/// <summary>The comments on a task.</summary>
internal static class Conversation
{
    /// <summary>Adds a comment, which leaves the task's version as it is.</summary>
    /// <exception cref="RpcException">NOT_FOUND, PERMISSION_DENIED, RESOURCE_EXHAUSTED.</exception>
    public static Comment Add(TaskChange change, string taskId, string text)
    {
        TaskRow task = change.Find(taskId);
        if (++task.CommentCount > change.Limits.TaskCommentsMax)
        {
            throw Fault.LimitReached(
                "COMMENTS_LIMIT", $"A task has at most {change.Limits.TaskCommentsMax} comments.");
        }

        var row = new CommentRow
        {
            Id = change.NewId(),
            TaskId = taskId,
            AuthorId = change.Caller.AccountId,
            Text = text,
            CreateTimeMicros = change.NowMicros,
        };
        change.Db.Comments.Add(row);
        Comment comment = row.ToProto();
        change.TellComment(comment, task.ToProto());
        return comment;
    }

    /// <summary>A page of them, oldest first.</summary>
    /// <exception cref="RpcException">NOT_FOUND.</exception>
    public static ListCommentsResponse Read(
        SquallDb db, Caller caller, string taskId, PageToken token, string? after, int size, int bytesMax)
    {
        string listId = db.Tasks.Where(task => task.Id == taskId).Select(task => task.ListId).SingleOrDefault()
            ?? throw Fault.NotFound("task", taskId);
        caller.RequireMember(db, listId, "task", taskId);
        IQueryable<CommentRow> rows = db.Comments.Where(comment => comment.TaskId == taskId);
        if (after is not null)
        {
            rows = rows.Where(comment => string.Compare(comment.Id, after) > 0);
        }

        var page = new ListCommentsResponse();
        page.NextPageToken = PageFill.Take(
            rows.OrderBy(comment => comment.Id).Take(size + 1).AsEnumerable(), size, bytesMax,
            row => row.ToProto(), page.Comments, last => token.Write(last.Id));
        return page;
    }
}
