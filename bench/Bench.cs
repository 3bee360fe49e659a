using Grpc.Core;
using Grpc.Net.Client;
using Squall.Client;
using Squall.Server;
using Squall.V1;

namespace Squall.Bench;

/// <summary>The servers, an account and a list on ours, and what is measured of them.</summary>
internal sealed class Bench : IAsyncDisposable
{
    private readonly H2Load _load;
    private readonly ServerProcess _server;
    private readonly ServerProcess _constant;
    private readonly ServerProcess _endpoint;
    private readonly CommitFloor _commits;
    private readonly SqliteFile _database;
    private readonly ReadFloor _reads;
    private readonly TaskItem _task;
    private readonly string _token;
    private readonly SquallClient _client;
    private readonly TimeProvider _time;

    private Bench(
        H2Load load, ServerProcess server, ServerProcess constant, ServerProcess endpoint, CommitFloor commits,
        SqliteFile database, TaskItem task, string token, TimeProvider time)
    {
        (_load, _server, _constant, _endpoint) = (load, server, constant, endpoint);
        (_commits, _database) = (commits, database);
        // The token of a bench's own throw-away account.
        (_task, _token) = (task, $"authorization: Bearer {token}");
        _client = new SquallClient(new SquallClientOptions { Endpoint = server.Address, Token = token });
        _time = time;
        _reads = new ReadFloor(database, task, time);
    }

    public static async Task<Bench> StartAsync(string folder, TimeProvider time)
    {
        string data = Path.Combine(folder, "server");
        ServerProcess server = await ServerProcess.StartAsync(
            "Squall.Server.dll", "--http", "127.0.0.1:0", "--https", "off", "--data", data);
        ServerProcess constant = await ServerProcess.StartAsync("Squall.Bench.dll", "constant");
        ServerProcess endpoint = await ServerProcess.StartAsync("Squall.Bench.dll", "endpoint");
        (TaskItem task, string token) = await PrepareAsync(server.Address);
        string floor = Path.Combine(folder, "floor.db");
        using (var store = new Store(floor))
        using (SquallDb db = store.OpenWriter())
        {
            Schema.Migrate(db);
        }

        var database = new SqliteFile(Path.Combine(data, "squall.db"), readOnly: true);
        int bytes = (int)database.Number("SELECT max(length(Notification)) FROM changes WHERE TaskId <> ''");
        return new Bench(
            new H2Load(time, folder), server, constant, endpoint, new CommitFloor(floor, bytes, time), database, task,
            token, time);
    }

    public async Task SayHelloAsync(Rounds rounds)
    {
        const string Method = "/squall.v1.GreeterService/SayHello";
        var request = new SayHelloRequest { Name = "bench" };
        SayHelloResponse answer = ConstantServer.Answer;
        foreach ((int connections, int each) in ((int, int)[])[(1, 1), (8, 32)])
        {
            await rounds.RunAsync(
                $"SayHello, {connections} × {each}",
                duration => _load.MeasureAsync(_server, Method, request, answer, connections, each, duration),
                ("bare endpoint",
                    duration => _load.MeasureAsync(_endpoint, Method, request, answer, connections, each, duration)),
                ("Kestrel alone",
                    duration => _load.MeasureAsync(_constant, Method, request, answer, connections, each, duration)));
        }
    }

    public Task GetTaskAsync(Rounds rounds) => rounds.RunAsync(
        "GetTask, 8 × 32",
        duration => _load.MeasureAsync(
            _server, "/squall.v1.TaskService/GetTask", new GetTaskRequest { TaskId = _task.Id },
            new GetTaskResponse { Task = _task }, 8, 32, duration, _token),
        ("prepared read", duration => Task.FromResult(_reads.Measure(duration))));

    public async Task CreateTaskAsync(Rounds rounds)
    {
        foreach (int callers in (int[])[1, 8, 64, 512])
        {
            (string, Measure) single = ("a commit a call", duration => Floor(1, duration));
            (string, Measure) group = ("group commit", duration => Floor(callers, duration));
            await rounds.RunAsync(
                $"CreateTask, {callers}", duration => CreateAsync(callers, duration),
                callers == 1 ? [single] : [group, single]);
        }

        Task<Measurement> Floor(int inCommit, TimeSpan duration) =>
            Task.FromResult(_commits.Measure(inCommit, duration));
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        _commits.Dispose();
        _database.Dispose();
        await _server.DisposeAsync();
        await _constant.DisposeAsync();
        await _endpoint.DisposeAsync();
    }

    /// <summary>
    /// By the SDK, which gives each call a request id. What was answered must also be there.
    /// </summary>
    private async Task<Measurement> CreateAsync(int callers, TimeSpan duration)
    {
        long before = CountTasks();
        TimeSpan cpu = _server.Cpu;
        long begun = _time.GetTimestamp();
        long[] calls = await Task.WhenAll(Enumerable.Range(0, callers).Select(_ => Task.Run(CallAsync)));
        var measured = new Measurement(calls.Sum(), _time.GetElapsedTime(begun), _server.Cpu - cpu);
        long made = CountTasks() - before;
        return made >= measured.Calls
            ? measured
            : throw new InvalidOperationException($"CreateTask answered {measured.Calls} times and made {made} tasks.");

        async Task<long> CallAsync()
        {
            long count = 0;
            for (; _time.GetElapsedTime(begun) < duration; count++)
            {
                await _client.Tasks.CreateAsync(_task.TaskListId, "A task of the bench");
            }

            return count;
        }
    }

    private long CountTasks() => _database.Number("SELECT count(*) FROM tasks");

    private static TaskItem NewTask(string listId) => new() { TaskListId = listId, Title = "A task of the bench" };

    private static async Task<(TaskItem Task, string Token)> PrepareAsync(Uri server)
    {
        using var channel = GrpcChannel.ForAddress(server);
        string token = await Audience.AccountAsync(channel, "bench");
        Metadata headers = Audience.Bearing(token);
        CreateTaskListResponse list = await new TaskListService.TaskListServiceClient(channel).CreateTaskListAsync(
            new CreateTaskListRequest { TaskList = new TaskList { Title = "Bench" } }, headers);
        CreateTaskResponse task = await new TaskService.TaskServiceClient(channel).CreateTaskAsync(
            new CreateTaskRequest { Task = NewTask(list.TaskList.Id) }, headers);
        return (task.Task, token);
    }
}
