using Grpc.Core;
using Squall.Rpc;

namespace Grpc.Net.Client;

/// How a call ended.
internal sealed record CallOutcome(Status Status, Metadata Trailers)
{
    /// Whose token gave the call up, or that of nobody, where time or the channel did; null: it was not given up here.
    public CancellationToken? GivenUpBy { get; init; }
}

/// When a call is over, and why: the first to say so is believed. Whatever waits for the network waits on Token as
/// well, so that a call which is cancelled, disposed or late is over at once, even if the network hangs.
internal sealed class CallLifetime
{
    private static readonly Status DeadlinePassed = new(StatusCode.DeadlineExceeded, "The deadline has passed.");

    private readonly GrpcChannel channel;
    private readonly CancellationTokenSource source = new();
    private readonly DateTimeOffset deadline;
    private readonly CancellationToken callerToken;
    private readonly CancellationToken servedToken;
    private readonly List<IDisposable> triggers = [];
    private readonly Lock gate = new();
    private readonly TaskCompletionSource ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile CallOutcome? outcome;

    public CallLifetime(GrpcChannel channel, CallOptions options)
    {
        this.channel = channel;
        callerToken = options.CancellationToken;
        Token = source.Token;
        deadline = ToDeadline(options.Deadline);
        // A call that a handler makes, and hands its own call's token on to, ends with that one.
        if (options.PropagationToken is CallContextPropagation served)
        {
            servedToken = served.CancellationToken;
            DateTimeOffset servedDeadline = ToDeadline(served.Deadline);
            deadline = servedDeadline < deadline ? servedDeadline : deadline;
        }
    }

    /// Fires when the call is given up, not when it ends well.
    public CancellationToken Token { get; }

    /// Null while the call is under way.
    public CallOutcome? Outcome => outcome;

    /// What is told of the call; null if nobody listens.
    public CallActivity? Activity { get; set; }

    /// Which of the channel's transports the last attempt went over.
    public int Transport { get; set; }

    /// Done once the call is over, however it ended.
    public Task Ended => ended.Task;

    /// What is left of the call's time; null where it is not bounded.
    public TimeSpan? TimeLeft =>
        deadline == DateTimeOffset.MaxValue ? null : deadline - channel.Options.Time.GetUtcNow();

    /// Begins to watch the deadline, the caller's token and the channel's end.
    public void Watch()
    {
        AddTrigger(CancelWith(callerToken));
        AddTrigger(CancelWith(servedToken));
        AddTrigger(channel.Closing.UnsafeRegister(
            _ => Abort(new Status(StatusCode.Cancelled, "The channel was disposed.")), null));
        if (TimeLeft is not { } left)
        {
            return;
        }

        Action expired = () => Abort(DeadlinePassed);
        if (left <= TimeSpan.Zero)
        {
            expired();
            return;
        }

        AddTrigger(new DeadlineTimer(channel.Options.Time, left, expired));
    }

    /// Gives the call up when `token` fires, as long as what it returns is not disposed.
    public CancellationTokenRegistration CancelWith(CancellationToken token) => token.UnsafeRegister(
        _ => Abort(new Status(StatusCode.Cancelled, "Call canceled by the client."), givenUpBy: token), null);

    /// Says how the call ended; false if that was said before.
    public bool TryEnd(CallOutcome end)
    {
        Status status = end.Status;
        lock (gate)
        {
            if (outcome is not null)
            {
                return false;
            }

            outcome = end;
        }

        ended.SetResult();
        Activity?.End(status);
        triggers.ForEach(trigger => trigger.Dispose());
        if (status.StatusCode != StatusCode.OK)
        {
            channel.Logger.CallFailed(status.StatusCode, status.Detail);
        }

        return true;
    }

    /// Ends the call, unless it has ended, and stops all that is under way for it.
    public void Abort(Status status, Metadata? trailers = null, CancellationToken givenUpBy = default)
    {
        if (TryEnd(new CallOutcome(status, trailers ?? []) { GivenUpBy = givenUpBy }))
        {
            source.Cancel();
        }
    }

    /// Ends the call for this reason, unless it has ended; what its caller is to be thrown.
    public Exception Fail(Exception failure)
    {
        if (outcome is null)
        {
            channel.Transport.Note(failure, Transport);
            Status status = TransportFailure.ToStatus(failure, channel.Address);
            // A server that resets a stream because its time is over says no more than CANCEL.
            bool late = status.StatusCode == StatusCode.Cancelled && TimeLeft <= TimeSpan.Zero;
            Abort(late ? DeadlinePassed : status, (failure as RpcException)?.Trailers);
        }

        return ToException();
    }

    /// What the caller of a call that did not end well is thrown.
    public Exception ToException()
    {
        CallOutcome end = outcome!;
        var exception = new RpcException(end.Status, end.Trailers);
        return end.GivenUpBy is { } token && channel.Options.ThrowOperationCanceledOnCancellation
            && end.Status.StatusCode is StatusCode.Cancelled or StatusCode.DeadlineExceeded
            ? new OperationCanceledException(end.Status.Detail, exception, token)
            : exception;
    }

    // The call may end, from another thread, while it still begins to watch.
    private void AddTrigger(IDisposable trigger)
    {
        lock (gate)
        {
            if (outcome is null)
            {
                triggers.Add(trigger);
                return;
            }
        }

        trigger.Dispose();
    }

    private static DateTimeOffset ToDeadline(DateTime? deadline)
    {
        if (deadline is null || deadline == DateTime.MaxValue)
        {
            return DateTimeOffset.MaxValue;
        }

        if (deadline == DateTime.MinValue)
        {
            return DateTimeOffset.MinValue;
        }

        return deadline.Value.Kind == DateTimeKind.Utc ? new DateTimeOffset(deadline.Value)
            : throw new InvalidOperationException("A deadline is in UTC: its Kind is to be DateTimeKind.Utc.");
    }
}
