using Google.Protobuf;
using Grpc.Core;
using Squall.V1;

namespace Squall.Server.Tests;

/// <summary>
/// A task list of an owner's own, and of each RPC a request about it that its owner can make, each on a task, a member
/// or a name of its own.
/// </summary>
internal sealed class Place(ServerFixture server, Client owner, TaskList list)
{
    public Client Owner => owner;

    public TaskList List => list;

    public static async Task<Place> MakeAsync(ServerFixture server, Client owner) =>
        new(server, owner, await owner.CreateListAsync());

    public async Task<string> AddTaskAsync(bool done = false)
    {
        TaskItem task = (await owner.Tasks.CreateTaskAsync(
            new() { Task = new() { TaskListId = list.Id, Title = "a task" } }, owner.Headers)).Task;
        if (done)
        {
            await owner.Tasks.CompleteTaskAsync(new() { TaskId = task.Id }, owner.Headers);
        }

        return task.Id;
    }

    /// <summary>A new account, without a session.</summary>
    public Task<Account> AddAccountAsync() => server.Get<Journal>().RunAsync(
        scope =>
        {
            string id = Ids.New(scope.NowMicros);
            var row = new AccountRow { Id = id, Username = $"g{id.Replace("-", "", StringComparison.Ordinal)[..30]}" };
            scope.Db.Accounts.Add(row);
            return row.ToProto();
        },
        null, 0, CancellationToken.None);

    public async Task<string> AddMemberAsync()
    {
        Account account = await AddAccountAsync();
        await owner.Lists.SetMemberAsync(
            new() { TaskListId = list.Id, Username = account.Username, Role = Role.Viewer }, owner.Headers);
        return account.Id;
    }

    /// <param name="rpc">As <see cref="Contract.NameOf"/> writes it.</param>
    public async Task<IMessage> RequestAsync(string rpc) => rpc switch
    {
        "GreeterService/SayHello" => new SayHelloRequest { Name = "you" },
        "TaskListService/CreateTaskList" => new CreateTaskListRequest { TaskList = new() { Title = "another" } },
        "TaskListService/GetTaskList" => new GetTaskListRequest { TaskListId = list.Id },
        "TaskListService/ListTaskLists" => new ListTaskListsRequest(),
        "TaskListService/UpdateTaskList" => new UpdateTaskListRequest
        {
            TaskList = new() { Id = list.Id, Title = "renamed" }, UpdateMask = new() { Paths = { "title" } },
        },
        "TaskListService/DeleteTaskList" => new DeleteTaskListRequest { TaskListId = list.Id },
        "TaskListService/ListMembers" => new ListMembersRequest { TaskListId = list.Id },
        "TaskListService/SetMember" => new SetMemberRequest
        {
            TaskListId = list.Id, Username = (await AddAccountAsync()).Username, Role = Role.Worker,
        },
        "TaskListService/RemoveMember" => new RemoveMemberRequest
        {
            TaskListId = list.Id, AccountId = await AddMemberAsync(),
        },
        "TaskService/CreateTask" => new CreateTaskRequest { Task = new() { TaskListId = list.Id, Title = "new" } },
        "TaskService/BatchCreateTasks" => new BatchCreateTasksRequest
        {
            TaskListId = list.Id, Tasks = { new TaskItem { Title = "one" }, new TaskItem { Title = "two" } },
        },
        "TaskService/GetTask" => new GetTaskRequest { TaskId = await AddTaskAsync() },
        "TaskService/ListTasks" => new ListTasksRequest(),
        "TaskService/UpdateTask" => new UpdateTaskRequest
        {
            Task = new() { Id = await AddTaskAsync(), TaskListId = list.Id, Title = "changed" },
            UpdateMask = new() { Paths = { "title", "task_list_id", "parent_id" } },
        },
        "TaskService/CompleteTask" => new CompleteTaskRequest { TaskId = await AddTaskAsync() },
        "TaskService/CancelTask" => new CancelTaskRequest { TaskId = await AddTaskAsync() },
        "TaskService/ReopenTask" => new ReopenTaskRequest { TaskId = await AddTaskAsync(done: true) },
        "TaskService/DeleteTask" => new DeleteTaskRequest { TaskId = await AddTaskAsync() },
        "TaskService/CreateComment" => new CreateCommentRequest
        {
            Comment = new() { TaskId = await AddTaskAsync(), Text = "well" },
        },
        "TaskService/ListComments" => new ListCommentsRequest { TaskId = await AddTaskAsync() },
        _ => await SessionRequestAsync(rpc),
    };

    /// <summary>Of sessions and streams, and of what later versions answer.</summary>
    private async Task<IMessage> SessionRequestAsync(string rpc) => rpc switch
    {
        "AuthService/Login" => new LoginRequest { Username = await RegisterAsync(), Password = Client.Password },
        "AuthService/LoginWithIdToken" => new LoginWithIdTokenRequest
        {
            IdToken = StaticIssuer.Token(server.Get<TimeProvider>().GetUtcNow()),
            Username = $"i{Guid.NewGuid():N}"[..32],
        },
        "AuthService/RefreshSession" => new RefreshSessionRequest { RefreshToken = await BeginSessionAsync() },
        "AuthService/Logout" => new LogoutRequest(),
        "AuthService/ListSessions" => new ListSessionsRequest(),
        "AuthService/RevokeSession" => new RevokeSessionRequest { SessionId = await BeginOtherSessionAsync() },
        "AccountService/UpdateAccount" => new UpdateAccountRequest
        {
            Account = new() { DisplayName = "another" }, UpdateMask = new() { Paths = { "display_name" } },
        },
        "AccountService/ChangePassword" => new ChangePasswordRequest
        {
            CurrentPassword = Client.Password, NewPassword = Secrets.Password(),
        },
        "AccountService/CreateApiKey" => new CreateApiKeyRequest
        {
            ApiKey = new() { Title = "a key", Role = Role.Viewer, TaskListIds = { list.Id } },
        },
        "AccountService/ListApiKeys" => new ListApiKeysRequest(),
        "AccountService/RevokeApiKey" => new RevokeApiKeyRequest { ApiKeyId = (await owner.AddKeyAsync()).Key.Id },
        "AccountService/DeleteAccount" => new DeleteAccountRequest { Password = Client.Password },
        "AccountService/RegisterAccount" => new RegisterAccountRequest
        {
            Username = $"r{Guid.NewGuid():N}"[..32], Password = Client.Password, DisplayName = "someone",
        },
        "AccountService/GetAccount" => new GetAccountRequest(),
        "NotificationService/Subscribe" => new SubscribeRequest(),
        "NotificationService/ListNotifications" => new ListNotificationsRequest(),
        _ when Contract.IsLater(Contract.Method(rpc)) =>
            Contract.Method(rpc).InputType.Parser.ParseFrom(ByteString.Empty),
        _ => throw new InvalidOperationException($"There is no request of {rpc}: write one."),
    };

    private async Task<string> RegisterAsync()
    {
        string username = $"l{Guid.NewGuid():N}"[..32];
        await owner.Accounts.RegisterAccountAsync(new() { Username = username, Password = Client.Password });
        return username;
    }

    private async Task<string> BeginOtherSessionAsync()
    {
        string token = await BeginSessionAsync();
        return await server.Get<Store>().ReadAsync(
            db => db.Tokens.Single(row => row.Hash == Token.Hash(token)).SessionId, CancellationToken.None);
    }

    private Task<string> BeginSessionAsync() => server.Get<Journal>().RunAsync(
        scope => server.Get<SessionChanges>().Begin(scope, owner.Account.Id, "test").RefreshToken,
        null, 0, CancellationToken.None);
}
