using System.Collections.Concurrent;
using System.Globalization;
using Grpc.Core;
using Grpc.Net.Client;
using Squall.V1;

namespace Squall.Faults;

/// <summary>
/// A server in a process of its own; a steady load of writers, and of subscribers that read; and many that do not.
/// </summary>
internal sealed class SlowRun(ServerProcess server, TimeProvider time) : IAsyncDisposable
{
    private const int Writers = 8;
    private const int Subscribers = 8;
    private const int StreamsEach = 100;
    private const int FillTasks = 20;
    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(50);
    private static readonly string FillNote = new('n', 60_000);
    private readonly Connection _connection = new(time);
    private readonly ConcurrentDictionary<string, long> _begun = [];
    private readonly CancellationTokenSource _end = new();
    private readonly List<Told> _live = [];
    private readonly List<GrpcChannel> _channels = [];
    private readonly List<Told> _stalled = [];
    private readonly List<GrpcChannel> _stalledChannels = [];
    private volatile Latencies? _latencies;
    private string _listId = "";
    private Task[] _running = [];

    public async Task BeginAsync()
    {
        _listId = (await _connection.BeginAsync(server.Address))[0];
        for (int at = 0; at < Subscribers; at++)
        {
            _channels.Add(GrpcChannel.ForAddress(server.Address));
            _live.Add(new Told(_channels[^1], _connection.Headers, []) { Tells = Tell });
            await _live[^1].StartAsync();
        }

        _running =
        [
            .. _live.Select(one => one.ReadAsync(int.MaxValue)),
            .. Enumerable.Range(0, Writers).Select(WriteAsync),
        ];
    }

    public async Task<Latencies> MeasureAsync(TimeSpan duration)
    {
        var measured = new Latencies();
        _latencies = measured;
        await Task.Delay(duration, time);
        _latencies = null;
        return measured;
    }

    /// <summary>So many begin to subscribe, and read no more; and more is written than their windows hold.</summary>
    public async Task StallAsync(int count)
    {
        for (int at = 0; at < count; at++)
        {
            if (at % StreamsEach == 0)
            {
                _stalledChannels.Add(GrpcChannel.ForAddress(server.Address));
            }

            _stalled.Add(new Told(_stalledChannels[^1], _connection.Headers, []));
            await _stalled[^1].StartAsync();
        }

        for (int at = 0; at < FillTasks; at++)
        {
            await MakeAsync("fill", FillNote);
        }
    }

    public void EndStalls()
    {
        _stalled.ForEach(one => one.Dispose());
        _stalledChannels.ForEach(channel => channel.Dispose());
        _stalled.Clear();
        _stalledChannels.Clear();
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        EndStalls();
        _live.ForEach(one => one.Dispose());
        await Task.WhenAll(_running).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _channels.ForEach(channel => channel.Dispose());
        _connection.Dispose();
        _end.Dispose();
    }

    private async Task WriteAsync(int writer)
    {
        using var timer = new PeriodicTimer(Pace, time);
        for (int made = 0; await timer.WaitForNextTickAsync(_end.Token); made++)
        {
            string title = string.Create(CultureInfo.InvariantCulture, $"{writer}-{made}");
            long begun = time.GetTimestamp();
            _begun[title] = begun;
            await MakeAsync(title, "");
            _latencies?.AddCall(time.GetElapsedTime(begun));
        }
    }

    private void Tell(string title)
    {
        if (_begun.TryGetValue(title, out long begun))
        {
            _latencies?.AddTelling(time.GetElapsedTime(begun));
        }
    }

    private Task MakeAsync(string title, string note) => _connection.CallAsync(async (tasks, id, options) =>
        await tasks.CreateTaskAsync(
            new CreateTaskRequest
            {
                Task = new TaskItem { TaskListId = _listId, Title = title, Note = note },
                RequestId = id,
            },
            options));
}
