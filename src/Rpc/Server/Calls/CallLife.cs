namespace Squall.Rpc;

/// What can end a call before its handler does, for calls that take so long, or whose handlers look at their token:
/// most are over at once and never make one.
internal sealed class CallLife(ServerCall call, CancellationToken aborted, TimeProvider time) : IDisposable
{
    // Timers go no further, so a later deadline is waited for in several steps.
    private static readonly TimeSpan StepMax = TimeSpan.FromDays(49);

    private readonly Lock gate = new();
    private readonly CancellationTokenSource source = CancellationTokenSource.CreateLinkedTokenSource(aborted);
    private ITimer? timer;
    private CallEnd? cause;
    private bool isOver;

    public CancellationToken Token => source.Token;

    /// What ended the call before its handler did; null: nothing has.
    public CallEnd? Cause => cause ?? (aborted.IsCancellationRequested ? CallEnd.Cancelled : null);

    /// Waits for the deadline that the call has now.
    public void Arm()
    {
        lock (gate)
        {
            if (!isOver)
            {
                timer ??= time.CreateTimer(
                    static life => ((CallLife)life!).Tick(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
                Arm(call.Deadline - time.GetUtcNow().UtcDateTime);
            }
        }
    }

    /// Fires the token, for a reason that stands from then on. False if the call had ended for another.
    public bool Stop(CallEnd reason)
    {
        lock (gate)
        {
            if (isOver || Cause is not null)
            {
                return false;
            }

            cause = reason;
            // Handlers go on elsewhere: whoever stops the call has its end to tell first.
            _ = source.CancelAsync();
            return true;
        }
    }

    /// From here on nothing ends the call early.
    public void StopTimer()
    {
        lock (gate)
        {
            isOver = true;
            timer?.Dispose();
            timer = null;
        }
    }

    public void Dispose()
    {
        StopTimer();
        source.Dispose();
    }

    private void Tick()
    {
        lock (gate)
        {
            if (isOver)
            {
                return;
            }

            TimeSpan left = call.Deadline - time.GetUtcNow().UtcDateTime;
            if (left > TimeSpan.Zero)
            {
                Arm(left);
                return;
            }
        }

        call.EndEarly(CallEnd.DeadlinePassed());
    }

    // A timer counts whole milliseconds; one more keeps it from ringing a moment too early, over and over.
    private void Arm(TimeSpan left)
    {
        TimeSpan step = left < StepMax ? left : StepMax;
        timer!.Change(
            TimeSpan.FromMilliseconds(Math.Max(0, Math.Ceiling(step.TotalMilliseconds))), Timeout.InfiniteTimeSpan);
    }
}
