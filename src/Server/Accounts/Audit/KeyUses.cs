using System.Collections.Concurrent;
using System.Collections.Immutable;

namespace Squall.Server;

/// <summary>
/// Which keys were used from where of late, in memory: the audit trail is told of each address once an interval, and of
/// a key's first few. So a key that has got elsewhere shows, and one in use costs no row a request.
/// </summary>
internal sealed class KeyUses(AuditTrail trail, Limits limits, TimeProvider time)
{
    private readonly ConcurrentDictionary<string, ImmutableArray<Origin>> _placesOf = new();
    private readonly Lock _gate = new();
    private long _interval;

    public void Note(Caller caller)
    {
        if (caller is { Key: not null, Origin: { } origin } && IsNew(caller.ProofId, origin))
        {
            trail.Note(caller.Did(AuditEvent.ApiKeyUsed));
        }
    }

    private bool IsNew(string keyId, Origin origin)
    {
        long interval = time.GetUtcNow().Ticks / limits.KeyUseInterval.Ticks;
        if (interval == Volatile.Read(ref _interval) && IsKnown(keyId, origin))
        {
            return false;
        }

        lock (_gate)
        {
            if (_interval != interval)
            {
                _placesOf.Clear();
                Volatile.Write(ref _interval, interval);
            }

            if (IsKnown(keyId, origin))
            {
                return false;
            }

            _placesOf[keyId] = [.. _placesOf.GetValueOrDefault(keyId, []), origin];
            return true;
        }
    }

    private bool IsKnown(string keyId, Origin origin) =>
        _placesOf.TryGetValue(keyId, out ImmutableArray<Origin> places)
        && (places.Length >= limits.KeyUsePlacesMax || places.Contains(origin));
}
