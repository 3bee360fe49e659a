using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Grpc.Net.Client;
using Squall.V1;

namespace Squall.Server.Tests;

/// <summary>Someone who calls a server over gRPC: with a session, or without.</summary>
internal sealed class Client : IDisposable
{
    public static readonly string Password = Secrets.Password();

    /// <summary>Of <see cref="Password"/>, hashed once for all accounts of the tests, which pay for it.</summary>
    private static readonly Lazy<Task<string>> Hash = new(async () =>
    {
        using var passwords = new Passwords(new Limits());
        return await passwords.HashAsync(Password, CancellationToken.None);
    });

    private readonly GrpcChannel _channel;

    /// <summary>What is stored for each account of <see cref="SignInAsync"/>, until its password changes.</summary>
    public static string PasswordHash => Hash.Value.Result;

    public Client(Uri address)
    {
        _channel = GrpcChannel.ForAddress(address);
        Auth = new AuthService.AuthServiceClient(_channel);
        Accounts = new AccountService.AccountServiceClient(_channel);
        Lists = new TaskListService.TaskListServiceClient(_channel);
        Tasks = new TaskService.TaskServiceClient(_channel);
        Notifications = new NotificationService.NotificationServiceClient(_channel);
        Work = new WorkService.WorkServiceClient(_channel);
    }

    public AuthService.AuthServiceClient Auth { get; }
    public AccountService.AccountServiceClient Accounts { get; }
    public TaskListService.TaskListServiceClient Lists { get; }
    public TaskService.TaskServiceClient Tasks { get; }
    public NotificationService.NotificationServiceClient Notifications { get; }
    public WorkService.WorkServiceClient Work { get; }
    public Account Account { get; private set; } = new();
    public Tokens Tokens { get; private set; } = new();

    /// <summary>What a call of this session sends.</summary>
    public Metadata Headers => Bearer(Tokens.AccessToken);

    public static Metadata Bearer(string token) => new() { { "authorization", $"Bearer {token}" } };

    /// <summary>A new account with a session, made without hashing a password.</summary>
    public static async Task<Client> SignInAsync(ServerFixture server, string username, bool hasPassword = true)
    {
        string? hash = hasPassword ? await Hash.Value : null;
        (Account account, Tokens tokens) = await server.Get<Journal>().RunAsync(
            scope =>
            {
                var row = new AccountRow
                {
                    Id = Ids.New(scope.NowMicros), Username = username, PasswordHash = hash,
                };
                scope.Db.Accounts.Add(row);
                return (row.ToProto(), server.Get<SessionChanges>().Begin(scope, row.Id, "test"));
            },
            null, 0, CancellationToken.None);
        Secrets.Remember("access", tokens.AccessToken);
        Secrets.Remember("refresh", tokens.RefreshToken);
        return new Client(server.Address) { Account = account, Tokens = tokens };
    }

    /// <summary>A new account with a session, made as anyone makes one.</summary>
    public static async Task<Client> RegisterAsync(Uri address, string username)
    {
        var client = new Client(address);
        await client.Accounts.RegisterAccountAsync(new() { Username = username, Password = Password });
        LoginResponse login = await client.Auth.LoginAsync(new() { Username = username, Password = Password });
        (client.Account, client.Tokens) = (login.Account, login.Tokens);
        return client;
    }

    /// <summary>The same session on a connection of its own; after a restart, where the server is now.</summary>
    public Client On(Uri address) => new(address) { Account = Account, Tokens = Tokens };

    public async Task<TaskList> CreateListAsync(string title = "a list") =>
        (await Lists.CreateTaskListAsync(new() { TaskList = new() { Title = title } }, Headers)).TaskList;

    public async Task<Member> ShareAsync(TaskList list, Client with, Role role) =>
        (await Lists.SetMemberAsync(
            new() { TaskListId = list.Id, Username = with.Account.Username, Role = role }, Headers)).Member;

    public async Task<(ApiKey Key, Metadata Headers)> AddKeyAsync(
        Role role = Role.Owner, Timestamp? expires = null, params TaskList[] lists)
    {
        var key = new ApiKey { Role = role, ExpireTime = expires, TaskListIds = { lists.Select(list => list.Id) } };
        CreateApiKeyResponse made = await Accounts.CreateApiKeyAsync(new() { ApiKey = key }, Headers);
        return (made.ApiKey, Bearer(made.Secret));
    }

    public void Dispose() => _channel.Dispose();
}
