using Grpc.Core;

namespace Squall.Server.Tests;

/// <summary>What an id names.</summary>
internal enum Thing
{
    TaskList,
    TaskItem,
    Comment,
    Account,
    Session,
    ApiKey,
}

/// <summary>What a caller is answered whose request names what is another's.</summary>
/// <param name="Field">As a path; of a repeated field any one of them.</param>
internal sealed record ForeignId(string Rpc, string Field, Thing Thing, StatusCode Code, string Reason)
{
    public bool IsIgnored => Code == StatusCode.OK;
}

/// <summary>
/// Every text of every request, by hand from the contract: those that name something, and those that do not. What is
/// another's is answered as if it did not exist, or not looked at, since the server sets the field.
/// </summary>
internal static class ForeignIds
{
    public static readonly IReadOnlyList<ForeignId> Table =
    [
        Unseen("TaskListService/GetTaskList", "task_list_id", Thing.TaskList),
        Unseen("TaskListService/UpdateTaskList", "task_list.id", Thing.TaskList),
        Unseen("TaskListService/DeleteTaskList", "task_list_id", Thing.TaskList),
        Unseen("TaskListService/ListMembers", "task_list_id", Thing.TaskList),
        Unseen("TaskListService/SetMember", "task_list_id", Thing.TaskList),
        Unseen("TaskListService/RemoveMember", "task_list_id", Thing.TaskList),
        Unseen("TaskListService/RemoveMember", "account_id", Thing.Account),
        Unseen("TaskService/CreateTask", "task.task_list_id", Thing.TaskList),
        Unseen("TaskService/CreateTask", "task.parent_id", Thing.TaskItem),
        NoMember("TaskService/CreateTask", "task.assignee_id"),
        Unseen("TaskService/BatchCreateTasks", "task_list_id", Thing.TaskList),
        new("TaskService/BatchCreateTasks", "tasks.task_list_id", Thing.TaskList,
            StatusCode.InvalidArgument, "LIST_DIFFERS"),
        Unseen("TaskService/BatchCreateTasks", "tasks.parent_id", Thing.TaskItem),
        NoMember("TaskService/BatchCreateTasks", "tasks.assignee_id"),
        Unseen("TaskService/GetTask", "task_id", Thing.TaskItem),
        Unseen("TaskService/UpdateTask", "task.id", Thing.TaskItem),
        Unseen("TaskService/UpdateTask", "task.task_list_id", Thing.TaskList),
        Unseen("TaskService/UpdateTask", "task.parent_id", Thing.TaskItem),
        NoMember("TaskService/UpdateTask", "task.assignee_id"),
        Unseen("TaskService/CompleteTask", "task_id", Thing.TaskItem),
        Unseen("TaskService/CancelTask", "task_id", Thing.TaskItem),
        Unseen("TaskService/ReopenTask", "task_id", Thing.TaskItem),
        Unseen("TaskService/DeleteTask", "task_id", Thing.TaskItem),
        Unseen("TaskService/CreateComment", "comment.task_id", Thing.TaskItem),
        Unseen("TaskService/ListComments", "task_id", Thing.TaskItem),
        Unseen("AccountService/CreateApiKey", "api_key.task_list_ids", Thing.TaskList),
        Unseen("AccountService/RevokeApiKey", "api_key_id", Thing.ApiKey),
        Unseen("AuthService/RevokeSession", "session_id", Thing.Session),

        SetByServer("TaskListService/CreateTaskList", "task_list.id", Thing.TaskList),
        SetByServer("TaskService/CreateTask", "task.id", Thing.TaskItem),
        SetByServer("TaskService/CreateTask", "task.creator_id", Thing.Account),
        SetByServer("TaskService/BatchCreateTasks", "tasks.id", Thing.TaskItem),
        SetByServer("TaskService/BatchCreateTasks", "tasks.creator_id", Thing.Account),
        SetByServer("TaskService/UpdateTask", "task.creator_id", Thing.Account),
        SetByServer("TaskService/CreateComment", "comment.id", Thing.Comment),
        SetByServer("TaskService/CreateComment", "comment.author_id", Thing.Account),
        SetByServer("AccountService/UpdateAccount", "account.id", Thing.Account),
        SetByServer("AccountService/CreateApiKey", "api_key.id", Thing.ApiKey),
    ];

    /// <summary>What else leads somewhere, each with a test of its own.</summary>
    public static readonly IReadOnlyList<string> Tested =
    [
        "request_id", "page_token", "after",
        "filter", // AccessTests
        "refresh_token", // AuthRefreshTests: whoever has it, has the session
    ];

    /// <summary>
    /// Texts that name nothing; or, as usernames, what the contract tells: by ALREADY_EXISTS and, to owners, NOT_FOUND.
    /// </summary>
    public static readonly IReadOnlyList<string> Texts =
    [
        "name", "title", "note", "labels", "rank", "recurrence", "time_zone", "text", "order_by", "display_name",
        "username", "password", "current_password", "new_password", "id_token", "nonce",
        "kind", "error", "worker_id", // of work: a worker's name for itself
    ];

    private static ForeignId Unseen(string rpc, string field, Thing thing) =>
        new(rpc, field, thing, StatusCode.NotFound, "NOT_FOUND");

    private static ForeignId NoMember(string rpc, string field) =>
        new(rpc, field, Thing.Account, StatusCode.FailedPrecondition, "ASSIGNEE_NOT_MEMBER");

    private static ForeignId SetByServer(string rpc, string field, Thing thing) =>
        new(rpc, field, thing, StatusCode.OK, "");
}
