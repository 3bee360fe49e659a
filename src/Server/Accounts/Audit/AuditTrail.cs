using Grpc.Core;

namespace Squall.Server;

/// <summary>
/// Takes what no change goes with: refusals, and keys' uses. Each is told in the log at once, and written a second
/// later with what came meanwhile, so that whoever is refused ten thousand times costs the journal no more than a
/// commit a second. What is alike is one row with a count; what is too much is counted, and told as that. A crash may
/// lose the last second's rows, and no line of the log.
/// </summary>
internal sealed class AuditTrail(Journal journal, AuditLog log, Limits limits, TimeProvider time) : BackgroundService
{
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);
    private readonly Lock _gate = new();
    private readonly SemaphoreSlim _noted = new(0);
    private readonly SemaphoreSlim _writing = new(1);
    private Dictionary<AuditEntry, Seen> _pending = [];
    private long _lost;

    private sealed record Seen(long TimeMicros, long Count);

    public void Note(AuditEntry entry)
    {
        if (Add(entry, new Seen(Micros.Of(time.GetUtcNow()), 1)))
        {
            log.Tell(entry, 1);
        }
    }

    /// <summary>Writes what was noted, in one change; when it is done, all of it is written.</summary>
    /// <exception cref="RpcException">UNAVAILABLE: it could not be stored; it stays noted.</exception>
    public async Task FlushAsync(CancellationToken cancelled)
    {
        await _writing.WaitAsync(cancelled);
        try
        {
            await WriteAsync(cancelled);
        }
        finally
        {
            _writing.Release();
        }
    }

    public override void Dispose()
    {
        _noted.Dispose();
        _writing.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (true)
        {
            await _noted.WaitAsync(stoppingToken);
            await Task.Delay(Interval, time, stoppingToken);
            try
            {
                await FlushAsync(stoppingToken);
            }
            catch (RpcException)
            {
                // It could not be stored, which the journal has logged; it is tried again in a second.
                continue;
            }
        }
    }

    private async Task WriteAsync(CancellationToken cancelled)
    {
        (Dictionary<AuditEntry, Seen> pending, long lost) = Take();
        if (pending.Count == 0)
        {
            return;
        }

        bool written = false;
        try
        {
            written = await journal.RunAsync(scope => Write(scope, pending, lost), null, 0, cancelled);
        }
        finally
        {
            if (!written)
            {
                Return(pending, lost);
            }
        }

        foreach ((AuditEntry entry, Seen seen) in pending.Where(pair => pair.Value.Count > 1))
        {
            log.Tell(entry, seen.Count - 1);
        }

        if (lost > 0)
        {
            log.Tell(new AuditEntry(AuditEvent.NotRecorded), lost);
        }
    }

    private static bool Write(ChangeScope scope, Dictionary<AuditEntry, Seen> pending, long lost)
    {
        foreach ((AuditEntry entry, Seen seen) in pending)
        {
            scope.Record(entry, seen.TimeMicros, seen.Count);
        }

        if (lost > 0)
        {
            scope.Record(new AuditEntry(AuditEvent.NotRecorded), scope.NowMicros, lost);
        }

        return true;
    }

    /// <summary>False: it is like one that is noted already, or too much.</summary>
    private bool Add(AuditEntry entry, Seen seen)
    {
        lock (_gate)
        {
            if (_pending.TryGetValue(entry, out Seen? like))
            {
                _pending[entry] = new Seen(
                    Math.Min(like.TimeMicros, seen.TimeMicros), like.Count + seen.Count);
                return false;
            }

            if (_pending.Count >= limits.AuditPendingMax)
            {
                _lost += seen.Count;
                return false;
            }

            _pending.Add(entry, seen);
            if (_noted.CurrentCount == 0)
            {
                _noted.Release();
            }

            return true;
        }
    }

    private (Dictionary<AuditEntry, Seen> Pending, long Lost) Take()
    {
        lock (_gate)
        {
            (Dictionary<AuditEntry, Seen>, long) taken = (_pending, _lost);
            (_pending, _lost) = ([], 0);
            return taken;
        }
    }

    private void Return(Dictionary<AuditEntry, Seen> pending, long lost)
    {
        foreach ((AuditEntry entry, Seen seen) in pending)
        {
            Add(entry, seen);
        }

        lock (_gate)
        {
            _lost += lost;
        }
    }
}
