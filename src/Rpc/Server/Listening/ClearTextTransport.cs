using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Squall.Rpc;

/// Binds clear-text ports on which HTTP/1.1 and HTTP/2 arrive side by side. Kestrel serves one of them at an endpoint
/// without TLS; so a port is two endpoints to it, which share one socket.
internal sealed class ClearTextTransport(
    IOptions<SocketTransportOptions> socketOptions,
    IOptions<KestrelServerOptions> kestrelOptions,
    IOptions<RpcServerOptions> rpcOptions,
    TimeProvider time,
    ILoggerFactory loggers) : IConnectionListenerFactory, IConnectionListenerFactorySelector
{
    private readonly SocketTransportFactory sockets = new(socketOptions, loggers);
    private readonly ILogger log = loggers.CreateLogger<ClearTextTransport>();

    public bool CanBind(EndPoint endpoint) => endpoint is ClearTextEndPoint;

    public async ValueTask<IConnectionListener> BindAsync(
        EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        var half = (ClearTextEndPoint)endpoint;
        return await half.Shared.BindAsync(half, this, cancellationToken);
    }

    public ValueTask<IConnectionListener> BindSocketAsync(IPEndPoint address, CancellationToken cancellationToken) =>
        sockets.BindAsync(address, cancellationToken);

    public ConnectionSorter CreateSorter(IConnectionListener listener) =>
        new(listener, (int)Math.Min(kestrelOptions.Value.Limits.MaxConcurrentConnections ?? int.MaxValue, int.MaxValue),
            rpcOptions.Value.ConnectionStartTimeMax, time, log);
}

/// One of the two endpoints of a clear-text port.
internal sealed class ClearTextEndPoint(ClearTextPort port, bool isHttp2)
    : IPEndPoint(port.Address.Address, port.Address.Port)
{
    public ClearTextPort Shared => port;

    public bool IsHttp2 => isHttp2;
}

/// What the two endpoints of a clear-text port share.
internal sealed class ClearTextPort(IPEndPoint address)
{
    private readonly SemaphoreSlim gate = new(1, 1);
    private ConnectionSorter? sorter;

    public IPEndPoint Address { get; } = address;

    /// The first to come binds the socket; the last to go gives it back.
    public async Task<IConnectionListener> BindAsync(
        ClearTextEndPoint half, ClearTextTransport transport, CancellationToken cancellationToken)
    {
        await gate.WaitAsync(cancellationToken);
        try
        {
            sorter ??= transport.CreateSorter(await transport.BindSocketAsync(Address, cancellationToken));
            return new SortedListener(sorter, half.IsHttp2);
        }
        finally
        {
            gate.Release();
        }
    }
}
