using Grpc.Core;
using Grpc.Core.Interceptors;
using Grpc.Net.Client;
using Squall.V1;

namespace Squall.Faults;

/// <summary>
/// Kills the server under load, again and again: (1) writers change tasks and repeat after an outage what was not
/// answered; (2) subscribers go on after the last cursor they saw, some of them through a proxy that cuts them; (3) the
/// process is stopped at a moment, seen through, and killed; (4) at the end all is compared with the ledger.
/// </summary>
internal sealed class KillRun(string[] program, string folder, int writers, Random random, TimeProvider time)
    : IDisposable
{
    private const string Password = "a long pass phrase for the harness";
    private const int Readers = 8;
    private static readonly TimeSpan WaitMax = TimeSpan.FromMinutes(2);
    private readonly Ledger _ledger = new(writers + 1);
    private readonly Connection _connection = new(time);
    private readonly List<Cutter> _cutters = [];

    public Cuts Cuts => new(_cutters);

    /// <summary>How often a subscriber could not go on where it was, so far.</summary>
    public int CursorsRefused => _ledger.CursorsRefused;

    /// <summary>How many subscribers are cut, beside one that is not.</summary>
    public int CutSubscribers { get; init; }

    /// <summary>What stands between the subscribers and what they are sent, if anything does.</summary>
    public Interceptor[] Reading { get; init; } = [];

    /// <summary>How many calls are answered at least between two kills.</summary>
    public int AnswersBetween { get; init; }

    public Wrecks Wrecks { get; } = new();

    /// <summary>What stands between the server and its files, if anything does.</summary>
    public Disk? Disk { get; init; }

    /// <summary>Stops the server at a moment of its own choice; null: at one of <see cref="KillRun"/>'s.</summary>
    public Action? Stops { get; init; }

    /// <summary>What the server is stopped right after; null: at moments of <see cref="KillRun"/>'s.</summary>
    public Func<KillRun, Task>? StopsAfter { get; init; }

    /// <summary>What happens to the files once the server is killed.</summary>
    public Action? Killed { get; init; }

    /// <summary>Kills until <paramref name="enough"/>, but not more often than that.</summary>
    public async Task<Verdict> RunAsync(Func<Wrecks, bool> enough, int killsMax)
    {
        ServerProcess server = await StartAsync();
        try
        {
            string[] listIds = await PrepareAsync(server.Address);
            if (Disk is not null)
            {
                // What the run stands on is no part of what can be lost.
                _connection.Close();
                await server.EndAsync();
                server = await StartAsync();
                await _connection.OpenAsync(server.Address);
            }

            Task[] subscribing = await SubscribeAsync();
            using var end = new CancellationTokenSource();
            Task[] writing = [.. Enumerable.Range(0, writers).Select(at => NewWriter(at, listIds).RunAsync(end.Token))];
            while (!enough(Wrecks) && Wrecks.Kills < killsMax)
            {
                await AnswersAsync();
                await KillAsync(server);
                server = await StartAsync();
                await _connection.OpenAsync(server.Address);
            }

            await AnswersAsync();
            Task calm = Task.WhenAll(_cutters.Select(cutter => cutter.CalmAsync()));
            await (await Task.WhenAny([calm, .. subscribing]).WaitAsync(WaitMax, time)); // Or of a subscriber's fault.
            await end.CancelAsync();
            await Task.WhenAll(writing).WaitAsync(WaitMax, time);
            await NewWriter(writers, listIds).CreateAsync();
            await Task.WhenAll(subscribing).WaitAsync(WaitMax, time);
            Verdict verdict = await JudgeAsync();
            await server.EndAsync();
            verdict.Count("databases broken", Wrecks.Broken);
            verdict.Count("databases broken at the end", !Wreck.Inspect(folder, false, []).Sound);
            return verdict;
        }
        finally
        {
            await server.DisposeAsync();
        }
    }

    /// <summary>Done when any subscriber is told of a change.</summary>
    public Task ToldAsync() => _ledger.NextTellingAsync();

    /// <summary>Done when any call is answered.</summary>
    public Task AnsweredAsync() => _connection.AnswersAsync(1);

    public void Dispose()
    {
        _connection.Dispose();
        _cutters.ForEach(cutter => cutter.Proxy.Dispose());
    }

    private Task<ServerProcess> StartAsync() => ServerProcess.StartAsync(program, folder, Disk?.Environment);

    private TaskWriter NewWriter(int number, string[] listIds) =>
        new(_ledger.BookOf(number), _connection, listIds, new Random(random.Next()));

    private Task AnswersAsync() =>
        _connection.AnswersAsync(AnswersBetween + random.Next(50, 300)).WaitAsync(WaitMax, time);

    /// <summary>All have begun, and none has ended, before the first change.</summary>
    private async Task<Task[]> SubscribeAsync()
    {
        _cutters.AddRange(Enumerable.Range(0, CutSubscribers)
            .Select(_ => new Cutter(new Proxy(), new Random(random.Next()))));
        Subscriber[] subscribers =
        [
            .. new Cutter?[] { null }.Concat(_cutters)
                .Select(cutter => new Subscriber(_ledger.NewTelling(), _connection, cutter, Reading)),
        ];
        Task[] running = [.. subscribers.Select(subscriber => subscriber.RunAsync(lastWriter: writers))];
        await Task.WhenAll(subscribers.Select(subscriber => subscriber.Started)).WaitAsync(WaitMax, time);
        return running;
    }

    private async Task<string[]> PrepareAsync(Uri address)
    {
        using var channel = GrpcChannel.ForAddress(address);
        await new AccountService.AccountServiceClient(channel).RegisterAccountAsync(
            new RegisterAccountRequest { Username = "harness", Password = Password });
        LoginResponse login = await new AuthService.AuthServiceClient(channel).LoginAsync(
            new LoginRequest { Username = "harness", Password = Password });
        await _connection.OpenAsync(address, login.Tokens);
        var lists = new TaskListService.TaskListServiceClient(channel);
        var ids = new List<string>();
        foreach (string title in (string[])["This", "That"])
        {
            CreateTaskListResponse made = await lists.CreateTaskListAsync(
                new CreateTaskListRequest { TaskList = new TaskList { Title = title } }, _connection.Headers);
            ids.Add(made.TaskList.Id);
        }

        return [.. ids];
    }

    private async Task KillAsync(ServerProcess server)
    {
        await (Stops is null ? StopAtMomentAsync(server) : Task.Run(Stops));
        bool inTransaction = await server.StoppedAsync(time).WaitAsync(WaitMax, time);
        _connection.Close();
        await server.KillAsync();
        Killed?.Invoke();
        Wrecks.Add(Wreck.Inspect(folder, inTransaction, await _connection.DrainAsync()));
    }

    /// <summary>At any moment; as a commit begins to be written; or soon after, about when it is answered.</summary>
    private async Task StopAtMomentAsync(ServerProcess server)
    {
        if (StopsAfter is not null)
        {
            await StopsAfter(this).WaitAsync(WaitMax, time);
            server.Stop();
            return;
        }

        // What was not hit yet is aimed at.
        int moment = Wrecks.InWriting == 0 ? 1 : Wrecks.BeforeAnswers == 0 ? 2 : random.Next(3);
        if (moment > 0)
        {
            var written = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            using var log = new FileSystemWatcher(folder, "squall.db-wal");
            log.NotifyFilter = NotifyFilters.LastWrite;
            log.Changed += (_, _) =>
            {
                // From this thread: another one would come too late.
                if (moment == 1 && !written.Task.IsCompleted)
                {
                    server.Stop();
                }

                written.TrySetResult();
            };
            log.EnableRaisingEvents = true;
            await written.Task.WaitAsync(WaitMax, time);
        }

        if (moment != 1)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(random.Next(moment == 0 ? 20 : 4)), time);
            server.Stop();
        }
    }

    private async Task<Verdict> JudgeAsync()
    {
        var client = new TaskService.TaskServiceClient(await _connection.ChannelAsync());
        var request = new ListTasksRequest { PageSize = 1_000 };
        var tasks = new List<TaskItem>();
        do
        {
            ListTasksResponse page = await client.ListTasksAsync(request, _connection.Headers);
            tasks.AddRange(page.Tasks);
            request.PageToken = page.NextPageToken;
        }
        while (request.PageToken.Length > 0);

        var comments = new List<Comment>();
        foreach (string[] ids in tasks.Select(task => task.Id).Chunk(Readers))
        {
            ListCommentsResponse[] conversations = await Task.WhenAll(ids.Select(id => client.ListCommentsAsync(
                new ListCommentsRequest { TaskId = id, PageSize = 1_000 }, _connection.Headers).ResponseAsync));
            comments.AddRange(conversations.SelectMany(conversation => conversation.Comments));
        }

        return _ledger.Judge(tasks, comments.ToLookup(comment => comment.TaskId));
    }
}
