using System.Collections.Concurrent;
using Grpc.Core;
using Grpc.Net.Client;
using Squall.V1;

namespace Squall.Bench;

/// <summary>So many lists and tasks in one database.</summary>
internal sealed record DatabaseSize(int Lists, int Tasks);

/// <summary>
/// The server over a database of one size. It is filled over the contract, half of its tasks are done, and then the
/// server starts anew, so that what is measured has run as long at every size.
/// </summary>
internal sealed class GrownServer : IAsyncDisposable
{
    /// <summary>Of the list that is worked in: the same at every size.</summary>
    public const int ListTasks = 100;

    /// <summary>Of the account that is a member of few of the lists.</summary>
    public const int FewLists = 10;

    private const int OwnerListsMax = 10_000;
    private const int BatchTasksMax = 1_000;
    private const int CallersMax = 256;
    private const int TasksInCallsMax = 8_000;
    private static readonly string[] Limits = ["--access-lifetime", "1d", "--log-level", "warning"];
    private readonly ServerProcess _server;
    private readonly GrpcChannel _channel;

    private GrownServer(ServerProcess server, Filling filling)
    {
        _server = server;
        _channel = GrpcChannel.ForAddress(server.Address);
        Owner = new GrowthCaller(_channel, filling.Owners[0], filling.Lists[0]);
        Member = new GrowthCaller(_channel, filling.Member, filling.Lists[0]);
    }

    public TimeSpan Cpu => _server.Cpu;

    /// <summary>Owns the list that is worked in, and as many more as an account may.</summary>
    public GrowthCaller Owner { get; }

    /// <summary>An editor of that list, and of few others.</summary>
    public GrowthCaller Member { get; }

    public static async Task<GrownServer> FillAsync(string folder, DatabaseSize size, TimeProvider time)
    {
        long begun = time.GetTimestamp();
        string data = Path.Combine(folder, $"{size.Lists}-{size.Tasks}");
        Filling filling;
        await using (ServerProcess server = await StartAsync(data))
        {
            using var channel = GrpcChannel.ForAddress(server.Address);
            filling = await Filling.BeginAsync(channel, size);
            await filling.RunAsync();
        }

        double megabytes = new DirectoryInfo(data).EnumerateFiles().Sum(file => file.Length) / 1e6;
        Console.WriteLine($"{size.Lists:N0} lists, {size.Tasks:N0} tasks: {megabytes:N0} MB, filled in "
            + $"{time.GetElapsedTime(begun).TotalSeconds:N0} s.");
        return new GrownServer(await StartAsync(data), filling);
    }

    public async ValueTask DisposeAsync()
    {
        await _channel.ShutdownAsync();
        _channel.Dispose();
        await _server.DisposeAsync();
    }

    private static Task<ServerProcess> StartAsync(string data) => ServerProcess.StartAsync(
        "Squall.Server.dll", ["--http", "127.0.0.1:0", "--https", "off", "--data", data, .. Limits]);

    /// <summary>Fills a database, with many calls at once.</summary>
    private sealed class Filling(GrpcChannel channel, DatabaseSize size, string[] owners, string member)
    {
        private readonly TaskListService.TaskListServiceClient _lists = new(channel);
        private readonly TaskService.TaskServiceClient _tasks = new(channel);

        public string[] Owners => owners;
        public string Member => member;
        public string[] Lists { get; } = new string[size.Lists];

        public static async Task<Filling> BeginAsync(GrpcChannel channel, DatabaseSize size)
        {
            var owners = new List<string>();
            for (int from = 0; from < size.Lists; from += OwnerListsMax)
            {
                owners.Add(await Audience.AccountAsync(channel, $"owner-{owners.Count}"));
            }

            return new Filling(channel, size, [.. owners], await Audience.AccountAsync(channel, "member"));
        }

        /// <summary>(1) The lists, (2) who shares them, (3) their tasks, (4) of which every second is done.</summary>
        public async Task RunAsync()
        {
            await AtOnceAsync(Enumerable.Range(0, size.Lists), CallersMax, CreateListAsync);
            await AtOnceAsync(Enumerable.Range(0, Math.Min(size.Lists, FewLists)), 1, ShareAsync);
            var done = new ConcurrentBag<(int List, string TaskId)>();
            int each = Math.Max(1, (size.Tasks - ListTasks) / Math.Max(1, size.Lists - 1));
            await AtOnceAsync(
                Enumerable.Range(0, size.Lists), Math.Clamp(TasksInCallsMax / each, 1, CallersMax),
                list => CreateTasksAsync(list, done));
            await AtOnceAsync(done, CallersMax, async task => await _tasks.CompleteTaskAsync(
                new CompleteTaskRequest { TaskId = task.TaskId, RequestId = GrowthCaller.NewId() },
                OwnerOf(task.List)));
        }

        private async Task CreateListAsync(int list)
        {
            CreateTaskListResponse made = await _lists.CreateTaskListAsync(
                new CreateTaskListRequest
                {
                    TaskList = new TaskList { Title = GrowthText.ListTitle(list) },
                    RequestId = GrowthCaller.NewId(),
                },
                OwnerOf(list));
            Lists[list] = made.TaskList.Id;
        }

        private async Task ShareAsync(int list) => await _lists.SetMemberAsync(
            new SetMemberRequest { TaskListId = Lists[list], Username = "member", Role = Role.Editor },
            OwnerOf(list));

        /// <summary>The first list has its tasks; the others share the rest.</summary>
        private async Task CreateTasksAsync(int list, ConcurrentBag<(int List, string TaskId)> done)
        {
            (long others, long rest) = (Math.Max(1, size.Lists - 1), size.Tasks - ListTasks);
            int from = list == 0 ? 0 : (int)(ListTasks + (rest * (list - 1) / others));
            int end = list == 0 ? ListTasks : (int)(ListTasks + (rest * list / others));
            for (int at = from; at < end; at += BatchTasksMax)
            {
                var batch = new BatchCreateTasksRequest { TaskListId = Lists[list], RequestId = GrowthCaller.NewId() };
                batch.Tasks.AddRange(Enumerable.Range(at, Math.Min(BatchTasksMax, end - at)).Select(GrowthText.Task));
                BatchCreateTasksResponse made = await _tasks.BatchCreateTasksAsync(batch, OwnerOf(list));
                for (int number = at % 2; number < made.Tasks.Count; number += 2)
                {
                    done.Add((list, made.Tasks[number].Id));
                }
            }
        }

        private Metadata OwnerOf(int list) => Audience.Bearing(owners[list / OwnerListsMax]);

        private static Task AtOnceAsync<T>(IEnumerable<T> items, int callers, Func<T, Task> call) =>
            Parallel.ForEachAsync(
                items, new ParallelOptions { MaxDegreeOfParallelism = callers }, async (item, _) => await call(item));
    }
}
