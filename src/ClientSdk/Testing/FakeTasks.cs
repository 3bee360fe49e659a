using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Squall.V1;

namespace Squall.Client.Testing;

/// <summary>Tasks in memory. Every change of one is told to subscriptions.</summary>
internal sealed class FakeTasks(FakeSquallClient client) : ITasks
{
    private readonly List<TaskItem> all = [];
    private readonly List<Comment> comments = [];
    private int made;

    public Task<TaskItem> CreateAsync(TaskItem task, CallSettings? settings, CancellationToken cancellationToken) =>
        client.ChangeAsync(
            nameof(CreateAsync), settings,
            () =>
            {
                RequireTitle(task, "task");
                return Create(task);
            },
            cancellationToken);

    public Task<IReadOnlyList<TaskItem>> CreateManyAsync(
        string listId, IEnumerable<TaskItem> tasks, CallSettings? settings, CancellationToken cancellationToken) =>
        client.ChangeAsync<IReadOnlyList<TaskItem>>(
            nameof(CreateManyAsync), settings,
            () =>
            {
                List<TaskItem> given = [.. tasks.Select(task => new TaskItem(task) { TaskListId = listId })];
                foreach (var (at, task) in given.Index())
                {
                    RequireTitle(task, $"tasks[{at}]");
                }

                return [.. given.Select(task => new TaskItem(Create(task)) { Note = "" })];
            },
            cancellationToken);

    public Task<TaskItem> GetAsync(string taskId, CallSettings? settings, CancellationToken cancellationToken) =>
        client.AnswerAsync(() => Find(taskId).Clone(), cancellationToken);

    public PagedItems<TaskItem> List(string filter, string orderBy, int pageSize, CallSettings? settings) =>
        client.Pages(() => Matching(client.Journal.Sees(filter)), pageSize);

    public Task<TaskItem> UpdateAsync(
        TaskItem task, FieldMask mask, long expectedVersion, CallSettings? settings,
        CancellationToken cancellationToken) =>
        client.ChangeAsync(
            nameof(UpdateAsync), settings,
            () =>
            {
                if (mask.Paths.Count == 0)
                {
                    throw FakeFailure.Field("update_mask", "FIELD_REQUIRED", "must be given");
                }

                if (mask.Paths.Contains("title"))
                {
                    RequireTitle(task, "task");
                }

                var found = Find(task.Id, expectedVersion);
                var before = found.Clone();
                if (mask.Paths.Contains("task_list_id"))
                {
                    client.FakeLists.Find(task.TaskListId);
                }

                mask.Merge(task, found, new FieldMask.MergeOptions
                {
                    ReplaceMessageFields = true,
                    ReplacePrimitiveFields = true,
                    ReplaceRepeatedFields = true,
                });
                Touch(found);
                Updated(before, found, mask);
                return found.Clone();
            },
            cancellationToken);

    public Task<TaskItem> CompleteAsync(
        string taskId, long expectedVersion, CallSettings? settings, CancellationToken cancellationToken) =>
        MoveAsync(
            nameof(CompleteAsync), taskId, expectedVersion, settings, TaskState.Done,
            [TaskState.Open, TaskState.Failed],
            task => new Notification { TaskCompleted = new TaskCompleted { Task = task } }, cancellationToken);

    public Task<TaskItem> CancelAsync(
        string taskId, long expectedVersion, CallSettings? settings, CancellationToken cancellationToken) =>
        MoveAsync(
            nameof(CancelAsync), taskId, expectedVersion, settings, TaskState.Cancelled,
            [TaskState.Open, TaskState.Leased, TaskState.Failed],
            task => new Notification { TaskCancelled = new TaskCancelled { Task = task } }, cancellationToken);

    public Task<TaskItem> ReopenAsync(
        string taskId, long expectedVersion, CallSettings? settings, CancellationToken cancellationToken) =>
        MoveAsync(
            nameof(ReopenAsync), taskId, expectedVersion, settings, TaskState.Open,
            [TaskState.Done, TaskState.Cancelled, TaskState.Failed],
            task => new Notification { TaskReopened = new TaskReopened { Task = task } }, cancellationToken);

    public Task DeleteAsync(
        string taskId, long expectedVersion, CallSettings? settings, CancellationToken cancellationToken) =>
        client.ChangeAsync(
            nameof(DeleteAsync), settings,
            () =>
            {
                var task = Find(taskId, expectedVersion);
                foreach (var gone in all.Where(other => other == task || other.ParentId == taskId).ToList())
                {
                    all.Remove(gone);
                    comments.RemoveAll(comment => comment.TaskId == gone.Id);
                    Tell(gone.TaskListId, Deleted(gone), before: gone);
                }

                return true;
            },
            cancellationToken);

    public Task<Comment> CommentAsync(
        string taskId, string text, CallSettings? settings, CancellationToken cancellationToken) =>
        client.ChangeAsync(
            nameof(CommentAsync), settings,
            () =>
            {
                if (text.Length == 0)
                {
                    throw FakeFailure.Field("comment.text", "FIELD_REQUIRED", "must be given");
                }

                var task = Find(taskId);
                var comment = new Comment
                {
                    Id = $"comment-{++made}",
                    TaskId = taskId,
                    AuthorId = client.Caller.Id,
                    Text = text,
                    CreateTime = client.Time.GetUtcNow().ToTimestamp(),
                };
                comments.Add(comment);
                var told = new Notification { CommentCreated = new CommentCreated { Comment = comment.Clone() } };
                Tell(task.TaskListId, told, after: task);
                return comment.Clone();
            },
            cancellationToken);

    public PagedItems<Comment> ListComments(string taskId, int pageSize, CallSettings? settings) =>
        client.Pages<Comment>(
            () =>
            {
                Find(taskId);
                return [.. comments.Where(comment => comment.TaskId == taskId).Select(comment => comment.Clone())];
            },
            pageSize);

    /// <summary>Copies of the tasks that a filter lets through.</summary>
    public List<TaskItem> Matching(Func<TaskItem, bool> sees) => [.. all.Where(sees).Select(task => task.Clone())];

    /// <summary>A list is gone, and its tasks with it, of which nobody is told.</summary>
    public void Forget(string listId) => all.RemoveAll(task => task.TaskListId == listId);

    private static void RequireTitle(TaskItem task, string field)
    {
        if (task.Title.Length == 0)
        {
            throw FakeFailure.Field($"{field}.title", "FIELD_REQUIRED", "must be given");
        }
    }

    private static Notification Deleted(TaskItem task) =>
        new() { TaskDeleted = new TaskDeleted { TaskId = task.Id } };

    private TaskItem Create(TaskItem task)
    {
        var list = client.FakeLists.Find(task.TaskListId);
        var now = client.Time.GetUtcNow().ToTimestamp();
        var created = new TaskItem(task)
        {
            Id = $"task-{++made}",
            TaskListId = list.Id,
            State = TaskState.Open,
            CreatorId = client.Caller.Id,
            CreateTime = now,
            UpdateTime = now,
            CompleteTime = null,
            Version = 1,
        };
        all.Add(created);
        Tell(list.Id, new Notification { TaskCreated = new TaskCreated { Task = created.Clone() } }, after: created);
        return created.Clone();
    }

    private Task<TaskItem> MoveAsync(
        string call, string taskId, long expectedVersion, CallSettings? settings, TaskState to, TaskState[] from,
        Func<TaskItem, Notification> tell, CancellationToken cancellationToken) =>
        client.ChangeAsync(
            call, settings,
            () =>
            {
                var task = Find(taskId, expectedVersion);
                if (!from.Contains(task.State))
                {
                    throw FakeFailure.Make(
                        StatusCode.FailedPrecondition, $"TASK_{task.State.ToString().ToUpperInvariant()}",
                        $"The task is {task.State}, from where it cannot be {to}.");
                }

                var before = task.Clone();
                task.State = to;
                Touch(task);
                task.CompleteTime = to == TaskState.Done ? task.UpdateTime : null;
                Tell(task.TaskListId, tell(task.Clone()), before, task);
                return task.Clone();
            },
            cancellationToken);

    /// <summary>A task that moved is told as gone from where it was, and as made where it is.</summary>
    private void Updated(TaskItem before, TaskItem after, FieldMask mask)
    {
        if (before.TaskListId == after.TaskListId)
        {
            var told = new TaskUpdated { Task = after.Clone(), Changed = mask.Clone() };
            Tell(after.TaskListId, new Notification { TaskUpdated = told }, before, after);
            return;
        }

        Tell(before.TaskListId, Deleted(before), before: before);
        Tell(
            after.TaskListId, new Notification { TaskCreated = new TaskCreated { Task = after.Clone() } },
            after: after);
    }

    private void Touch(TaskItem task)
    {
        task.Version++;
        task.UpdateTime = client.Time.GetUtcNow().ToTimestamp();
    }

    private TaskItem Find(string taskId, long expectedVersion = 0)
    {
        _ = client.Caller;
        var task = all.Find(task => task.Id == taskId) ?? throw FakeFailure.NotFound("task", taskId);
        return expectedVersion == 0 || expectedVersion == task.Version
            ? task : throw FakeFailure.Version(task.Version);
    }

    private void Tell(string listId, Notification notification, TaskItem? before = null, TaskItem? after = null)
    {
        notification.TaskListId = listId;
        notification.ActorId = client.Caller.Id;
        notification.Time = client.Time.GetUtcNow().ToTimestamp();
        client.Journal.Tell(notification, before, after);
    }
}
