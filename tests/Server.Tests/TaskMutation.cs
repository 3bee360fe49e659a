using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Squall.V1;

namespace Squall.Server.Tests;

/// <summary>
/// A call that changes a list, or what is in it: its request, by an owner of the list that is given, another body that
/// is as good, and how it is called.
/// </summary>
internal sealed record TaskMutation(
    string Rpc,
    Func<Client, Client, TaskList, Task<IMessage>> Prepare,
    Action<Client, IMessage> Differ,
    Func<Client, IMessage, Task<IMessage>> Call)
{
    public static readonly TaskMutation[] All =
    [
        Of<CreateTaskListRequest, CreateTaskListResponse>(
            "TaskListService/CreateTaskList",
            (_, _, _) => Task.FromResult(new CreateTaskListRequest { TaskList = new() { Title = "new" } }),
            (_, request) => request.TaskList.Title = "other",
            (who, request) => who.Lists.CreateTaskListAsync(request, who.Headers)),
        Of<UpdateTaskListRequest, UpdateTaskListResponse>(
            "TaskListService/UpdateTaskList",
            (_, _, list) => Task.FromResult(new UpdateTaskListRequest
            {
                TaskList = new() { Id = list.Id, Title = "changed" },
                UpdateMask = new FieldMask { Paths = { "title" } },
            }),
            (_, request) => request.TaskList.Title = "other",
            (who, request) => who.Lists.UpdateTaskListAsync(request, who.Headers)),
        Of<DeleteTaskListRequest, DeleteTaskListResponse>(
            "TaskListService/DeleteTaskList",
            (_, _, list) => Task.FromResult(new DeleteTaskListRequest { TaskListId = list.Id }),
            (_, request) => request.ExpectedVersion = 1,
            (who, request) => who.Lists.DeleteTaskListAsync(request, who.Headers)),
        Of<SetMemberRequest, SetMemberResponse>(
            "TaskListService/SetMember",
            (_, bob, list) => Task.FromResult(new SetMemberRequest
            {
                TaskListId = list.Id, Username = bob.Account.Username, Role = Role.Viewer,
            }),
            (_, request) => request.Role = Role.Editor,
            (who, request) => who.Lists.SetMemberAsync(request, who.Headers)),
        Of<RemoveMemberRequest, RemoveMemberResponse>(
            "TaskListService/RemoveMember",
            async (ada, bob, list) =>
            {
                await ada.ShareAsync(list, bob, Role.Owner);
                return new() { TaskListId = list.Id, AccountId = bob.Account.Id };
            },
            (ada, request) => request.AccountId = ada.Account.Id,
            (who, request) => who.Lists.RemoveMemberAsync(request, who.Headers)),
        Of<CreateTaskRequest, CreateTaskResponse>(
            "TaskService/CreateTask",
            (_, _, list) => Task.FromResult(new CreateTaskRequest
            {
                Task = new() { TaskListId = list.Id, Title = "new", Labels = { "a" } },
            }),
            (_, request) => request.Task.Title = "other",
            (who, request) => who.Tasks.CreateTaskAsync(request, who.Headers)),
        Of<BatchCreateTasksRequest, BatchCreateTasksResponse>(
            "TaskService/BatchCreateTasks",
            (_, _, list) => Task.FromResult(new BatchCreateTasksRequest
            {
                TaskListId = list.Id,
                Tasks = { new TaskItem { Title = "one", Note = "n" }, new TaskItem { Title = "two" } },
            }),
            (_, request) => request.Tasks[1].Title = "other",
            (who, request) => who.Tasks.BatchCreateTasksAsync(request, who.Headers)),
        Of<UpdateTaskRequest, UpdateTaskResponse>(
            "TaskService/UpdateTask",
            async (ada, _, list) =>
                TaskCalls.UpdateOf(await ada.AddAsync(list), task => task.Title = "changed", "title"),
            (_, request) => request.Task.Title = "other",
            (who, request) => who.Tasks.UpdateTaskAsync(request, who.Headers)),
        Of<CompleteTaskRequest, CompleteTaskResponse>(
            "TaskService/CompleteTask",
            async (ada, _, list) => new() { TaskId = (await ada.AddAsync(list)).Id },
            (_, request) => request.ExpectedVersion = 1,
            (who, request) => who.Tasks.CompleteTaskAsync(request, who.Headers)),
        Of<CancelTaskRequest, CancelTaskResponse>(
            "TaskService/CancelTask",
            async (ada, _, list) => new() { TaskId = (await ada.AddAsync(list)).Id },
            (_, request) => request.ExpectedVersion = 1,
            (who, request) => who.Tasks.CancelTaskAsync(request, who.Headers)),
        Of<ReopenTaskRequest, ReopenTaskResponse>(
            "TaskService/ReopenTask",
            async (ada, _, list) => new() { TaskId = (await ada.CompleteAsync(await ada.AddAsync(list))).Id },
            (_, request) => request.ExpectedVersion = 2,
            (who, request) => who.Tasks.ReopenTaskAsync(request, who.Headers)),
        Of<DeleteTaskRequest, DeleteTaskResponse>(
            "TaskService/DeleteTask",
            async (ada, _, list) => new() { TaskId = (await ada.AddAsync(list)).Id },
            (_, request) => request.ExpectedVersion = 1,
            (who, request) => who.Tasks.DeleteTaskAsync(request, who.Headers)),
        Of<CreateCommentRequest, CreateCommentResponse>(
            "TaskService/CreateComment",
            async (ada, _, list) => new() { Comment = new() { TaskId = (await ada.AddAsync(list)).Id, Text = "new" } },
            (_, request) => request.Comment.Text = "other",
            (who, request) => who.Tasks.CreateCommentAsync(request, who.Headers)),
    ];

    public static TaskMutation Named(string rpc) => All.Single(mutation => mutation.Rpc == rpc);

    /// <summary>A request as it is, under this id.</summary>
    public static IMessage Under(string id, IMessage request)
    {
        IMessage under = request.Descriptor.Parser.ParseFrom(request.ToByteString());
        request.Descriptor.FindFieldByName("request_id").Accessor.SetValue(under, id);
        return under;
    }

    /// <summary>Another body, under the same id.</summary>
    public IMessage Other(Client ada, IMessage request)
    {
        IMessage other = request.Descriptor.Parser.ParseFrom(request.ToByteString());
        Differ(ada, other);
        return other;
    }

    private static TaskMutation Of<TRequest, TAnswer>(
        string rpc,
        Func<Client, Client, TaskList, Task<TRequest>> prepare,
        Action<Client, TRequest> differ,
        Func<Client, TRequest, AsyncUnaryCall<TAnswer>> call)
        where TRequest : class, IMessage
        where TAnswer : class, IMessage => new(
            rpc,
            async (ada, bob, list) => await prepare(ada, bob, list),
            (ada, request) => differ(ada, (TRequest)request),
            async (who, request) => await call(who, (TRequest)request));
}
