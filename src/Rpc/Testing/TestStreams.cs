using Grpc.Core;

namespace Squall.Rpc.Testing;

/// <summary>The requests of a streaming call, in a unit test.</summary>
/// <param name="messages">What the caller sends; a sequence may wait, and may fail as a call does.</param>
public sealed class TestStreamReader<T>(IAsyncEnumerable<T> messages) : IAsyncStreamReader<T>, IAsyncDisposable
{
    private IAsyncEnumerator<T>? at;

    /// <summary>Messages that are there already.</summary>
    public TestStreamReader(params IEnumerable<T> messages)
        : this(messages.ToAsyncEnumerable())
    {
    }

    /// <inheritdoc/>
    public T Current { get; private set; } = default!;

    /// <inheritdoc/>
    public async Task<bool> MoveNext(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        at ??= messages.GetAsyncEnumerator(cancellationToken);
        bool isThere = await at.MoveNextAsync();
        Current = isThere ? at.Current : default!;
        return isThere;
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => at?.DisposeAsync() ?? ValueTask.CompletedTask;
}

/// <summary>Keeps what a streaming method answers, in a unit test.</summary>
public sealed class TestStreamWriter<T> : IServerStreamWriter<T>
{
    private readonly Lock gate = new();
    private readonly List<T> messages = [];

    /// <summary>What was written so far, in order.</summary>
    public IReadOnlyList<T> Messages
    {
        get
        {
            lock (gate)
            {
                return [.. messages];
            }
        }
    }

    /// <inheritdoc/>
    public WriteOptions? WriteOptions { get; set; }

    /// <inheritdoc/>
    public Task WriteAsync(T message)
    {
        ArgumentNullException.ThrowIfNull(message);
        lock (gate)
        {
            messages.Add(message);
        }

        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task WriteAsync(T message, CancellationToken cancellationToken) =>
        cancellationToken.IsCancellationRequested ? Task.FromCanceled(cancellationToken) : WriteAsync(message);
}
