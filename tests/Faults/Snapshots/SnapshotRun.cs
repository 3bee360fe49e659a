using Grpc.Core;
using Grpc.Core.Interceptors;
using Grpc.Net.Client;
using Microsoft.Data.Sqlite;
using Squall.Server;
using Squall.V1;

namespace Squall.Faults;

/// <summary>
/// Takes snapshots of all tasks while writers change them: (1) the writers make the tasks, and go on; (2) one
/// subscriber tells the chronicle of each change; (3) a reader takes one snapshot after the other, in which it pauses
/// until more was changed, and what it holds at its end is compared; (4) at the end the ledger is.
/// </summary>
internal sealed class SnapshotRun(string[] program, string folder, int tasks, Random random, TimeProvider time)
    : IAsyncDisposable
{
    private const int Writers = 8;
    private const int AnswersInPause = 20;
    private const int TasksBetweenPauses = 2_500;
    private static readonly TimeSpan WaitMax = TimeSpan.FromMinutes(2);
    private readonly Ledger _ledger = new(Writers + 1);
    private readonly Connection _connection = new(time);
    private readonly Chronicle _chronicle = new();
    private readonly CancellationTokenSource _end = new();
    private ServerProcess? _server;
    private string[] _listIds = [];
    private Task _writing = Task.CompletedTask;
    private Task _telling = Task.CompletedTask;

    /// <summary>The most that the log took when a change was told, in bytes.</summary>
    public long LogBytesMax { get; private set; }

    /// <summary>How many changes a snapshot was sent at least.</summary>
    public int ChangesMin { get; private set; } = int.MaxValue;

    public int Taken { get; private set; }

    public long TasksRead { get; private set; }

    private string Log => Path.Combine(folder, "squall.db-wal");

    public async Task BeginAsync()
    {
        _server = await ServerProcess.StartAsync(program, folder);
        _listIds = await _connection.BeginAsync(_server.Address);
        var recorder = new Subscriber(_ledger.NewTelling(), _connection, null, []) { Tells = Tell };
        _telling = recorder.RunAsync(lastWriter: Writers);
        await recorder.Started.WaitAsync(WaitMax, time);
        TaskWriter[] writers = [.. Enumerable.Range(0, Writers).Select(NewWriter)];
        await Task.WhenAll(writers.Select(writer => writer.FillAsync())).WaitAsync(WaitMax, time);
        _writing = Task.WhenAll(writers.Select(writer => writer.RunAsync(_end.Token)));
    }

    /// <summary>
    /// Takes snapshots while <paramref name="more"/> holds of how many there are; how many were other than the tasks
    /// as of their place.
    /// </summary>
    public async Task<int> TakeAsync(Func<int, bool> more, Interceptor[] reading)
    {
        int wrong = 0;
        for (int taken = 0; more(taken); taken++)
        {
            (long seq, Dictionary<string, UInt128> held) = await ReadAsync(reading).WaitAsync(WaitMax, time);
            Taken++;
            TasksRead += held.Count;
            wrong += await _chronicle.CompareAsync(seq, held).WaitAsync(WaitMax, time) > 0 ? 1 : 0;
        }

        return wrong;
    }

    /// <summary>The control: a reader of the database holds on to what it sees until the log is too long.</summary>
    public async Task HoldOnAsync(long bytes)
    {
        using var reader = new SqliteConnection(
            $"Data Source={Path.Combine(folder, "squall.db")};Mode=ReadOnly;Pooling=False");
        reader.Open();
        using SqliteTransaction held = reader.BeginTransaction(deferred: true);
        using SqliteCommand read = reader.CreateCommand();
        read.CommandText = "SELECT count(*) FROM journal";
        read.ExecuteScalar();
        long begun = time.GetTimestamp();
        while (LogBytesMax <= bytes && time.GetElapsedTime(begun) < WaitMax)
        {
            await _ledger.NextTellingAsync().WaitAsync(WaitMax, time);
        }
    }

    public async Task<Verdict> EndAsync()
    {
        await _end.CancelAsync();
        await _writing.WaitAsync(WaitMax, time);
        await NewWriter(Writers).CreateAsync();
        await _telling.WaitAsync(WaitMax, time);
        await _server!.EndAsync();
        using var remains = new Remains(folder);
        _ledger.TakeJournal(() => remains.ToldAfter(0).Select(of => of.Told));
        return _ledger.Judge();
    }

    public async ValueTask DisposeAsync()
    {
        await (_server?.DisposeAsync() ?? ValueTask.CompletedTask);
        _connection.Dispose();
        _end.Dispose();
    }

    private TaskWriter NewWriter(int number) =>
        new(_ledger.BookOf(number), _connection, _listIds, new Random(random.Next())) { TasksMax = tasks / Writers };

    private void Tell(Notification change)
    {
        _chronicle.Tell(change);
        LogBytesMax = Math.Max(LogBytesMax, new FileInfo(Log).Length);
    }

    /// <summary>
    /// Applies all that comes, as the contract words it. Where it pauses, the server cannot be further than a window
    /// ahead, so that what is changed meanwhile is changed within the snapshot.
    /// </summary>
    private async Task<(long Seq, Dictionary<string, UInt128> Held)> ReadAsync(Interceptor[] reading)
    {
        var held = new Dictionary<string, (long Version, UInt128 Print)>();
        int sent = 0;
        int changes = 0;
        using var channel = GrpcChannel.ForAddress(_connection.Address);
        using AsyncServerStreamingCall<SubscribeResponse> call = new NotificationService.NotificationServiceClient(
            channel.CreateCallInvoker().Intercept(reading)).Subscribe(
            new SubscribeRequest { Snapshot = true }, _connection.Headers);
        await foreach (SubscribeResponse message in call.ResponseStream.ReadAllAsync())
        {
            if (message.Synced is { } synced)
            {
                ChangesMin = Math.Min(ChangesMin, changes);
                Cursor.TryParse(synced.Cursor, out Cursor place);
                return (place.Seq, held.ToDictionary(task => task.Key, task => task.Value.Print));
            }

            Notification? change = message.Notification ?? message.Left;
            changes += change is null ? 0 : 1;
            if (change?.TaskDeleted is { } deleted)
            {
                held.Remove(deleted.TaskId);
            }
            else if ((message.Task ?? (change is null ? null : Book.TaskOf(change))) is { } task
                && (!held.TryGetValue(task.Id, out var before) || before.Version < task.Version))
            {
                held[task.Id] = (task.Version, Book.Print(task));
            }

            if (message.Task is not null && sent++ % TasksBetweenPauses == 0)
            {
                await _connection.AnswersAsync(AnswersInPause);
            }
        }

        throw new InvalidOperationException("The subscription ended OK.");
    }
}
