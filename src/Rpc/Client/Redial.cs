using Squall.Rpc;

namespace Grpc.Net.Client;

/// When a server that was not reached is dialled anew by the calls that wait for it: all of them at once, so that many
/// waiting calls make one attempt, and later each time. A call that does not wait dials by itself and learns at once.
internal sealed class Redial(TimeSpan first, TimeSpan? max, TimeProvider time)
{
    private readonly Lock gate = new();
    private readonly Backoff backoff = new(first, max ?? TimeSpan.MaxValue, time: time);
    private DateTimeOffset notBefore;
    private bool failed;

    /// A dial failed: the next one is due after a while, unless one is due already.
    public void Failed()
    {
        lock (gate)
        {
            if (notBefore <= time.GetUtcNow())
            {
                failed = true;
                notBefore = time.GetUtcNow() + backoff.Next();
            }
        }
    }

    public void Succeeded()
    {
        if (failed)
        {
            lock (gate)
            {
                failed = false;
                backoff.Reset();
            }
        }
    }

    /// Waits until the next dial is due.
    public Task WaitAsync(CancellationToken cancellationToken)
    {
        TimeSpan left;
        lock (gate)
        {
            left = notBefore - time.GetUtcNow();
        }

        // Whole milliseconds, rounded up: a delay is cut down to them, and would end before its time.
        return left > TimeSpan.Zero
            ? Task.Delay(TimeSpan.FromMilliseconds(Math.Ceiling(left.TotalMilliseconds)), time, cancellationToken)
            : Task.CompletedTask;
    }
}
