namespace Squall.Rpc;

/// Where a stream's handler runs. Of what it writes without giving its thread away, the first message is sent at once,
/// and the others together, as soon as it does give it away: a burst costs two flushes, and nobody waits for it.
internal sealed class HandlerFlow(CallOutput output, TimeProvider time) : IDisposable
{
    // When a handler that keeps its thread, but writes no more, has its last messages sent.
    private static readonly TimeSpan HoldMax = TimeSpan.FromMilliseconds(20);

    private static readonly AsyncLocal<HandlerFlow?> Flow = new(static change =>
    {
        ofThread = change.CurrentValue;
        change.PreviousValue?.Leave();
    });

    [ThreadStatic]
    private static HandlerFlow? ofThread;

    // Null once the call is over: what its handler has started may outlive it.
    private CallOutput? output = output;
    private bool hasSent;
    private ITimer? timer;
    private bool isArmed;

    /// To be called within an async method, whose caller is not in the flow.
    public void Enter() => Flow.Value = this;

    /// Whether a message may wait for those that come after it.
    public bool MayHold()
    {
        if (ofThread != this)
        {
            return false;
        }

        if (!hasSent)
        {
            hasSent = true;
            return false;
        }

        if (!Volatile.Read(ref isArmed))
        {
            Arm();
        }

        return true;
    }

    public void Dispose()
    {
        output = null;
        timer?.Dispose();
    }

    private void Leave()
    {
        hasSent = false;
        output?.TrySendHeld();
    }

    private void Arm()
    {
        Volatile.Write(ref isArmed, true);
        timer ??= time.CreateTimer(
            static flow => ((HandlerFlow)flow!).OnHoldMax(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        timer.Change(HoldMax, Timeout.InfiniteTimeSpan);
    }

    private void OnHoldMax()
    {
        Volatile.Write(ref isArmed, false);
        if (output?.TrySendHeld() == false)
        {
            Arm(); // Somebody writes right now, and may have seen that it was armed.
        }
    }
}
