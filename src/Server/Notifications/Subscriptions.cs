using Grpc.Core;

namespace Squall.Server;

/// <summary>The subscriptions that are open: no more than the limit an account, and none beyond its session.</summary>
internal sealed class Subscriptions(Limits limits, TimeProvider time)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, HashSet<OpenSubscription>> _ofAccount = [];

    /// <exception cref="RpcException">RESOURCE_EXHAUSTED: the account has as many as it may.</exception>
    public OpenSubscription Enter(Caller caller, CancellationToken cancelled)
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

            var subscription = new OpenSubscription(this, caller, time, cancelled);
            open.Add(subscription);
            return subscription;
        }
    }

    /// <summary>Takes what was committed: before the tail does, and before who ended a session is answered.</summary>
    public void Apply(IReadOnlyList<ChangeRow> committed)
    {
        foreach (ChangeRow row in committed)
        {
            if (row.Kind == (int)ChangeKind.SessionEnded)
            {
                EndSession(row.AccountId, row.TaskId);
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

    private void EndSession(string accountId, string sessionId)
    {
        lock (_gate)
        {
            foreach (OpenSubscription open in _ofAccount.GetValueOrDefault(accountId) ?? [])
            {
                if (open.Caller.SessionId == sessionId)
                {
                    open.EndSession();
                }
            }
        }
    }
}

/// <summary>One open subscription: its place among those of its account, and what ends it.</summary>
internal sealed class OpenSubscription : IDisposable
{
    /// <summary>How long a write may take that was under way when the session ended.</summary>
    private static readonly TimeSpan EndGrace = TimeSpan.FromMilliseconds(500);
    private readonly Subscriptions _all;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _over;
    private readonly CancellationTokenSource _cut = new();
    private ITimer? _grace;
    private volatile bool _sessionEnded;

    public OpenSubscription(Subscriptions all, Caller caller, TimeProvider time, CancellationToken cancelled)
    {
        (_all, _time, Caller) = (all, time, caller);
        _over = CancellationTokenSource.CreateLinkedTokenSource(cancelled);
        Over = _over.Token;
        Cut = _cut.Token;
    }

    public Caller Caller { get; }

    /// <summary>Fires when the call or its session ends: nothing more is begun.</summary>
    public CancellationToken Over { get; }

    /// <summary>
    /// Fires when a write that is under way is broken off, and the stream with it. The end of a call does not do
    /// that: its caller is to be told.
    /// </summary>
    public CancellationToken Cut { get; }

    public bool SessionEnded => _sessionEnded;

    /// <summary>Called by the journal's writer, at most once: what waits for the token runs elsewhere.</summary>
    public void EndSession()
    {
        _sessionEnded = true;
        _grace = _time.CreateTimer(_ => CutOff(), null, EndGrace, Timeout.InfiniteTimeSpan);
        _ = _over.CancelAsync();
    }

    public void CutOff() => _cut.Cancel();

    /// <exception cref="RpcException">UNAUTHENTICATED: the session ended.</exception>
    /// <exception cref="OperationCanceledException">The call ended.</exception>
    public void ThrowIfOver()
    {
        if (_sessionEnded)
        {
            throw Ended();
        }

        Over.ThrowIfCancellationRequested();
    }

    public static RpcException Ended() => Fault.Unauthenticated("SESSION_ENDED", "The session has ended.");

    /// <summary>Not the sources: who ended the session, or cut the stream, may still be about it.</summary>
    public void Dispose()
    {
        _all.Leave(this);
        _grace?.Dispose();
    }
}
