using Google.Protobuf;
using Grpc.Health.V1;
using Squall.V1;
using Alpha = Grpc.Reflection.V1Alpha;
using Stable = Grpc.Reflection.V1;

namespace Squall.Server.Tests;

/// <summary>
/// Whether a call that was answered OK has done what it says: by the rows of the database, read apart from the service.
/// </summary>
/// <param name="db">As it is after the call.</param>
/// <param name="actor">Who called.</param>
/// <param name="list">What the call was about.</param>
internal sealed class MatrixEffects(SquallDb db, Actor actor, TaskList list)
{
    private string AccountId => actor.Account.Account.Id;

    /// <summary>What matrix.txt calls it; or else what is missing, or too much.</summary>
    public string Of(IMessage request, IMessage? answer) => (request, answer) switch
    {
        (ListTaskListsRequest, ListTaskListsResponse page) => Of(page),
        (ListTasksRequest, ListTasksResponse page) => Of(page.Tasks),
        (ListNotificationsRequest, ListNotificationsResponse page) => Of(page.Messages),
        _ => IsSeen(request, answer) ? "+" : $"OK, but no effect of {request} is seen",
    };

    /// <summary>Of tasks that were listed: all there are in what the caller reaches, and no other.</summary>
    public string Of(IEnumerable<TaskItem> tasks)
    {
        List<string> lists = Reached();
        string[] all = [.. db.Tasks.Where(task => lists.Contains(task.ListId)).Select(task => task.Id)];
        return Same(tasks.Select(task => task.Id), all)
            ? Sign(tasks.Any(task => task.TaskListId == list.Id))
            : "OK, but not with the tasks of the lists that it reaches";
    }

    /// <summary>
    /// Of what was told: nothing of others' lists, save, to whoever saw it, that one was deleted.
    /// </summary>
    public string Of(IEnumerable<SubscribeResponse> told)
    {
        Notification[] all = [.. told.Select(message => message.Notification ?? message.Left).OfType<Notification>()];
        List<string> lists = Reached();
        Notification[] stray = [.. all.Where(one => !lists.Contains(one.TaskListId))];
        if (stray.FirstOrDefault(one => one.TaskListDeleted is null || !Saw(one.TaskListId)) is { } other)
        {
            return $"OK, but told of another's list: {other}";
        }

        return stray.Any(one => one.TaskListId == list.Id) ? "d"
            : Sign(all.Any(one => one.TaskCreated?.Task.TaskListId == list.Id));
    }

    private string Of(ListTaskListsResponse page) =>
        Same(page.TaskLists.Select(one => one.Id), Reached())
            ? Sign(page.TaskLists.Any(one => one.Id == list.Id))
            : "OK, but not with the lists that it reaches";

    private bool IsSeen(IMessage request, IMessage? answer) => (request, answer) switch
    {
        (SetMemberRequest set, _) => RoleOf(db.Accounts.Single(row => row.Username == set.Username).Id) == set.Role,
        (RemoveMemberRequest removed, _) => RoleOf(removed.AccountId) is null,
        (UpdateTaskListRequest update, _) => db.TaskLists.Single(row => row.Id == list.Id).Title
            == update.TaskList.Title,
        (DeleteTaskListRequest, _) => !db.Members.Any(row => row.ListId == list.Id && row.EndSeq == null),
        (GetTaskListRequest, GetTaskListResponse got) => got.TaskList.Id == list.Id,
        (ListMembersRequest, ListMembersResponse page) => Same(
            page.Members.Select(member => member.AccountId),
            db.Members.Where(row => row.ListId == list.Id && row.EndSeq == null).Select(row => row.AccountId)),
        (CreateTaskListRequest, CreateTaskListResponse made) => db.Members.Any(
            row => row.ListId == made.TaskList.Id && row.AccountId == AccountId),
        _ => IsSeenOfTask(request, answer),
    };

    private bool IsSeenOfTask(IMessage request, IMessage? answer) => (request, answer) switch
    {
        (CreateTaskRequest, CreateTaskResponse made) => ListOf(made.Task.Id) == list.Id,
        (BatchCreateTasksRequest batch, BatchCreateTasksResponse made) => made.Tasks.Count == batch.Tasks.Count
            && made.Tasks.All(task => ListOf(task.Id) == list.Id),
        (GetTaskRequest get, GetTaskResponse got) => got.Task.Id == get.TaskId && got.Task.TaskListId == list.Id,
        (UpdateTaskRequest update, _) => db.Tasks.Single(row => row.Id == update.Task.Id).Title == update.Task.Title,
        (CompleteTaskRequest done, _) => StateOf(done.TaskId) == TaskState.Done,
        (CancelTaskRequest cancelled, _) => StateOf(cancelled.TaskId) == TaskState.Cancelled,
        (ReopenTaskRequest opened, _) => StateOf(opened.TaskId) == TaskState.Open,
        (DeleteTaskRequest deleted, _) => ListOf(deleted.TaskId) is null,
        (CreateCommentRequest said, CreateCommentResponse made) => db.Comments.Any(row =>
            row.Id == made.Comment.Id && row.TaskId == said.Comment.TaskId && row.AuthorId == AccountId),
        (ListCommentsRequest asked, ListCommentsResponse page) => page.Comments.Count > 0 && Same(
            page.Comments.Select(comment => comment.Id),
            db.Comments.Where(row => row.TaskId == asked.TaskId).Select(row => row.Id)),
        _ => IsSeenOfAccount(request, answer),
    };

    private bool IsSeenOfAccount(IMessage request, IMessage? answer) => (request, answer) switch
    {
        (RegisterAccountRequest made, _) => db.Accounts.Any(row => row.Username == made.Username),
        (GetAccountRequest, GetAccountResponse got) => got.Account.Id == AccountId,
        (UpdateAccountRequest update, _) => Own().DisplayName == update.Account.DisplayName,
        (ChangePasswordRequest, _) => Own().PasswordHash != Client.PasswordHash,
        (DeleteAccountRequest, _) => Own().DeleteTimeMicros is not null,
        (CreateApiKeyRequest, CreateApiKeyResponse made) => HasKey(made, list.Id),
        (ListApiKeysRequest, ListApiKeysResponse page) => Same(
            page.ApiKeys.Select(key => key.Id),
            db.ApiKeys.Where(row => row.AccountId == AccountId).Select(row => row.Id)),
        (RevokeApiKeyRequest revoked, _) => !db.ApiKeys.Any(row => row.Id == revoked.ApiKeyId),
        _ => IsSeenOfSession(request, answer),
    };

    private bool IsSeenOfSession(IMessage request, IMessage? answer) => (request, answer) switch
    {
        (LoginRequest, LoginResponse login) => login.Account.Id == AccountId && IsLive(login.Tokens),
        (LoginWithIdTokenRequest, LoginWithIdTokenResponse login) => IsLive(login.Tokens),
        (RefreshSessionRequest, RefreshSessionResponse next) => IsLive(next.Tokens),
        (LogoutRequest, _) => !IsLive(actor.Account.Tokens),
        (ListSessionsRequest, ListSessionsResponse page) => Same(
            page.Sessions.Select(session => session.Id),
            db.Sessions.Where(row => row.AccountId == AccountId).Select(row => row.Id)),
        (RevokeSessionRequest revoked, _) => !db.Sessions.Any(row => row.Id == revoked.SessionId),
        (SayHelloRequest hello, SayHelloResponse said) => said.Message == $"Hello, {hello.Name}",
        (HealthCheckRequest, HealthCheckResponse health) =>
            health.Status == HealthCheckResponse.Types.ServingStatus.Serving,
        (HealthListRequest, HealthListResponse health) => health.Statuses.Count > 0,
        (Stable.ServerReflectionRequest, Stable.ServerReflectionResponse told) =>
            told.ListServicesResponse.Service.Count > 0,
        (Alpha.ServerReflectionRequest, Alpha.ServerReflectionResponse told) =>
            told.ListServicesResponse.Service.Count > 0,
        _ => false,
    };

    private AccountRow Own() => db.Accounts.Single(row => row.Id == AccountId);

    private bool IsLive(Tokens tokens)
    {
        byte[] hash = Token.Hash(tokens.AccessToken);
        return db.Tokens.Any(row => row.Hash == hash && db.Sessions.Any(session => session.Id == row.SessionId));
    }

    private bool HasKey(CreateApiKeyResponse made, string listId)
    {
        byte[] hash = Token.Hash(made.Secret);
        return db.ApiKeys.Any(row => row.Hash == hash && row.AccountId == AccountId && row.ListIds == listId);
    }

    private string? ListOf(string taskId) =>
        db.Tasks.Where(row => row.Id == taskId).Select(row => row.ListId).SingleOrDefault();

    private TaskState StateOf(string taskId) => (TaskState)db.Tasks.Single(row => row.Id == taskId).State;

    private Role? RoleOf(string accountId) => (Role?)db.Members.SingleOrDefault(
        row => row.ListId == list.Id && row.AccountId == accountId && row.EndSeq == null)?.Role;

    /// <summary>The lists of the caller's account, of those that its key leaves it.</summary>
    private List<string> Reached() =>
    [
        .. db.Members.Where(row => row.AccountId == AccountId && row.EndSeq == null).Select(row => row.ListId)
            .AsEnumerable().Where(actor.Reaches),
    ];

    private bool Saw(string listId) =>
        actor.Reaches(listId) && db.Members.Any(row => row.ListId == listId && row.AccountId == AccountId);

    private static string Sign(bool isThere) => isThere ? "+" : "0";

    private static bool Same(IEnumerable<string> one, IEnumerable<string> other) =>
        one.Order(StringComparer.Ordinal).SequenceEqual(other.Order(StringComparer.Ordinal));
}
