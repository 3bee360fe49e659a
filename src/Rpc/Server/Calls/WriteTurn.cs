using Grpc.Core;

namespace Squall.Rpc;

/// Whose turn it is to write to a call: one writer at a time, in the order in which they came. A writer that finds it
/// free, as nearly all do, pays two exchanges for it; those who wait are bounded. To be used in place, not copied.
internal struct WriteTurn
{
    private const int Free = 0;
    private const int Taken = 1;
    private const int Awaited = 2;

    private int state;
    private Queue<TaskCompletionSource>? waiting;

    private Queue<TaskCompletionSource> Waiting =>
        waiting ?? Interlocked.CompareExchange(ref waiting, new(), null) ?? waiting;

    public bool TryTake() => Interlocked.CompareExchange(ref state, Taken, Free) == Free;

    /// Waits for the turn. One writer too many is RESOURCE_EXHAUSTED.
    public Task TakeAsync(int waitingMax, CancellationToken cancellationToken)
    {
        if (TryTake())
        {
            return Task.CompletedTask;
        }

        var turn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (Waiting)
        {
            // Either it is free by now, or whoever has it is told that it is awaited.
            while (Interlocked.CompareExchange(ref state, Awaited, Taken) == Free)
            {
                if (TryTake())
                {
                    return Task.CompletedTask;
                }
            }

            if (Waiting.Count >= waitingMax && !DropCancelled())
            {
                // No RetryInfo: it is up to the caller, which has to read, and to no time.
                return Task.FromException(Refusal.Of(
                    new Status(
                        StatusCode.ResourceExhausted, $"{waitingMax} writes wait already for the call to be read."),
                    ErrorReasons.TooManyWrites));
            }

            Waiting.Enqueue(turn);
        }

        return cancellationToken.CanBeCanceled ? UnlessCancelledAsync(turn, cancellationToken) : turn.Task;
    }

    /// Hands it to the next who waits, if there is one.
    public void Release()
    {
        if (Interlocked.CompareExchange(ref state, Free, Taken) == Taken)
        {
            return;
        }

        lock (Waiting)
        {
            while (Waiting.TryDequeue(out TaskCompletionSource? next))
            {
                if (Waiting.Count == 0)
                {
                    Volatile.Write(ref state, Taken);
                }

                if (next.TrySetResult())
                {
                    return;
                }
            }

            Volatile.Write(ref state, Free);
        }
    }

    /// Makes room of those who wait no longer; false: all do.
    private bool DropCancelled()
    {
        int before = Waiting.Count;
        for (int seen = 0; seen < before; seen++)
        {
            TaskCompletionSource one = Waiting.Dequeue();
            if (!one.Task.IsCompleted)
            {
                Waiting.Enqueue(one);
            }
        }

        return Waiting.Count < before;
    }

    private static async Task UnlessCancelledAsync(TaskCompletionSource turn, CancellationToken cancellationToken)
    {
        await using CancellationTokenRegistration registration = cancellationToken.UnsafeRegister(
            static (turn, cancelled) => ((TaskCompletionSource)turn!).TrySetCanceled(cancelled), turn);
        await turn.Task;
    }
}
