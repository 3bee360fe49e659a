using Grpc.Core;
using Squall.V1;

namespace Squall.Server;

/// <summary>
/// Sends one stream's messages: says when the last one went, and cuts a stream whose reader does not read.
/// </summary>
internal sealed class Delivery(
    IServerStreamWriter<SubscribeResponse> stream, OpenSubscription open, TimeSpan stalledMax, TimeProvider time)
    : IDisposable
{
    private long _last = time.GetTimestamp();

    // Made for the first write that has to wait.
    private StallWatch? _watch;

    /// <summary>How long nothing was sent.</summary>
    public TimeSpan Silence => time.GetElapsedTime(_last);

    /// <summary>Sends a change in the bytes that all others are sent too.</summary>
    public Task SendAsync(Change change, Sight sight) => Finish(
        change.Message(sight).WriteToAsync(stream, open.Cut));

    public Task SendAsync(TaskItem task) => SendAsync(new SubscribeResponse { Task = task });

    public Task SyncedAsync(Cursor place) =>
        SendAsync(new SubscribeResponse { Synced = new Synced { Cursor = place.ToString() } });

    public Task HeartbeatAsync(Cursor place) =>
        SendAsync(new SubscribeResponse { Heartbeat = new Heartbeat { Cursor = place.ToString() } });

    public void Dispose() => _watch?.Dispose();

    private Task SendAsync(SubscribeResponse message) => Finish(stream.WriteAsync(message, open.Cut));

    private Task Finish(Task write)
    {
        if (!write.IsCompletedSuccessfully)
        {
            return FinishAsync(write);
        }

        _last = time.GetTimestamp();
        return Task.CompletedTask;
    }

    private async Task FinishAsync(Task write)
    {
        StallWatch watch = _watch ??= new StallWatch(open, stalledMax, time);
        watch.Begin();
        await write;
        watch.End();
        _last = time.GetTimestamp();
    }
}
