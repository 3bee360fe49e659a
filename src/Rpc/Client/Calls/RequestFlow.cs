namespace Grpc.Net.Client;

/// The messages of a call's request, on their way into whatever attempt is under way. Until the call is settled they
/// are kept, within bounds, and each further attempt begins by sending them anew.
internal sealed class RequestFlow
{
    private readonly Lock gate = new();
    private readonly RetryBuffer? buffer;
    private readonly TaskCompletionSource completed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource settled = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TaskCompletionSource<OpenBody> next = NewBody();
    private OpenBody? current;
    private List<byte[]>? kept = [];
    private long keptBytes;
    private int attempts;

    /// One message, known beforehand.
    public RequestFlow(byte[] only) => Only = only;

    /// A stream of messages.
    public RequestFlow(RetryBuffer buffer) => this.buffer = buffer;

    /// The frame of the only message; null where there is a stream of them.
    public byte[]? Only { get; }

    /// Whether a further attempt could send all that was written so far.
    public bool CanBeginAnew => Only is not null || kept is not null;

    /// Writes one frame of a stream; done when the transport has taken it. If its attempt fails before the call is
    /// settled, the next one sends it. Not for two writers at once.
    public async Task WriteAsync(
        ReadOnlyMemory<byte> frame, bool flush, Task ended, CancellationToken cancellationToken)
    {
        (int index, Task<OpenBody> opening) = Keep(frame);
        while (true)
        {
            OpenBody body = await opening.WaitAsync(cancellationToken).ConfigureAwait(false);
            if (index >= 0 && index < body.Replayed)
            {
                return;
            }

            try
            {
                await body.WriteAsync(frame, flush, cancellationToken).ConfigureAwait(false);
                return;
            }
            catch (Exception) when (index >= 0 && !cancellationToken.IsCancellationRequested)
            {
                opening = BodyAfter(body);
                await Task.WhenAny(opening, settled.Task, ended).WaitAsync(cancellationToken).ConfigureAwait(false);
                if (!opening.IsCompleted && (ended.IsCompleted || IsLast(body)))
                {
                    throw;
                }
            }
        }
    }

    /// Ends the stream, after what was written.
    public void Complete() => completed.TrySetResult();

    /// Keeps nothing from now on: there will be no further attempt.
    public void Settle()
    {
        lock (gate)
        {
            Forget();
        }

        settled.TrySetResult();
    }

    /// Writes an attempt's whole body: what was kept of earlier ones, then what is written while it lasts.
    public async Task CopyToAsync(Stream stream, CancellationToken cancellationToken)
    {
        int attempt = 0;
        try
        {
            if (Only is not null)
            {
                await stream.WriteAsync(Only, cancellationToken).ConfigureAwait(false);
                return;
            }

            // Without a flush the headers would wait for the first message, and the server with them.
            await stream.FlushAsync(cancellationToken).ConfigureAwait(false);
            (attempt, List<byte[]> earlier) = Begin();
            for (int replayed = 0; NextToReplay(attempt, earlier, stream, replayed) is { } frame; replayed++)
            {
                await stream.WriteAsync(frame, cancellationToken).ConfigureAwait(false);
                await stream.FlushAsync(cancellationToken).ConfigureAwait(false);
            }

            await completed.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            // A server that resets a stream breaks its body, too. Were that told first, the handler would not learn
            // that the stream was refused and may be sent again.
            if (e is OperationCanceledException or HttpProtocolException || e.InnerException is HttpProtocolException)
            {
                await settled.Task.ConfigureAwait(false);
            }

            Broke(attempt, e);
            throw;
        }
    }

    /// Begins an attempt: whoever writes waits until it has sent what earlier ones had. The call may be settled by its
    /// answer while that is still sent, so that it keeps its hold on the messages.
    private (int Attempt, List<byte[]> Earlier) Begin()
    {
        lock (gate)
        {
            if (kept is null && attempts > 0)
            {
                throw new IOException("The connection closed, and the messages written so far cannot be sent again.");
            }

            current = null;
            return (++attempts, kept ?? []);
        }
    }

    /// The frame to send anew; null once there is none, and then this body is the one that is written to, unless
    /// another attempt has begun.
    private byte[]? NextToReplay(int attempt, List<byte[]> earlier, Stream stream, int replayed)
    {
        lock (gate)
        {
            if (replayed < earlier.Count)
            {
                return earlier[replayed];
            }

            if (attempt == attempts)
            {
                current = new OpenBody(stream, attempt, replayed);
                next.SetResult(current);
                next = NewBody();
            }

            return null;
        }
    }

    /// An attempt's body ended before it could be written to: if it was the last one, whoever waits for it is told.
    private void Broke(int attempt, Exception failure)
    {
        lock (gate)
        {
            if (attempt == attempts && current is null && settled.Task.IsCompleted && next.TrySetException(failure))
            {
                _ = next.Task.Exception;
            }
        }
    }

    private bool IsLast(OpenBody body)
    {
        lock (gate)
        {
            return body.Attempt == attempts;
        }
    }

    private Task<OpenBody> BodyAfter(OpenBody body)
    {
        lock (gate)
        {
            return current is null || current == body ? next.Task : Task.FromResult(current);
        }
    }

    private (int Index, Task<OpenBody> Body) Keep(ReadOnlyMemory<byte> frame)
    {
        lock (gate)
        {
            Task<OpenBody> body = current is null ? next.Task : Task.FromResult(current);
            if (kept is null || !buffer!.TryTake(keptBytes, frame.Length))
            {
                Forget();
                return (-1, body);
            }

            keptBytes += frame.Length;
            kept.Add(frame.ToArray());
            return (kept.Count - 1, body);
        }
    }

    private void Forget()
    {
        if (kept is not null)
        {
            buffer?.Return(keptBytes);
            kept = null;
        }
    }

    private static TaskCompletionSource<OpenBody> NewBody() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// The body of an attempt that can be written to; it began with this many messages of earlier ones.
    private sealed class OpenBody(Stream stream, int attempt, int replayed)
    {
        public int Attempt => attempt;

        public int Replayed => replayed;

        public async Task WriteAsync(ReadOnlyMemory<byte> frame, bool flush, CancellationToken cancellationToken)
        {
            await stream.WriteAsync(frame, cancellationToken).AsTask().WaitAsync(cancellationToken)
                .ConfigureAwait(false);
            if (flush)
            {
                await stream.FlushAsync(cancellationToken).WaitAsync(cancellationToken).ConfigureAwait(false);
            }
        }
    }
}
