using System.Collections.Concurrent;
using Grpc.Core;

namespace Squall.Server;

/// <summary>
/// Bounds the requests of each account: so many a second, of which as many may come at once. A stream counts as the one
/// request that opens it.
/// </summary>
internal sealed class RequestRates(Origins origins, Limits limits, TimeProvider time)
{
    private const int SweptMin = 1_024;
    private static readonly TimeSpan Burst = TimeSpan.FromSeconds(1);

    /// <summary>
    /// Until when each account has used up what it may: as if its requests had come one after the other, evenly.
    /// </summary>
    private readonly ConcurrentDictionary<string, TimeSpan> _usedUntil = new();
    private readonly long _started = time.GetTimestamp();
    private int _sweepAt = SweptMin;

    /// <exception cref="RpcException">RESOURCE_EXHAUSTED, with when the next may come.</exception>
    public void Count(string accountId, Origin origin)
    {
        if (!origins.IsLimited(origin))
        {
            return;
        }

        TimeSpan now = time.GetElapsedTime(_started);
        TimeSpan each = Burst / limits.AccountRequestsPerSecondMax;
        while (true)
        {
            bool known = _usedUntil.TryGetValue(accountId, out TimeSpan until);
            TimeSpan next = (until > now ? until : now) + each;
            if (next - now > Burst)
            {
                throw Fault.Busy("TOO_MANY_REQUESTS", "This account makes too many requests.", next - now - Burst);
            }

            if (known && _usedUntil.TryUpdate(accountId, next, until))
            {
                return;
            }

            if (!known && _usedUntil.TryAdd(accountId, next))
            {
                Sweep(now);
                return;
            }
        }
    }

    /// <summary>Whoever has used nothing of what it may has no place here.</summary>
    private void Sweep(TimeSpan now)
    {
        if (_usedUntil.Count < Volatile.Read(ref _sweepAt))
        {
            return;
        }

        foreach (KeyValuePair<string, TimeSpan> idle in _usedUntil.Where(used => used.Value <= now))
        {
            _usedUntil.TryRemove(idle);
        }

        Volatile.Write(ref _sweepAt, Math.Max(SweptMin, _usedUntil.Count * 2));
    }
}
