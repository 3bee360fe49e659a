using Grpc.Core;
using Grpc.Net.Client;

namespace Squall.Client;

/// <summary>One connection, and what is known of it. Who counts and retires it is <see cref="Connections"/>.</summary>
internal sealed class Connection(GrpcChannel channel, int number)
{
    public GrpcChannel Channel => channel;

    public CallInvoker Invoker { get; } = channel.CreateCallInvoker();

    public int Number => number;

    public int Calls { get; set; }

    /// <summary>No further call is made on it; it is closed after the last.</summary>
    public bool IsRetired { get; set; }

    /// <summary>When the server was last heard on it.</summary>
    public long Heard { get; set; }
}

/// <summary>
/// One call's hold on its connection. A call that waited long, on a connection that has said nothing since it began,
/// finds it dead: the calls after it are not to wait as long.
/// </summary>
internal sealed class ConnectionLease(Connection connection, TimeProvider time, Action<Connection, bool> giveBack)
    : IDisposable
{
    private static readonly TimeSpan SilenceMax = TimeSpan.FromSeconds(5);

    private readonly long started = time.GetTimestamp();
    private int isReturned;

    public TCall Start<TCall>(Func<CallInvoker, TCall> start)
    {
        try
        {
            return start(connection.Invoker);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public void Heard() => connection.Heard = time.GetTimestamp();

    /// <summary>Ends a unary call's hold as the call ended.</summary>
    public void End(Task response)
    {
        switch (response.Exception?.InnerException)
        {
            case RpcException { StatusCode: StatusCode.Unavailable }:
                Return(isDead: false);
                break;
            case RpcException { StatusCode: StatusCode.DeadlineExceeded or StatusCode.Cancelled }:
                Return(isDead: connection.Heard <= started && time.GetElapsedTime(started) >= SilenceMax);
                break;
            default:
                Heard();
                Return(isDead: false);
                break;
        }
    }

    public void Dispose() => Return(isDead: false);

    private void Return(bool isDead)
    {
        if (Interlocked.Exchange(ref isReturned, 1) == 0)
        {
            giveBack(connection, isDead);
        }
    }
}

/// <summary>The responses of a call that streams them; after the last it no longer holds its connection.</summary>
internal sealed class LeasedStream<TResponse>(IAsyncStreamReader<TResponse> responses, ConnectionLease lease)
    : IAsyncStreamReader<TResponse>
{
    public TResponse Current => responses.Current;

    public async Task<bool> MoveNext(CancellationToken cancellationToken)
    {
        var hasNext = false;
        try
        {
            hasNext = await responses.MoveNext(cancellationToken).ConfigureAwait(false);
            lease.Heard();
            return hasNext;
        }
        finally
        {
            if (!hasNext)
            {
                lease.Dispose();
            }
        }
    }
}
