using System.IO.Pipelines;
using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Features;

namespace Squall.Rpc.Testing;

/// The server's end of a connection, for Kestrel.
internal sealed class InProcessConnection(PipeReader input, PipeWriter output)
    : ConnectionContext
{
    private readonly CancellationTokenSource closed = new();

    public override string ConnectionId { get; set; } = Guid.NewGuid().ToString("n");

    public override IFeatureCollection Features { get; } = new FeatureCollection();

    public override IDictionary<object, object?> Items { get; set; } = new Dictionary<object, object?>();

    public override IDuplexPipe Transport { get; set; } = new Duplex(input, output);

    public override CancellationToken ConnectionClosed
    {
        get => closed.Token;
        set => throw new NotSupportedException();
    }

    public override EndPoint? LocalEndPoint { get; set; } = InProcessEndPoint.Instance;

    public override EndPoint? RemoteEndPoint { get; set; } = InProcessEndPoint.Instance;

    public override void Abort(ConnectionAbortedException abortReason)
    {
        input.CancelPendingRead();
        output.CancelPendingFlush();
        output.Complete(abortReason);
        _ = closed.CancelAsync();
    }

    /// The source of the token is not disposed of: whoever aborts may still be telling of it.
    public override async ValueTask DisposeAsync()
    {
        await input.CompleteAsync();
        await output.CompleteAsync();
        await closed.CancelAsync();
    }

    private sealed class Duplex(PipeReader input, PipeWriter output) : IDuplexPipe
    {
        public PipeReader Input => input;

        public PipeWriter Output => output;
    }
}
