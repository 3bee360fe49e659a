using Google.Protobuf;
using Grpc.Core;
using Microsoft.EntityFrameworkCore;
using Squall.V1;

namespace Squall.Server;

/// <summary>The tasks, in the contract's order.</summary>
internal sealed class TaskRpcs(Store store, Mutations mutations, Limits limits) : TaskService.TaskServiceBase
{
    // What a task's server-made fields take in an answer at most: ids, times, rank, version.
    private const int ServerFieldBytesMax = 320;

    private static readonly Func<SquallDb, string, string, TaskRow?> SeenBy =
        EF.CompileQuery((SquallDb db, string id, string accountId) => db.Tasks.AsNoTracking().SingleOrDefault(
            task => task.Id == id && db.Members.Any(member =>
                member.ListId == task.ListId && member.AccountId == accountId && member.EndSeq == null)));

    public override Task<CreateTaskResponse> CreateTask(CreateTaskRequest request, ServerCallContext context)
    {
        TaskItem task = request.Task ?? throw Fault.Required("task");
        TaskFields.CheckNew(task, "task", limits);
        return ChangeAsync(context, request, request.RequestId, change => new CreateTaskResponse
        {
            Task = TaskCreation.Create(change, task.TaskListId, [task])[0],
        });
    }

    public override Task<BatchCreateTasksResponse> BatchCreateTasks(
        BatchCreateTasksRequest request, ServerCallContext context)
    {
        CheckBatch(request);
        return ChangeAsync(context, request, request.RequestId, change =>
        {
            var answer = new BatchCreateTasksResponse();
            foreach (TaskItem task in TaskCreation.Create(change, request.TaskListId, request.Tasks))
            {
                task.Note = "";
                answer.Tasks.Add(task);
            }

            return answer;
        });
    }

    public override async Task<GetTaskResponse> GetTask(GetTaskRequest request, ServerCallContext context)
    {
        string id = RequireId("task_id", request.TaskId);
        Caller caller = Caller.Of(context);
        TaskRow? task = await store.ReadAsync(db => SeenBy(db, id, caller.AccountId), context.CancellationToken);
        return new GetTaskResponse
        {
            Task = task is not null && caller.Reaches(task.ListId) ? task.ToProto() : throw Fault.NotFound("task", id),
        };
    }

    public override Task<ListTasksResponse> ListTasks(ListTasksRequest request, ServerCallContext context)
    {
        Caller caller = Caller.Of(context);
        Filter filter = Filter.Parse(request.Filter, limits);
        TaskOrder order = TaskOrder.Parse(request.OrderBy, oneList: filter.OnlyList is not null);
        int size = PageToken.Size(request.PageSize, limits);
        var token = new PageToken(caller.AccountId, context.Method, request.Filter, request.OrderBy);
        var pages = new TaskPages(caller, filter, order, token.Read(request.PageToken, order.KeyCount), size);
        return store.ReadAsync(db => pages.Read(db, token, limits.AnswerBytesMax), context.CancellationToken);
    }

    public override Task<UpdateTaskResponse> UpdateTask(UpdateTaskRequest request, ServerCallContext context)
    {
        TaskItem task = request.Task ?? throw Fault.Required("task");
        string id = RequireId("task.id", task.Id);
        UpdateMask.CheckVersion(request.ExpectedVersion);
        TaskField[] fields = TaskFields.CheckMasked(task, request.UpdateMask, limits);
        if (task.ParentId == id && fields.Any(field => field.Path == "parent_id"))
        {
            throw Fault.Field("task.parent_id", "PARENT_IS_SELF", "a task is no step of itself");
        }

        return ChangeAsync(context, request, request.RequestId, change => new UpdateTaskResponse
        {
            Task = TaskUpdate.Update(change, task, fields, request.ExpectedVersion),
        });
    }

    public override Task<CompleteTaskResponse> CompleteTask(CompleteTaskRequest request, ServerCallContext context)
    {
        string id = RequireId("task_id", request.TaskId);
        UpdateMask.CheckVersion(request.ExpectedVersion);
        return ChangeAsync(context, request, request.RequestId, change => new CompleteTaskResponse
        {
            Task = TaskStates.Complete(change, id, request.ExpectedVersion),
        });
    }

    public override Task<CancelTaskResponse> CancelTask(CancelTaskRequest request, ServerCallContext context)
    {
        string id = RequireId("task_id", request.TaskId);
        UpdateMask.CheckVersion(request.ExpectedVersion);
        return ChangeAsync(context, request, request.RequestId, change => new CancelTaskResponse
        {
            Task = TaskStates.Cancel(change, id, request.ExpectedVersion),
        });
    }

    public override Task<ReopenTaskResponse> ReopenTask(ReopenTaskRequest request, ServerCallContext context)
    {
        string id = RequireId("task_id", request.TaskId);
        UpdateMask.CheckVersion(request.ExpectedVersion);
        return ChangeAsync(context, request, request.RequestId, change => new ReopenTaskResponse
        {
            Task = TaskStates.Reopen(change, id, request.ExpectedVersion),
        });
    }

    public override Task<DeleteTaskResponse> DeleteTask(DeleteTaskRequest request, ServerCallContext context)
    {
        string id = RequireId("task_id", request.TaskId);
        UpdateMask.CheckVersion(request.ExpectedVersion);
        return ChangeAsync(context, request, request.RequestId, change =>
        {
            TaskDeletion.Delete(change, id, request.ExpectedVersion);
            return new DeleteTaskResponse();
        });
    }

    public override Task<CreateCommentResponse> CreateComment(CreateCommentRequest request, ServerCallContext context)
    {
        Comment comment = request.Comment ?? throw Fault.Required("comment");
        string id = RequireId("comment.task_id", comment.TaskId);
        string text = Text.AllowBytes("comment.text", comment.Text, limits.CommentBytesMax, lines: true);
        if (text.Length == 0)
        {
            throw Fault.Required("comment.text");
        }

        return ChangeAsync(context, request, request.RequestId, change => new CreateCommentResponse
        {
            Comment = Conversation.Add(change, id, text),
        });
    }

    public override Task<ListCommentsResponse> ListComments(ListCommentsRequest request, ServerCallContext context)
    {
        Caller caller = Caller.Of(context);
        string id = RequireId("task_id", request.TaskId);
        int size = PageToken.Size(request.PageSize, limits);
        var token = new PageToken(caller.AccountId, context.Method, id);
        string? after = token.Read(request.PageToken, 1)?[0];
        return store.ReadAsync(
            db => Conversation.Read(db, caller, id, token, after, size, limits.AnswerBytesMax),
            context.CancellationToken);
    }

    private Task<TAnswer> ChangeAsync<TAnswer>(
        ServerCallContext context, IMessage request, string requestId, Func<TaskChange, TAnswer> change)
        where TAnswer : IMessage<TAnswer>, new()
    {
        Caller caller = Caller.Of(context);
        return mutations.RunAsync(
            context, request, requestId, scope => change(new TaskChange(scope, caller, limits)));
    }

    private void CheckBatch(BatchCreateTasksRequest request)
    {
        RequireId("task_list_id", request.TaskListId);
        if (request.Tasks.Count == 0)
        {
            throw Fault.Required("tasks");
        }

        if (request.Tasks.Count > limits.BatchTasksMax)
        {
            throw Fault.Field("tasks", "TOO_MANY", $"at most {limits.BatchTasksMax} tasks");
        }

        long bytes = 0;
        for (int at = 0; at < request.Tasks.Count; at++)
        {
            TaskItem task = request.Tasks[at].Clone();
            if (task.TaskListId.Length > 0 && task.TaskListId != request.TaskListId)
            {
                throw Fault.Field($"tasks[{at}].task_list_id", "LIST_DIFFERS", "must be empty or the batch's");
            }

            task.TaskListId = request.TaskListId;
            TaskFields.CheckNew(task, $"tasks[{at}]", limits);
            task.Note = "";
            bytes += task.CalculateSize() + ServerFieldBytesMax;
        }

        if (bytes > limits.AnswerBytesMax)
        {
            throw Fault.Field("tasks", "ANSWER_TOO_LARGE", $"the answer would pass {limits.AnswerBytesMax} bytes");
        }
    }

    private static string RequireId(string field, string id) => id.Length == 0 ? throw Fault.Required(field) : id;
}
