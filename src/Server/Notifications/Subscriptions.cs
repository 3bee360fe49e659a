using Grpc.Core;

namespace Squall.Server;

/// <summary>
/// The subscriptions that are open: no more than the limit an account, and none beyond its session or key.
/// </summary>
internal sealed class Subscriptions(Limits limits, TimeProvider time)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, HashSet<OpenSubscription>> _ofAccount = [];

    /// <exception cref="RpcException">RESOURCE_EXHAUSTED: the account has as many as it may.</exception>
    public OpenSubscription Enter(Caller caller, string connection, CancellationToken cancelled)
    {
        lock (_gate)
        {
            if (!_ofAccount.TryGetValue(caller.AccountId, out HashSet<OpenSubscription>? open))
            {
                _ofAccount[caller.AccountId] = open = [];
            }

            if (open.Count >= limits.AccountSubscriptionsMax)
            {
                throw Fault.LimitReached(
                    "TOO_MANY_SUBSCRIPTIONS",
                    $"An account has at most {limits.AccountSubscriptionsMax} subscriptions.");
            }

            var subscription = new OpenSubscription(this, caller, connection, time, cancelled);
            open.Add(subscription);
            return subscription;
        }
    }

    /// <summary>
    /// Takes what was committed: before the tail does, and before who ended a session or key is answered.
    /// </summary>
    public void Apply(IReadOnlyList<ChangeRow> committed)
    {
        foreach (ChangeRow row in committed)
        {
            if ((ChangeKind)row.Kind is ChangeKind.SessionEnded or ChangeKind.KeyEnded)
            {
                EndAccess(row.AccountId, row.TaskId);
            }
        }
    }

    public void Leave(OpenSubscription subscription)
    {
        lock (_gate)
        {
            if (_ofAccount.TryGetValue(subscription.Caller.AccountId, out HashSet<OpenSubscription>? open)
                && open.Remove(subscription) && open.Count == 0)
            {
                _ofAccount.Remove(subscription.Caller.AccountId);
            }
        }
    }

    private void EndAccess(string accountId, string proofId)
    {
        lock (_gate)
        {
            foreach (OpenSubscription open in _ofAccount.GetValueOrDefault(accountId) ?? [])
            {
                if (open.Caller.ProofId == proofId)
                {
                    open.EndAccess();
                }
            }
        }
    }
}

/// <summary>One open subscription: its place among those of its account, and what ends it.</summary>
internal sealed class OpenSubscription : IDisposable
{
    /// <summary>How long a write may take that was under way when the session or key ended.</summary>
    private static readonly TimeSpan EndGrace = TimeSpan.FromMilliseconds(500);

    /// <summary>A timer cannot be set for longer than weeks: it is set again.</summary>
    private static readonly TimeSpan TimerMax = TimeSpan.FromDays(30);
    private readonly Subscriptions _all;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _cut = new();
    private readonly ITimer? _expiry;
    private ITimer? _grace;
    private Waiter? _waiter;
    private int _ends;
    private volatile bool _accessEnded;

    public OpenSubscription(
        Subscriptions all, Caller caller, string connection, TimeProvider time, CancellationToken cancelled)
    {
        (_all, _time, Caller, Connection, Cancelled) = (all, time, caller, connection, cancelled);
        Cut = _cut.Token;
        if (caller.Key?.ExpireTimeMicros is { } expires)
        {
            _expiry = time.CreateTimer(
                _ => Expire(expires), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            Expire(expires);
        }
    }

    public Caller Caller { get; }

    /// <summary>The connection that it writes to; "": none.</summary>
    public string Connection { get; }

    /// <summary>Fires when the call ends.</summary>
    public CancellationToken Cancelled { get; }

    /// <summary>
    /// Fires when a write that is under way is broken off, and the stream with it. The end of a call does not do
    /// that: its caller is to be told.
    /// </summary>
    public CancellationToken Cut { get; }

    /// <summary>The session has ended, or the key.</summary>
    public bool AccessEnded => _accessEnded;

    /// <summary>Has it woken when the session or key ends, which may be by now.</summary>
    public void Wakes(Waiter waiter) => Interlocked.Exchange(ref _waiter, waiter);

    /// <summary>Called by the journal's writer: who is woken goes on elsewhere.</summary>
    public void EndAccess()
    {
        _accessEnded = true;
        if (Interlocked.Exchange(ref _ends, 1) == 1)
        {
            return;
        }

        _grace = _time.CreateTimer(_ => CutOff(), null, EndGrace, Timeout.InfiniteTimeSpan);
        _waiter?.Wake();
    }

    public void CutOff() => _cut.Cancel();

    /// <exception cref="RpcException">UNAUTHENTICATED: the session or key ended.</exception>
    /// <exception cref="OperationCanceledException">The call ended.</exception>
    public void ThrowIfOver()
    {
        if (_accessEnded)
        {
            throw Sessions.Ended(Caller);
        }

        Cancelled.ThrowIfCancellationRequested();
    }

    /// <summary>Not the sources: who ended the session or key, or cut the stream, may still be about it.</summary>
    public void Dispose()
    {
        _all.Leave(this);
        _grace?.Dispose();
        _expiry?.Dispose();
    }

    private void Expire(long micros)
    {
        TimeSpan rest = TimeSpan.FromMicroseconds(micros - Micros.Of(_time.GetUtcNow()));
        if (rest <= TimeSpan.Zero)
        {
            EndAccess();
        }
        else
        {
            _expiry!.Change(rest < TimerMax ? rest : TimerMax, Timeout.InfiniteTimeSpan);
        }
    }
}
