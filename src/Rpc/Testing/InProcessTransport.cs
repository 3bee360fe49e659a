using System.IO.Pipelines;
using System.Net;
using System.Threading.Channels;
using Microsoft.AspNetCore.Connections;

namespace Squall.Rpc.Testing;

/// Connects clients and the server of one process by pipes.
internal sealed class InProcessTransport : IConnectionListenerFactory, IConnectionListenerFactorySelector
{
    private readonly Channel<ConnectionContext> arrived = Channel.CreateUnbounded<ConnectionContext>();

    public bool CanBind(EndPoint endpoint) => endpoint is InProcessEndPoint;

    public ValueTask<IConnectionListener> BindAsync(
        EndPoint endpoint, CancellationToken cancellationToken = default) => new(new Listener(arrived));

    /// The client's end of a new connection.
    public Stream Connect()
    {
        // Half of what HTTP/2 keeps for a connection: who writes waits for who reads, as over a socket.
        var options = new PipeOptions(pauseWriterThreshold: 64 << 10, resumeWriterThreshold: 32 << 10);
        var up = new Pipe(options);
        var down = new Pipe(options);
        var server = new InProcessConnection(up.Reader, down.Writer);
        return arrived.Writer.TryWrite(server)
            ? new DuplexStream(down.Reader.AsStream(), up.Writer.AsStream())
            : throw new IOException("The server has stopped.");
    }

    private sealed class Listener(Channel<ConnectionContext> arrived) : IConnectionListener
    {
        public EndPoint EndPoint => InProcessEndPoint.Instance;

        public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default) =>
            await arrived.Reader.WaitToReadAsync(cancellationToken) ? await arrived.Reader.ReadAsync(cancellationToken)
                : null;

        public ValueTask UnbindAsync(CancellationToken cancellationToken = default)
        {
            arrived.Writer.TryComplete();
            return ValueTask.CompletedTask;
        }

        public ValueTask DisposeAsync() => UnbindAsync();
    }
}

/// The one place where an application listens within its process.
internal sealed class InProcessEndPoint : EndPoint
{
    public static InProcessEndPoint Instance { get; } = new();

    public override string ToString() => "in-process";
}
