using Grpc.Core;
using Squall.V1;

namespace Squall.Server;

/// <summary>
/// Sends one stream's messages: says when the last one went, and cuts a stream whose reader does not read.
/// </summary>
internal sealed class Delivery : IDisposable
{
    private readonly IServerStreamWriter<SubscribeResponse> _stream;
    private readonly OpenSubscription _open;
    private readonly TimeSpan _stalledMax;
    private readonly TimeProvider _time;
    private readonly Lock _gate = new();
    private long _last;

    // Made for the first write that has to wait.
    private ITimer? _watch;
    private long? _waitsSince;
    private bool _watched;

    public Delivery(
        IServerStreamWriter<SubscribeResponse> stream, OpenSubscription open, TimeSpan stalledMax, TimeProvider time)
    {
        (_stream, _open, _stalledMax, _time) = (stream, open, stalledMax, time);
        _last = time.GetTimestamp();
    }

    /// <summary>How long nothing was sent.</summary>
    public TimeSpan Silence => _time.GetElapsedTime(_last);

    /// <summary>Sends a change in the bytes that all others are sent too.</summary>
    public Task SendAsync(Change change, Sight sight) => Finish(
        change.Message(sight).WriteToAsync(_stream, _open.Cut));

    public Task SendAsync(TaskItem task) => SendAsync(new SubscribeResponse { Task = task });

    public Task SyncedAsync(Cursor place) =>
        SendAsync(new SubscribeResponse { Synced = new Synced { Cursor = place.ToString() } });

    public Task HeartbeatAsync(Cursor place) =>
        SendAsync(new SubscribeResponse { Heartbeat = new Heartbeat { Cursor = place.ToString() } });

    public void Dispose() => _watch?.Dispose();

    private Task SendAsync(SubscribeResponse message) => Finish(_stream.WriteAsync(message, _open.Cut));

    private Task Finish(Task write)
    {
        if (!write.IsCompletedSuccessfully)
        {
            return FinishAsync(write);
        }

        _last = _time.GetTimestamp();
        return Task.CompletedTask;
    }

    private async Task FinishAsync(Task write)
    {
        Waits(_time.GetTimestamp());
        await write;
        Waits(null);
        _last = _time.GetTimestamp();
    }

    /// <summary>One timer watches all writes: most are done long before it rings, and none sets it back.</summary>
    private void Waits(long? since)
    {
        lock (_gate)
        {
            _waitsSince = since;
            if (since is not null && !_watched)
            {
                _watched = true;
                _watch ??= _time.CreateTimer(_ => Watch(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
                _watch.Change(_stalledMax, Timeout.InfiniteTimeSpan);
            }
        }
    }

    private void Watch()
    {
        lock (_gate)
        {
            TimeSpan rest = _waitsSince is { } since
                ? _stalledMax - _time.GetElapsedTime(since)
                : Timeout.InfiniteTimeSpan;
            _watched = rest > TimeSpan.Zero;
            if (_waitsSince is null)
            {
                return;
            }

            if (_watched)
            {
                _watch!.Change(rest, Timeout.InfiniteTimeSpan);
                return;
            }
        }

        _open.CutOff();
    }
}
