namespace Grpc.Core;

/// What is known of a channel's connection.
public enum ConnectivityState
{
    /// Nothing was tried yet.
    Idle,

    /// A connection is being made.
    Connecting,

    /// The last try reached the server.
    Ready,

    /// The last try did not reach the server.
    TransientFailure,

    /// The channel is disposed.
    Shutdown,
}

/// Remembers a channel's state and tells of its changes.
internal sealed class Connectivity
{
    private readonly Lock gate = new();
    private TaskCompletionSource changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public ConnectivityState State { get; private set; }

    public void Set(ConnectivityState state)
    {
        if (State == state)
        {
            return;
        }

        lock (gate)
        {
            if (State == ConnectivityState.Shutdown)
            {
                return;
            }

            State = state;
            changed.TrySetResult();
            changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }

    public Task WaitForChangeAsync(ConnectivityState from, CancellationToken cancellationToken)
    {
        lock (gate)
        {
            return State == from ? changed.Task.WaitAsync(cancellationToken) : Task.CompletedTask;
        }
    }
}
