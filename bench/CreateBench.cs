using System.Diagnostics;
using System.Globalization;
using Grpc.Core;
using Grpc.Net.Client;
using Squall.Client;
using Squall.Server;
using Squall.V1;

namespace Squall.Bench;

/// <summary>A server with a list, and a file with the same schema beside it, for what creating tasks costs.</summary>
internal sealed class CreateBench : IAsyncDisposable
{
    private readonly CommitFloor _commits;
    private readonly SquallClient _client;
    private readonly TimeSpan _flush;
    private readonly TimeProvider _time;

    private CreateBench(
        ServerProcess server, SqliteFile database, CommitFloor commits, TaskItem task, string token, TimeSpan flush,
        TimeProvider time)
    {
        (Server, Database, _commits, Task, Token) = (server, database, commits, task, token);
        (_flush, _time) = (flush, time);
        _client = new SquallClient(new SquallClientOptions { Endpoint = server.Address, Token = token });
    }

    public ServerProcess Server { get; }

    /// <summary>The server's, to read.</summary>
    public SqliteFile Database { get; }

    /// <summary>One that is there.</summary>
    public TaskItem Task { get; }

    /// <summary>Of a throw-away account.</summary>
    public string Token { get; }

    /// <param name="flush">How much longer a flush takes than on this machine's disk.</param>
    public static async Task<CreateBench> StartAsync(string folder, TimeSpan flush, TimeProvider time)
    {
        string data = Path.Combine(folder, "server");
        var environment = new Dictionary<string, string>();
        if (flush > TimeSpan.Zero)
        {
            environment["LD_PRELOAD"] = BuildSlowFlush(folder);
            environment["SLOW_FLUSH_MICROS"] = flush.TotalMicroseconds.ToString("F0", CultureInfo.InvariantCulture);
        }

        ServerProcess server = await ServerProcess.StartAsync(
            environment, "Squall.Server.dll", "--http", "127.0.0.1:0", "--https", "off", "--data", data);
        (TaskItem task, string token) = await PrepareAsync(server.Address);
        string floor = Path.Combine(folder, "floor.db");
        using (var store = new Store(floor))
        using (SquallDb db = store.OpenWriter())
        {
            Schema.Migrate(db);
        }

        var database = new SqliteFile(Path.Combine(data, "squall.db"), readOnly: true);
        int bytes = (int)database.Number("SELECT max(length(Notification)) FROM changes WHERE TaskId <> ''");
        return new CreateBench(
            server, database, new CommitFloor(floor, bytes, flush, time), task, token, flush, time);
    }

    /// <summary>As on a disk that makes about 300 commits a second.</summary>
    public static async Task RunSlowlyAsync(Rounds rounds, string folder, TimeProvider time)
    {
        string own = Directory.CreateDirectory(Path.Combine(folder, "slow")).FullName;
        await using CreateBench slow = await StartAsync(own, TimeSpan.FromMilliseconds(3), time);
        await slow.RunAsync(rounds, 64);
    }

    public async Task RunAsync(Rounds rounds, params int[] callersEach)
    {
        string on = _flush == TimeSpan.Zero ? "" : $", flushes {_flush.TotalMilliseconds:N0} ms longer";
        foreach (int callers in callersEach)
        {
            (string, Measure) single = ("a commit a call", duration => Floor(1, duration));
            (string, Measure) group = ("group commit", duration => Floor(callers, duration));
            await rounds.RunAsync(
                $"CreateTask, {callers}{on}", duration => CreateAsync(callers, duration),
                callers == 1 ? [single] : [group, single]);
        }

        Task<Measurement> Floor(int inCommit, TimeSpan duration) =>
            System.Threading.Tasks.Task.FromResult(_commits.Measure(inCommit, duration));
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        _commits.Dispose();
        Database.Dispose();
        await Server.DisposeAsync();
    }

    /// <summary>
    /// By the SDK, which gives each call a request id. What was answered must also be there.
    /// </summary>
    private async Task<Measurement> CreateAsync(int callers, TimeSpan duration)
    {
        long before = CountTasks();
        TimeSpan cpu = Server.Cpu;
        long begun = _time.GetTimestamp();
        long[] calls = await System.Threading.Tasks.Task.WhenAll(
            Enumerable.Range(0, callers).Select(_ => System.Threading.Tasks.Task.Run(CallAsync)));
        var measured = new Measurement(calls.Sum(), _time.GetElapsedTime(begun), Server.Cpu - cpu);
        long made = CountTasks() - before;
        return made >= measured.Calls
            ? measured
            : throw new InvalidOperationException($"CreateTask answered {measured.Calls} times and made {made} tasks.");

        async Task<long> CallAsync()
        {
            long count = 0;
            for (; _time.GetElapsedTime(begun) < duration; count++)
            {
                await _client.Tasks.CreateAsync(Task.TaskListId, "A task of the bench");
            }

            return count;
        }
    }

    private long CountTasks() => Database.Number("SELECT count(*) FROM tasks");

    private static async Task<(TaskItem Task, string Token)> PrepareAsync(Uri server)
    {
        using var channel = GrpcChannel.ForAddress(server);
        string token = await Audience.AccountAsync(channel, "bench");
        Metadata headers = Audience.Bearing(token);
        CreateTaskListResponse list = await new TaskListService.TaskListServiceClient(channel).CreateTaskListAsync(
            new CreateTaskListRequest { TaskList = new TaskList { Title = "Bench" } }, headers);
        CreateTaskResponse task = await new TaskService.TaskServiceClient(channel).CreateTaskAsync(
            new CreateTaskRequest
            {
                Task = new TaskItem { TaskListId = list.TaskList.Id, Title = "A task of the bench" },
            },
            headers);
        return (task.Task, token);
    }

    private static string BuildSlowFlush(string folder)
    {
        string library = Path.Combine(folder, "slow-flush.so");
        string source = Path.Combine(AppContext.BaseDirectory, "slow-flush.c");
        using Process gcc = Process.Start(
            "gcc", ["-O2", "-Wall", "-Werror", "-shared", "-fPIC", "-o", library, source, "-ldl"]);
        gcc.WaitForExit();
        return gcc.ExitCode == 0 ? library : throw new NotHereException("gcc cannot build slow-flush.c.");
    }
}
