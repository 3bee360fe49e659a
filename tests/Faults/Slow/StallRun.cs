using System.Collections;
using System.Globalization;
using Grpc.AspNetCore.Server;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Grpc.Net.Client;
using Microsoft.Extensions.DependencyInjection;
using Squall.Server;
using Squall.V1;

namespace Squall.Faults;

/// <summary>
/// A server in this process, subscribers that do not read, and their neighbours that do: what the server keeps for the
/// one, and how it goes on with the others.
/// </summary>
internal sealed class StallRun : IAsyncDisposable
{
    private const int Batch = 50;

    // So much fills a stream's window, and what its server may hold of it, whatever else is under way.
    private const int TasksToStall = 150;
    private const int TasksBefore = 5;
    private const int TasksAfter = 20;
    private const int Windows = 3;
    private static readonly TimeSpan WaitMax = TimeSpan.FromMinutes(2);
    private static readonly string Note = new('n', 8_000);
    private readonly SquallServer _server;
    private readonly Stalls _stalls;
    private readonly TimeProvider _time;
    private readonly Connection _connection;
    private readonly List<GrpcChannel> _channels = [];
    private readonly List<Told> _subscribers = [];
    private string _listId = "";
    private int _made;

    private StallRun(SquallServer server, Stalls stalls, TimeProvider time)
    {
        (_server, _stalls, _time) = (server, stalls, time);
        _connection = new Connection(time);
    }

    /// <summary>Bytes of notes that were written past the readers in a window.</summary>
    public static int WindowBytes => Note.Length * WindowTasks;

    public static int WindowTasks => 500;

    public static async Task<StallRun> StartAsync(
        string folder, TimeSpan stalledMax, TimeProvider time, bool queues = false)
    {
        ServerOptions options = OptionReader.Read(
            [
                "--http", "127.0.0.1:0", "--https", "off", "--data", folder, "--account-subscriptions-max", "10000",
                "--tail-bytes-max", "4MiB",
                "--stalled-write-max", string.Create(CultureInfo.InvariantCulture, $"{stalledMax.TotalSeconds}s"),
            ],
            new Hashtable(), AppContext.BaseDirectory);
        var stalls = new Stalls(time);
        SquallServer server = await SquallServer.StartAsync(options, replace: services =>
        {
            services.AddSingleton(stalls);
            services.Configure<GrpcServiceOptions>(grpc => grpc.Interceptors.Add<Stalls>());
            if (queues)
            {
                services.Configure<GrpcServiceOptions>(grpc => grpc.Interceptors.Add<Queues>());
            }
        });
        var run = new StallRun(server, stalls, time);
        run._listId = (await run._connection.BeginAsync(server.Addresses[0]))[0];
        return run;
    }

    /// <summary>
    /// How much more is kept, in bytes, after <see cref="WindowTasks"/> were made past so many that do not read. What
    /// they keep from the beginning, a window each, is there before that; what comes and goes is not in each window.
    /// </summary>
    public async Task<long> GrowthAsync(int stalled)
    {
        for (int at = 0; at < stalled; at++)
        {
            await NewSubscriber(at % 100 == 0, []).StartAsync().WaitAsync(WaitMax, _time);
        }

        await MakeAsync(TasksToStall);
        var growth = new List<long>();
        for (int window = 0; window < Windows; window++)
        {
            long before = HeapBytes();
            await MakeAsync(WindowTasks);
            growth.Add(HeapBytes() - before);
        }

        return growth.Skip(1).Min();
    }

    /// <summary>
    /// (1) On each connection some stop reading, and one does not; (2) more is written than they can hold; (3) each of
    /// them is reset, when its time is over; (4) the others live; (5) they go on after what they have seen.
    /// </summary>
    public async Task<Outcome> ResetAsync(int connections, int stalledEach, Interceptor[] reading)
    {
        var live = new List<Told>();
        var stalled = new List<Told>();
        for (int connection = 0; connection < connections; connection++)
        {
            live.Add(NewSubscriber(true, []));
            stalled.AddRange(Enumerable.Range(0, stalledEach).Select(_ => NewSubscriber(false, reading)));
        }

        await Task.WhenAll(_subscribers.Select(one => one.StartAsync())).WaitAsync(WaitMax, _time);
        await MakeAsync(TasksBefore);
        await Task.WhenAll(_subscribers.Select(one => one.ReadAsync(TasksBefore))).WaitAsync(WaitMax, _time);
        long stopped = _time.GetTimestamp();
        Task<bool[]> living = Task.WhenAll(
            live.Select(one => one.ReadAsync(TasksBefore + TasksToStall + TasksAfter)));
        await MakeAsync(TasksToStall);
        await _stalls.UntilAsync(stalled.Count, WaitMax);
        await MakeAsync(TasksAfter);
        await living.WaitAsync(WaitMax, _time);
        await Task.WhenAll(stalled.Select(one => one.ReadToAsync(Title(_made - 1)))).WaitAsync(WaitMax, _time);
        string[] all = [.. Enumerable.Range(0, _made).Select(Title)];
        return new Outcome(
            stalled.Count(one => one.Breaks > 0), live.Count(one => one.Breaks == 0),
            stalled.Count(one => one.Titles.SequenceEqual(all)), live.Count(one => one.Titles.SequenceEqual(all)),
            _stalls.Resets.Min(reset => _time.GetElapsedTime(stopped, reset)),
            _stalls.Resets.Max(reset => _time.GetElapsedTime(stopped, reset)));
    }

    public async ValueTask DisposeAsync()
    {
        _subscribers.ForEach(one => one.Dispose());
        _channels.ForEach(channel => channel.Dispose());
        _connection.Dispose();
        await _server.DisposeAsync();
    }

    private static string Title(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static long HeapBytes()
    {
        GC.Collect(2, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        GC.WaitForPendingFinalizers();
        return GC.GetTotalMemory(forceFullCollection: true);
    }

    private Told NewSubscriber(bool onNewConnection, Interceptor[] reading)
    {
        if (onNewConnection)
        {
            _channels.Add(GrpcChannel.ForAddress(_server.Addresses[0]));
        }

        _subscribers.Add(new Told(_channels[^1], _connection.Headers, reading));
        return _subscribers[^1];
    }

    private async Task MakeAsync(int count)
    {
        for (int end = _made + count; _made < end;)
        {
            var request = new BatchCreateTasksRequest { TaskListId = _listId };
            while (request.Tasks.Count < Batch && _made < end)
            {
                request.Tasks.Add(new TaskItem { TaskListId = _listId, Title = Title(_made++), Note = Note });
            }

            await _connection.CallAsync(async (tasks, id, options) =>
            {
                request.RequestId = id;
                return await tasks.BatchCreateTasksAsync(request, options);
            });
        }
    }

    /// <param name="Reset">Streams that were not read, and broke.</param>
    /// <param name="Lived">Their neighbours, whose streams did not break.</param>
    /// <param name="Whole">Of those that were reset, who were told of all, once, in order.</param>
    /// <param name="NeighboursWhole">Likewise of the neighbours.</param>
    /// <param name="Soonest">From when they stopped reading to the first reset.</param>
    /// <param name="Latest">And to the last one.</param>
    public sealed record Outcome(
        int Reset, int Lived, int Whole, int NeighboursWhole, TimeSpan Soonest, TimeSpan Latest);
}
