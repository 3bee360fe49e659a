using Grpc.Core;
using Grpc.Net.Client;

namespace Squall.Client;

/// <summary>
/// The connections to the server: one as long as it suffices, another for every 100 calls at once, and fresh ones after
/// one was found dead. This is the one file that wires the SDK to gRPC's transport.
/// </summary>
internal sealed class Connections(SquallClientOptions options) : CallInvoker, IDisposable
{
    private const int CallsMax = 100;

    private readonly Lock gate = new();
    private readonly HashSet<Connection> all = [];
    private int made;
    private bool isDisposed;

    /// <summary>The connection that was made last; each has a higher number than those before.</summary>
    public int Newest => Volatile.Read(ref made);

    /// <summary>Lets the calls of all connections up to this one end, and makes no further call on them.</summary>
    public void Retire(int newest)
    {
        List<Connection> unused;
        lock (gate)
        {
            foreach (var connection in all.Where(connection => connection.Number <= newest))
            {
                connection.IsRetired = true;
            }

            unused = [.. all.Where(connection => connection is { IsRetired: true, Calls: 0 })];
            all.ExceptWith(unused);
        }

        unused.ForEach(connection => connection.Channel.Dispose());
    }

    public override AsyncUnaryCall<TResponse> AsyncUnaryCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request)
    {
        var lease = Rent();
        var call = lease.Start(invoker => invoker.AsyncUnaryCall(method, host, options, request));
        _ = call.ResponseAsync.ContinueWith(
            lease.End, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        return call;
    }

    public override AsyncServerStreamingCall<TResponse> AsyncServerStreamingCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request)
    {
        var lease = Rent();
        var call = lease.Start(invoker => invoker.AsyncServerStreamingCall(method, host, options, request));
        return new AsyncServerStreamingCall<TResponse>(
            new LeasedStream<TResponse>(call.ResponseStream, lease), call.ResponseHeadersAsync, call.GetStatus,
            call.GetTrailers, () => Leave(call, lease));
    }

    public override AsyncDuplexStreamingCall<TRequest, TResponse> AsyncDuplexStreamingCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options)
    {
        var lease = Rent();
        var call = lease.Start(invoker => invoker.AsyncDuplexStreamingCall(method, host, options));
        return new AsyncDuplexStreamingCall<TRequest, TResponse>(
            call.RequestStream, new LeasedStream<TResponse>(call.ResponseStream, lease), call.ResponseHeadersAsync,
            call.GetStatus, call.GetTrailers, () => Leave(call, lease));
    }

    public override AsyncClientStreamingCall<TRequest, TResponse> AsyncClientStreamingCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options) =>
        throw new NotSupportedException("The contract has no such call.");

    public override TResponse BlockingUnaryCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request) =>
        throw new NotSupportedException($"Use {method.Name}Async.");

    /// <summary>Ends all calls, those of retired connections too.</summary>
    public void Dispose()
    {
        List<Connection> last;
        lock (gate)
        {
            isDisposed = true;
            last = [.. all];
            all.Clear();
        }

        // Not within the lock: what ends with a channel may be code of the application.
        last.ForEach(connection => connection.Channel.Dispose());
    }

    private static void Leave(IDisposable call, ConnectionLease lease)
    {
        call.Dispose();
        lease.Dispose();
    }

    private ConnectionLease Rent()
    {
        lock (gate)
        {
            ObjectDisposedException.ThrowIf(isDisposed, typeof(SquallClient));
            var connection = all.FirstOrDefault(one => !one.IsRetired && one.Calls < CallsMax);
            if (connection is null)
            {
                connection = new Connection(Channel(), ++made);
                all.Add(connection);
            }

            connection.Calls++;
            return new ConnectionLease(connection, options.TimeProvider, Return);
        }
    }

    /// <summary>Ends a call's hold on a connection, which the call may have found dead.</summary>
    private void Return(Connection connection, bool isDead)
    {
        lock (gate)
        {
            connection.Calls--;
            connection.IsRetired |= isDead;
            if (connection is not { IsRetired: true, Calls: 0 } || !all.Remove(connection))
            {
                return;
            }
        }

        connection.Channel.Dispose();
    }

    private GrpcChannel Channel() => GrpcChannel.ForAddress(options.Endpoint!, new GrpcChannelOptions
    {
        HttpHandler = options.HandlerFactory?.Invoke() ?? new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            // No proxy passes HTTP/2 in clear text on.
            UseProxy = options.Endpoint!.Scheme == Uri.UriSchemeHttps,
            ConnectTimeout = TimeSpan.FromSeconds(10),
            EnableMultipleHttp2Connections = true,
            KeepAlivePingDelay = TimeSpan.FromSeconds(30),
            KeepAlivePingTimeout = TimeSpan.FromSeconds(20),
            KeepAlivePingPolicy = HttpKeepAlivePingPolicy.WithActiveRequests,
            // Below the 130 s after which the server closes idle connections: whoever closes first avoids the race.
            PooledConnectionIdleTimeout = TimeSpan.FromSeconds(100),
        },
        DisposeHttpClient = true,
        // CallPipeline has the say over what is sent in clear text.
        UnsafeUseInsecureChannelCallCredentials = true,
    });
}
