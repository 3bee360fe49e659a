namespace Squall.Server;

/// <summary>
/// Cuts a stream whose reader does not read. One timer watches all writes of a stream that had to wait: most are done
/// long before it rings, and none sets it back.
/// </summary>
internal sealed class StallWatch : IDisposable
{
    private readonly OpenSubscription _open;
    private readonly TimeSpan _stalledMax;
    private readonly TimeProvider _time;
    private readonly Lock _gate = new();
    private readonly ITimer _timer;
    private long? _since;
    private bool _isSet;

    public StallWatch(OpenSubscription open, TimeSpan stalledMax, TimeProvider time)
    {
        (_open, _stalledMax, _time) = (open, stalledMax, time);
        _timer = time.CreateTimer(_ => Rang(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>A write waits from now on.</summary>
    public void Begin()
    {
        lock (_gate)
        {
            _since = _time.GetTimestamp();
            if (!_isSet)
            {
                _isSet = true;
                _timer.Change(_stalledMax, Timeout.InfiniteTimeSpan);
            }
        }
    }

    /// <summary>It is done.</summary>
    public void End()
    {
        lock (_gate)
        {
            _since = null;
        }
    }

    public void Dispose() => _timer.Dispose();

    private void Rang()
    {
        lock (_gate)
        {
            TimeSpan rest = _since is { } since
                ? _stalledMax - _time.GetElapsedTime(since)
                : Timeout.InfiniteTimeSpan;
            _isSet = rest > TimeSpan.Zero;
            if (_since is null)
            {
                return;
            }

            if (_isSet)
            {
                _timer.Change(rest, Timeout.InfiniteTimeSpan);
                return;
            }
        }

        _open.CutOff();
    }
}
