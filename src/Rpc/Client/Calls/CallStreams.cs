using Grpc.Core;

namespace Grpc.Net.Client;

/// Writes a call's requests. Writes may overlap: they are sent one after the other, in the order of the calls.
internal sealed class RequestStream<TRequest, TResponse>(HttpCall<TRequest, TResponse> call, CallOptions options)
    : IClientStreamWriter<TRequest>
    where TRequest : class
    where TResponse : class
{
    // As many as a server lets wait: who writes faster than is read has to wait for the writes.
    private const int WaitingMax = 1_000;

    private readonly Lock gate = new();
    private int waiting;
    private Task last = Task.CompletedTask;
    private bool completed;

    public WriteOptions? WriteOptions { get; set; } = options.WriteOptions;

    public Task WriteAsync(TRequest message) => WriteAsync(message, CancellationToken.None);

    public Task WriteAsync(TRequest message, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(message);
        WriteFlags flags = WriteOptions?.Flags ?? default;
        lock (gate)
        {
            if (cancellationToken.IsCancellationRequested)
            {
                return Task.FromCanceled(cancellationToken);
            }

            if (completed)
            {
                return Task.FromException(new InvalidOperationException("Request stream has already been completed."));
            }

            if (waiting >= WaitingMax)
            {
                return Task.FromException(new RpcException(new Status(
                    StatusCode.ResourceExhausted, $"{waiting} writes wait already for the server to read.")));
            }

            Interlocked.Increment(ref waiting);
            return last = WriteAfterAsync(last, message, flags, cancellationToken);
        }
    }

    public Task CompleteAsync()
    {
        lock (gate)
        {
            if (completed)
            {
                return Task.CompletedTask;
            }

            completed = true;
            return last = CompleteAfterAsync(last);
        }
    }

    private async Task WriteAfterAsync(
        Task before, TRequest message, WriteFlags flags, CancellationToken cancellationToken)
    {
        try
        {
            await before.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (call.Lifetime.Outcome is { } ended)
            {
                throw ended.Status.StatusCode == StatusCode.OK
                    ? new InvalidOperationException("Can't write the message because the call is complete.")
                    : call.Lifetime.ToException();
            }

            await call.WriteAsync(message, flags, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            Interlocked.Decrement(ref waiting);
        }
    }

    private async Task CompleteAfterAsync(Task before)
    {
        await before.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        call.CompleteRequests();
    }
}

/// Reads a call's responses, one at a time.
internal sealed class ResponseStream<TRequest, TResponse>(HttpCall<TRequest, TResponse> call)
    : IAsyncStreamReader<TResponse>
    where TRequest : class
    where TResponse : class
{
    private int reading;

    /// Null before the first message and after the last.
    public TResponse Current { get; private set; } = null!;

    public async Task<bool> MoveNext(CancellationToken cancellationToken)
    {
        if (Interlocked.Exchange(ref reading, 1) != 0)
        {
            throw new InvalidOperationException(
                "Can't read the next message because the previous read is in progress.");
        }

        try
        {
            using CancellationTokenRegistration registration = call.Lifetime.CancelWith(cancellationToken);
            Current = null!;
            Current = (await call.ReadNextAsync().ConfigureAwait(false))!;
            return Current is not null;
        }
        finally
        {
            Volatile.Write(ref reading, 0);
        }
    }
}
