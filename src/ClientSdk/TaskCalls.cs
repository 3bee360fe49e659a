using Google.Protobuf.WellKnownTypes;
using Squall.V1;

namespace Squall.Client;

internal sealed class TaskCalls(TaskService.TaskServiceClient raw, Answers answers) : ITasks
{
    public Task<TaskItem> CreateAsync(TaskItem task, CallSettings? settings, CancellationToken cancellationToken)
    {
        var request = new CreateTaskRequest { Task = task, RequestId = settings?.RequestId ?? "" };
        return answers.OfAsync(
            options => raw.CreateTaskAsync(request, options), answer => answer.Task, settings, cancellationToken);
    }

    public Task<IReadOnlyList<TaskItem>> CreateManyAsync(
        string listId, IEnumerable<TaskItem> tasks, CallSettings? settings, CancellationToken cancellationToken)
    {
        var request = new BatchCreateTasksRequest { TaskListId = listId, RequestId = settings?.RequestId ?? "" };
        request.Tasks.AddRange(tasks);
        return answers.OfAsync(
            options => raw.BatchCreateTasksAsync(request, options), answer => (IReadOnlyList<TaskItem>)answer.Tasks,
            settings, cancellationToken);
    }

    public Task<TaskItem> GetAsync(string taskId, CallSettings? settings, CancellationToken cancellationToken) =>
        answers.OfAsync(
            options => raw.GetTaskAsync(new GetTaskRequest { TaskId = taskId }, options), answer => answer.Task,
            settings, cancellationToken);

    public PagedItems<TaskItem> List(string filter, string orderBy, int pageSize, CallSettings? settings) =>
        new((token, cancellationToken) => answers.OfAsync(
            options => raw.ListTasksAsync(
                new ListTasksRequest { Filter = filter, OrderBy = orderBy, PageSize = pageSize, PageToken = token },
                options),
            answer => new Page<TaskItem>(answer.Tasks, answer.NextPageToken), settings, cancellationToken));

    public Task<TaskItem> UpdateAsync(
        TaskItem task, FieldMask mask, long expectedVersion, CallSettings? settings,
        CancellationToken cancellationToken)
    {
        var request = new UpdateTaskRequest
        {
            Task = task,
            UpdateMask = mask,
            ExpectedVersion = expectedVersion,
            RequestId = settings?.RequestId ?? "",
        };
        return answers.OfAsync(
            options => raw.UpdateTaskAsync(request, options), answer => answer.Task, settings, cancellationToken);
    }

    public Task<TaskItem> CompleteAsync(
        string taskId, long expectedVersion, CallSettings? settings, CancellationToken cancellationToken)
    {
        var request = new CompleteTaskRequest
        {
            TaskId = taskId,
            ExpectedVersion = expectedVersion,
            RequestId = settings?.RequestId ?? "",
        };
        return answers.OfAsync(
            options => raw.CompleteTaskAsync(request, options), answer => answer.Task, settings, cancellationToken);
    }

    public Task<TaskItem> CancelAsync(
        string taskId, long expectedVersion, CallSettings? settings, CancellationToken cancellationToken)
    {
        var request = new CancelTaskRequest
        {
            TaskId = taskId,
            ExpectedVersion = expectedVersion,
            RequestId = settings?.RequestId ?? "",
        };
        return answers.OfAsync(
            options => raw.CancelTaskAsync(request, options), answer => answer.Task, settings, cancellationToken);
    }

    public Task<TaskItem> ReopenAsync(
        string taskId, long expectedVersion, CallSettings? settings, CancellationToken cancellationToken)
    {
        var request = new ReopenTaskRequest
        {
            TaskId = taskId,
            ExpectedVersion = expectedVersion,
            RequestId = settings?.RequestId ?? "",
        };
        return answers.OfAsync(
            options => raw.ReopenTaskAsync(request, options), answer => answer.Task, settings, cancellationToken);
    }

    public Task DeleteAsync(
        string taskId, long expectedVersion, CallSettings? settings, CancellationToken cancellationToken)
    {
        var request = new DeleteTaskRequest
        {
            TaskId = taskId,
            ExpectedVersion = expectedVersion,
            RequestId = settings?.RequestId ?? "",
        };
        return answers.OfAsync(
            options => raw.DeleteTaskAsync(request, options), answer => answer, settings, cancellationToken);
    }

    public Task<Comment> CommentAsync(
        string taskId, string text, CallSettings? settings, CancellationToken cancellationToken)
    {
        var request = new CreateCommentRequest
        {
            Comment = new Comment { TaskId = taskId, Text = text },
            RequestId = settings?.RequestId ?? "",
        };
        return answers.OfAsync(
            options => raw.CreateCommentAsync(request, options), answer => answer.Comment,
            settings, cancellationToken);
    }

    public PagedItems<Comment> ListComments(string taskId, int pageSize, CallSettings? settings) =>
        new((token, cancellationToken) => answers.OfAsync(
            options => raw.ListCommentsAsync(
                new ListCommentsRequest { TaskId = taskId, PageSize = pageSize, PageToken = token }, options),
            answer => new Page<Comment>(answer.Comments, answer.NextPageToken), settings, cancellationToken));
}
