using Grpc.Core.Interceptors;
using Squall.V1;

namespace Squall.Faults;

/// <summary>
/// Kills the server under load, again and again: (1) writers change tasks and repeat after an outage what was not
/// answered; (2) subscribers go on after the last cursor they saw, some of them through a proxy that cuts them; (3) the
/// process is stopped at a moment, and killed, and what it journalled since the last kill is compared with the ledger;
/// (4) at the end all is.
/// </summary>
internal sealed class KillRun(string[] program, string folder, int writers, Random random, TimeProvider time)
    : IDisposable
{
    private const long CheckedBytesMin = 64 << 20;
    private static readonly TimeSpan WaitMax = TimeSpan.FromMinutes(5);
    private readonly Ledger _ledger = new(writers + 1);
    private readonly Connection _connection = new(time);
    private readonly List<Cutter> _cutters = [];
    private long _journalled;
    private long _checkedBytes;
    private int _broken;

    public Cuts Cuts => new(_cutters);

    /// <summary>How often a subscriber could not go on where it was, so far.</summary>
    public int CursorsRefused => _ledger.CursorsRefused;

    /// <summary>How many changes were, so far.</summary>
    public int Acknowledged => _ledger.Acknowledged;

    /// <summary>What was found so far, of a run that is not at its end.</summary>
    public string Found => _ledger.Found;

    /// <summary>How many subscribers are cut, beside one that is not.</summary>
    public int CutSubscribers { get; init; }

    /// <summary>What stands between the subscribers and what they are sent, if anything does.</summary>
    public Interceptor[] Reading { get; init; } = [];

    /// <summary>How many changes are acknowledged at least between two kills.</summary>
    public int ChangesBetween { get; init; }

    /// <summary>How many tasks a writer makes at once, at most.</summary>
    public int BatchMax { get; init; } = 5;

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
            string[] listIds = await _connection.BeginAsync(server.Address);
            if (Killed is not null)
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
                await ChangesAsync(_ledger.Acknowledged + ChangesBetween);
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
            await CompareAsync();
            await server.EndAsync();
            using var remains = new Remains(folder);
            _ledger.TakeJournal(() => Journalled(remains));
            Verdict verdict = _ledger.Judge();
            verdict.Count("databases broken", _broken);
            verdict.Count("databases broken at the end", !remains.IsSound());
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
        new(_ledger.BookOf(number), _connection, listIds, new Random(random.Next())) { BatchMax = BatchMax };

    private Task AnswersAsync() => _connection.AnswersAsync(random.Next(50, 300)).WaitAsync(WaitMax, time);

    /// <summary>So many are acknowledged, and no subscriber is further behind than two kills' share.</summary>
    private async Task ChangesAsync(int acknowledged)
    {
        while (_ledger.Acknowledged < acknowledged)
        {
            await _connection.AnswersAsync(1).WaitAsync(WaitMax, time);
        }

        while (ChangesBetween > 0 && _ledger.Behind > 2 * ChangesBetween)
        {
            await _ledger.NextTellingAsync().WaitAsync(WaitMax, time);
        }
    }

    /// <summary>All have begun, and none has ended, before the first change.</summary>
    private async Task<Task[]> SubscribeAsync()
    {
        _cutters.AddRange(Enumerable.Range(0, CutSubscribers)
            .Select(_ => new Cutter(new Proxy(), new Random(random.Next()), ChangesBetween / 2)));
        Subscriber[] subscribers =
        [
            .. new Cutter?[] { null }.Concat(_cutters)
                .Select(cutter => new Subscriber(_ledger.NewTelling(), _connection, cutter, Reading)),
        ];
        Task[] running = [.. subscribers.Select(subscriber => subscriber.RunAsync(lastWriter: writers))];
        await Task.WhenAll(subscribers.Select(subscriber => subscriber.Started)).WaitAsync(WaitMax, time);
        return running;
    }

    private async Task KillAsync(ServerProcess server)
    {
        DiskFault? moment = null;
        if (Stops is not null)
        {
            Stops();
        }
        else if (StopsAfter is not null)
        {
            await StopsAfter(this).WaitAsync(WaitMax, time);
            server.Stop();
        }
        else if ((moment = Moment()) is not null)
        {
            Disk!.Set(moment);
        }
        else
        {
            await Task.Delay(TimeSpan.FromMilliseconds(random.Next(20)), time);
            server.Stop();
        }

        bool inTransaction = await server.StoppedAsync(time).WaitAsync(WaitMax, time);
        _connection.Close();
        await server.KillAsync();
        Disk?.Clear();
        Killed?.Invoke();
        Inspect(inTransaction, moment?.Call == DiskCall.Write, await _connection.DrainAsync());
    }

    /// <summary>
    /// In turn: within a write of a commit to the log; when all of it is written, and nobody was answered; at any
    /// moment (null). The process stops itself there, so that it cannot be missed.
    /// </summary>
    private DiskFault? Moment() => (Wrecks.Kills % 3) switch
    {
        0 => new DiskFault(DiskFile.Log, DiskCall.Write, DiskFault.Stop, Skip: random.Next(30)),
        1 => new DiskFault(DiskFile.Log, DiskCall.Sync, DiskFault.Stop, Skip: random.Next(3)),
        _ => null,
    };

    /// <summary>
    /// What was journalled since the last kill is compared. The whole database is checked each time it has grown by a
    /// quarter: as often as it is killed while it is small, and never so that this takes longer than the run.
    /// </summary>
    private void Inspect(bool inTransaction, bool inWriting, string[] unanswered)
    {
        using var remains = new Remains(folder);
        int stored = remains.CountStored(unanswered);
        Wrecks.Add(new Wreck(inTransaction, inWriting, stored, unanswered.Length - stored, remains.TornPages));
        _ledger.TakeJournal(() => Journalled(remains));
        if (remains.Bytes < CheckedBytesMin || remains.Bytes > _checkedBytes + (_checkedBytes / 4))
        {
            _checkedBytes = remains.Bytes;
            _broken += remains.IsSound() ? 0 : 1;
        }
    }

    private IEnumerable<Notification> Journalled(Remains remains)
    {
        foreach ((long seq, Notification told) in remains.ToldAfter(_journalled))
        {
            _journalled = seq;
            yield return told;
        }
    }

    private async Task CompareAsync()
    {
        var client = new TaskService.TaskServiceClient(await _connection.ChannelAsync());
        await _ledger.CompareAsync(ListAsync(client), async id => (await client.ListCommentsAsync(
            new ListCommentsRequest { TaskId = id, PageSize = 1_000 }, _connection.Headers)).Comments);
    }

    private async IAsyncEnumerable<IReadOnlyList<TaskItem>> ListAsync(TaskService.TaskServiceClient client)
    {
        var request = new ListTasksRequest { PageSize = 1_000 };
        do
        {
            ListTasksResponse page = await client.ListTasksAsync(request, _connection.Headers);
            yield return page.Tasks;
            request.PageToken = page.NextPageToken;
        }
        while (request.PageToken.Length > 0);
    }
}
