using Grpc.Core;

namespace Squall.Server;

/// <summary>
/// Bounds how often passwords are guessed and accounts made, before any work is done for it. Whether there is an
/// account of a name makes no difference to what is counted. Kept in memory: a restart forgets it.
/// </summary>
internal sealed class Attempts
{
    private readonly Lock _gate = new();
    private readonly Origins _origins;
    private readonly TimeProvider _time;
    private readonly long _started;
    private readonly RecentCount<(string, UInt128)> _ofPair;
    private readonly RecentCount<string> _ofAccount;
    private readonly RecentCount<UInt128> _ofAddress;
    private readonly RecentCount<UInt128> _registrations;

    public Attempts(Origins origins, Limits limits, TimeProvider time)
    {
        (_origins, _time, _started) = (origins, time, time.GetTimestamp());
        int all = limits.FailuresRememberedMax;
        _ofPair = new(limits.AccountAddressFailuresMax, limits.FailureWindow, all);
        _ofAccount = new(limits.AccountFailuresMax, limits.AccountFailureWindow, all);
        _ofAddress = new(limits.AddressFailuresMax, limits.FailureWindow, all);
        _registrations = new(limits.AddressRegistrationsMax, limits.RegistrationWindow, all);
    }

    private TimeSpan Now => _time.GetElapsedTime(_started);

    /// <summary>
    /// A password is about to be tried. Counted is what <see cref="Attempt.Fail"/> is called of, by name and address,
    /// by address, and, unless <paramref name="isFamiliar"/>, by name alone: strangers cannot keep an account out of
    /// where it is used.
    /// </summary>
    /// <param name="about">What the audit trail is to be told if it is refused.</param>
    /// <exception cref="RpcException">RESOURCE_EXHAUSTED, with when the next may be tried.</exception>
    public Attempt BeginLogin(string username, Origin origin, bool isFamiliar, AuditEntry? about = null) =>
        Begin(username, origin, isFamiliar, about);

    /// <summary>A proof that names no account here is about to be tried: it counts by its address.</summary>
    /// <exception cref="RpcException">RESOURCE_EXHAUSTED, with when the next may be tried.</exception>
    public Attempt BeginLogin(Origin origin) => Begin(null, origin, isFamiliar: true, about: null);

    /// <summary>An account is about to be made; whether it then is does not matter.</summary>
    /// <exception cref="RpcException">RESOURCE_EXHAUSTED, with when the next may be tried.</exception>
    public void CountRegistration(Origin origin)
    {
        if (!_origins.IsLimited(origin))
        {
            return;
        }

        lock (_gate)
        {
            TimeSpan now = Now;
            if (_registrations.WaitOf(origin.Network, now) is var wait && wait > TimeSpan.Zero)
            {
                throw Fault.Busy("TOO_MANY_REGISTRATIONS", "Too many accounts were registered from here.", wait);
            }

            _registrations.Hold(origin.Network);
            _registrations.Count(origin.Network, now);
        }
    }

    private Attempt Begin(string? username, Origin origin, bool isFamiliar, AuditEntry? about)
    {
        if (!_origins.IsLimited(origin))
        {
            return new Attempt(null, username, origin, isFamiliar);
        }

        lock (_gate)
        {
            TimeSpan now = Now;
            TimeSpan[] waits =
            [
                username is null ? TimeSpan.Zero : _ofPair.WaitOf((username, origin.Network), now),
                _ofAddress.WaitOf(origin.Network, now),
                username is null || isFamiliar ? TimeSpan.Zero : _ofAccount.WaitOf(username, now),
            ];
            if (waits.Max() is var wait && wait > TimeSpan.Zero)
            {
                throw Fault.Busy("TOO_MANY_ATTEMPTS", "There were too many failed logins.", wait).About(about);
            }

            _ofAddress.Hold(origin.Network);
            if (username is not null)
            {
                _ofPair.Hold((username, origin.Network));
            }

            if (username is not null && !isFamiliar)
            {
                _ofAccount.Hold(username);
            }
        }

        return new Attempt(this, username, origin, isFamiliar);
    }

    private void End(Attempt attempt)
    {
        lock (_gate)
        {
            End(_ofAddress, attempt.Origin.Network, attempt.HasFailed);
            if (attempt.Username is { } username)
            {
                End(_ofPair, (username, attempt.Origin.Network), attempt.HasFailed);
            }

            if (attempt is { Username: { } name, IsFamiliar: false })
            {
                End(_ofAccount, name, attempt.HasFailed);
            }
        }
    }

    private void End<TKey>(RecentCount<TKey> counts, TKey key, bool failed)
        where TKey : notnull
    {
        if (failed)
        {
            counts.Count(key, Now);
        }
        else
        {
            counts.Release(key);
        }
    }

    /// <summary>A proof that is being tried: it counts as long as it is, and from then on if it was wrong.</summary>
    internal sealed class Attempt(Attempts? attempts, string? username, Origin origin, bool isFamiliar) : IDisposable
    {
        private bool _ended;

        public string? Username => username;
        public Origin Origin => origin;
        public bool IsFamiliar => isFamiliar;
        public bool HasFailed { get; private set; }

        public void Fail() => HasFailed = true;

        public void Dispose()
        {
            if (!_ended)
            {
                _ended = true;
                attempts?.End(this);
            }
        }
    }
}
