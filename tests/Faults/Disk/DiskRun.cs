using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.Data.Sqlite;
using Squall.Server;
using Squall.V1;

namespace Squall.Faults;

/// <summary>
/// A server on a disk that fails when it is told to, and callers who create tasks of a list meanwhile. For each fault:
/// (1) it is set, and waited for until it has failed and callers were told; (2) reads are compared with what was told;
/// (3) it is cleared and every caller is served again, or the server is killed in the midst of it and started anew;
/// (4) what was refused is asked for again, twice under its request id, and all is compared.
/// </summary>
internal sealed class DiskRun(string[] program, string folder, TimeProvider time) : IAsyncDisposable
{
    private static readonly string Password = Secrets.Password();
    private const int Callers = 8;
    private const int AgainMax = 10;
    private const int LogBytes = WriteAheadLog.BytesMax + (1 << 20);
    private static readonly TimeSpan WaitMax = TimeSpan.FromMinutes(1);
    private static readonly string Note = new('n', 8_000);
    private readonly Disk _disk = new(folder, keepsUnsynced: false);
    private readonly List<(string ListId, Claims Claims)> _all = [];
    private ServerProcess? _server;
    private GrpcChannel? _channel;
    private Metadata _headers = [];

    public Disk Disk => _disk;

    public async Task StartAsync()
    {
        await OpenAsync();
        await new AccountService.AccountServiceClient(_channel).RegisterAccountAsync(
            new RegisterAccountRequest { Username = "harness", Password = Password });
        LoginResponse login = await new AuthService.AuthServiceClient(_channel).LoginAsync(
            new LoginRequest { Username = "harness", Password = Password });
        _headers = new Metadata { { "authorization", $"Bearer {login.Tokens.AccessToken}" } };
    }

    /// <summary>The server lives through a fault; gives what was found.</summary>
    public async Task<Verdict> EndureAsync(DiskFault fault)
    {
        (string list, Claims claims) = await BeginAsync();
        using var end = new CancellationTokenSource();
        Task[] calling = Call(list, claims, end.Token);
        await claims.UntilAsync(() => claims.AcknowledgedTo().Min() > 0).WaitAsync(WaitMax, time);
        if (fault.Call == DiskCall.Read)
        {
            await FailReadAsync(fault, list, claims).WaitAsync(WaitMax, time);
        }
        else
        {
            await FailAsync(fault, claims);
            await claims.CompareAsync(() => ListAsync(list));
        }

        _disk.Clear();
        int[] before = claims.AcknowledgedTo();
        await claims.UntilAsync(() => claims.AcknowledgedTo().Zip(before).All(of => of.First > of.Second))
            .WaitAsync(WaitMax, time);
        await end.CancelAsync();
        await Task.WhenAll(calling).WaitAsync(WaitMax, time);
        claims.Verdict.Count(
            "refused, though no change could fail",
            fault.FailsCommits || fault.Call == DiskCall.Read ? 0 : claims.Refused);
        await AskAgainAsync(list, claims);
        await claims.CompareAsync(() => ListAsync(list));
        return claims.Verdict;
    }

    /// <summary>The server is killed while the fault lasts, and comes back on a sound disk.</summary>
    public async Task<Verdict> DieAsync(DiskFault fault)
    {
        (string list, Claims claims) = await BeginAsync();
        using var end = new CancellationTokenSource();
        Task[] calling = Call(list, claims, end.Token);
        await claims.UntilAsync(() => claims.AcknowledgedTo().Min() > 0).WaitAsync(WaitMax, time);
        await FailAsync(fault, claims);
        await end.CancelAsync();
        await Task.WhenAll(calling).WaitAsync(WaitMax, time);
        await RestartAsync();
        await claims.CompareAsync(() => ListAsync(list));
        await AskAgainAsync(list, claims);
        await claims.CompareAsync(() => ListAsync(list));
        return claims.Verdict;
    }

    /// <summary>After another restart, all that was ever acknowledged.</summary>
    public async Task<Verdict> RememberAsync()
    {
        await RestartAsync();
        var verdict = new Verdict();
        foreach ((string list, Claims claims) in _all)
        {
            var held = claims.Verdict.Of(Verdict.Lost);
            await claims.CompareAsync(() => ListAsync(list));
            verdict.Acknowledged += claims.Verdict.Acknowledged;
            verdict.Count(Verdict.Lost, claims.Verdict.Of(Verdict.Lost) - held);
        }

        return verdict;
    }

    public async ValueTask DisposeAsync()
    {
        _channel?.Dispose();
        await (_server?.DisposeAsync() ?? ValueTask.CompletedTask);
        _disk.Dispose();
    }

    private async Task OpenAsync()
    {
        _server = await ServerProcess.StartAsync(program, folder, _disk.Environment);
        _channel = GrpcChannel.ForAddress(_server.Address);
    }

    private async Task RestartAsync()
    {
        await _server!.KillAsync();
        _channel!.Dispose();
        _disk.Clear();
        await OpenAsync();
    }

    private async Task<(string ListId, Claims Claims)> BeginAsync()
    {
        CreateTaskListResponse made = await new TaskListService.TaskListServiceClient(_channel).CreateTaskListAsync(
            new CreateTaskListRequest { TaskList = new TaskList { Title = "of a fault" } }, _headers);
        _all.Add((made.TaskList.Id, new Claims(Callers)));
        return _all[^1];
    }

    /// <summary>
    /// A commit that fails is told to its callers (a control acknowledges it); one that is in the log is stored,
    /// whatever becomes of copying it. What fails once may have failed the copying: then it is to fail once more.
    /// </summary>
    private async Task FailAsync(DiskFault fault, Claims claims)
    {
        const int Told = 2 * Callers;
        do
        {
            int acknowledged = claims.AcknowledgedTo().Sum();
            using SqliteConnection? reader = fault.Call == DiskCall.Truncate ? await GrowLogAsync(claims) : null;
            _disk.Set(fault);
            reader?.Close();
            await claims.UntilAsync(() => _disk.Failed >= (fault.Times > 0 ? fault.Times : 2)
                && (claims.Refused >= (fault.Times > 0 ? 1 : Told)
                    || claims.AcknowledgedTo().Sum() > acknowledged + Told)).WaitAsync(WaitMax, time);
        }
        while (fault is { FailsCommits: true, Times: > 0 } && claims.Refused == 0);
    }

    /// <summary>
    /// Reads until one of them is told that it failed; until then each is right.
    /// </summary>
    private async Task FailReadAsync(DiskFault fault, string list, Claims claims)
    {
        _disk.Set(fault);
        try
        {
            while (true)
            {
                await claims.CompareAsync(() => ListAsync(list));
            }
        }
        catch (RpcException told)
        {
            claims.Verdict.Count($"a read answered {told.Status}", !IsNotRead(told) || _disk.Failed == 0);
        }
    }

    /// <summary>
    /// Someone reads, in another process and for long, so that the log is to be cut once that is over.
    /// </summary>
    private async Task<SqliteConnection> GrowLogAsync(Claims claims)
    {
        var reader = new SqliteConnection($"Data Source={_disk.Database};Mode=ReadOnly;Pooling=False");
        reader.Open();
        using SqliteCommand command = reader.CreateCommand();
        command.CommandText = "BEGIN; SELECT count(*) FROM journal";
        command.ExecuteScalar();
        await claims.UntilAsync(() => new FileInfo(_disk.Database + "-wal").Length > LogBytes).WaitAsync(WaitMax, time);
        return reader;
    }

    private Task[] Call(string list, Claims claims, CancellationToken end) =>
        [.. Enumerable.Range(0, Callers).Select(caller => CallAsync(list, claims, caller, end))];

    private async Task CallAsync(string list, Claims claims, int caller, CancellationToken end)
    {
        for (int number = 0; !end.IsCancellationRequested; number++)
        {
            string title = FormattableString.Invariant($"{caller}-{number}");
            string requestId = Guid.NewGuid().ToString();
            try
            {
                claims.Acknowledge(caller, await CreateAsync(list, title, requestId));
            }
            catch (RpcException refusal) when (IsNotStored(refusal) || IsNotRead(refusal))
            {
                claims.Refuse(title, requestId);
            }
            catch (RpcException refusal)
            {
                claims.Mistake($"answered {refusal.StatusCode}");
            }
        }
    }

    private async Task AskAgainAsync(string list, Claims claims)
    {
        foreach ((string title, string requestId) in claims.RefusedTasks(AgainMax))
        {
            TaskItem first = await CreateAsync(list, title, requestId);
            TaskItem second = await CreateAsync(list, title, requestId);
            claims.Verdict.Count("answered differently the second time", !first.Equals(second));
            claims.Acknowledge(0, first);
        }
    }

    private async Task<TaskItem> CreateAsync(string list, string title, string requestId) =>
        (await new TaskService.TaskServiceClient(_channel).CreateTaskAsync(
            new CreateTaskRequest
            {
                Task = new TaskItem { TaskListId = list, Title = title, Note = Note },
                RequestId = requestId,
            },
            _headers)).Task;

    private async Task<List<TaskItem>> ListAsync(string list)
    {
        var client = new TaskService.TaskServiceClient(_channel);
        var request = new ListTasksRequest { Filter = $"task_list_id = \"{list}\"", PageSize = 1_000 };
        var tasks = new List<TaskItem>();
        do
        {
            ListTasksResponse page = await client.ListTasksAsync(request, _headers);
            tasks.AddRange(page.Tasks);
            request.PageToken = page.NextPageToken;
        }
        while (request.PageToken.Length > 0);

        return tasks;
    }

    private static bool IsNotStored(RpcException refusal) => refusal.StatusCode == StatusCode.Unavailable
        && refusal.Status.Detail.StartsWith("The change could not be stored", StringComparison.Ordinal);

    private static bool IsNotRead(RpcException refusal) => refusal.StatusCode == StatusCode.Unavailable
        && refusal.Status.Detail.StartsWith("The database could not be read", StringComparison.Ordinal);
}
