using Grpc.Core;
using Grpc.Net.Client;
using Squall.V1;

namespace Squall.Bench;

/// <summary>A list, its owner, who writes, and accounts that may read it.</summary>
internal sealed class Audience : IAsyncDisposable
{
    // Of a bench's own throw-away accounts.
    private static readonly string Password = Secrets.Password();
    private const int BatchTasks = 1_000;
    private readonly GrpcChannel _writer;
    private readonly GrpcChannel[] _readers;
    private readonly Metadata _owner;
    private readonly string _listId;

    private Audience(GrpcChannel writer, GrpcChannel[] readers, Metadata owner, string listId, string[] tokens)
    {
        (_writer, _readers, _owner, _listId) = (writer, readers, owner, listId);
        Tokens = tokens;
    }

    /// <summary>Of those who may read.</summary>
    public IReadOnlyList<string> Tokens { get; }

    public static async Task<Audience> OfAsync(Uri server, int readers)
    {
        GrpcChannel channel = GrpcChannel.ForAddress(server);
        Metadata owner = Bearing(await AccountAsync(channel, "owner"));
        var lists = new TaskListService.TaskListServiceClient(channel);
        CreateTaskListResponse list = await lists.CreateTaskListAsync(
            new CreateTaskListRequest { TaskList = new TaskList { Title = "Bench" } }, owner);
        var tokens = new List<string>();
        for (int at = 0; at < readers; at++)
        {
            string name = $"reader-{at}";
            tokens.Add(await AccountAsync(channel, name));
            await lists.SetMemberAsync(
                new SetMemberRequest { TaskListId = list.TaskList.Id, Username = name, Role = Role.Viewer }, owner);
        }

        GrpcChannel[] channels = [.. tokens.Select(_ => GrpcChannel.ForAddress(server))];
        return new Audience(channel, channels, owner, list.TaskList.Id, [.. tokens]);
    }

    public async Task<TaskItem> CreateAsync(string title)
    {
        CreateTaskResponse made = await new TaskService.TaskServiceClient(_writer).CreateTaskAsync(
            new CreateTaskRequest { Task = new TaskItem { TaskListId = _listId, Title = title } }, _owner);
        return made.Task;
    }

    public async Task CreateAsync(int count)
    {
        var tasks = new TaskService.TaskServiceClient(_writer);
        for (int made = 0; made < count; made += BatchTasks)
        {
            var batch = new BatchCreateTasksRequest { TaskListId = _listId };
            batch.Tasks.AddRange(Enumerable.Range(0, BatchTasks).Select(_ => new TaskItem { Title = "A change" }));
            await tasks.BatchCreateTasksAsync(batch, _owner);
        }
    }

    public AsyncServerStreamingCall<SubscribeResponse> Subscribe(SubscribeRequest request, int reader = 0) =>
        new NotificationService.NotificationServiceClient(_readers[reader]).Subscribe(request, Bearing(Tokens[reader]));

    /// <summary>Where the journal ends now.</summary>
    public async Task<string> CursorAsync()
    {
        using AsyncServerStreamingCall<SubscribeResponse> call = Subscribe(new SubscribeRequest());
        await call.ResponseStream.MoveNext();
        return call.ResponseStream.Current.Synced.Cursor;
    }

    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(_readers.Append(_writer).Select(channel => channel.ShutdownAsync()));
        Array.ForEach(_readers, channel => channel.Dispose());
        _writer.Dispose();
    }

    public static Metadata Bearing(string token) => new() { { "authorization", $"Bearer {token}" } };

    /// <summary>Makes an account, and logs in to it: its token.</summary>
    public static async Task<string> AccountAsync(GrpcChannel channel, string name)
    {
        await new AccountService.AccountServiceClient(channel).RegisterAccountAsync(
            new RegisterAccountRequest { Username = name, Password = Password });
        LoginResponse login = await new AuthService.AuthServiceClient(channel).LoginAsync(
            new LoginRequest { Username = name, Password = Password });
        return login.Tokens.AccessToken;
    }
}
