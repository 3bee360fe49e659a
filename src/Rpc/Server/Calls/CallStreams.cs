using System.Buffers;
using Grpc.Core;

namespace Squall.Rpc;

/// The requests of a streaming call, as its handler reads them.
internal sealed class RequestStream<T> : IAsyncStreamReader<T>
    where T : class
{
    private readonly ServerCall call;
    private readonly Marshaller<T> marshaller;

    public RequestStream(ServerCall call, Marshaller<T> marshaller)
    {
        (this.call, this.marshaller) = (call, marshaller);
        call.Protocol.BoundReads(call.WithinReadTimeAsync);
    }

    public T Current { get; private set; } = null!;

    public async Task<bool> MoveNext(CancellationToken cancellationToken)
    {
        Current = null!;
        // The call's own end stops the read by itself.
        ReadOnlySequence<byte>? payload = await call.Protocol.ReadAsync(cancellationToken);
        if (payload is null)
        {
            return false;
        }

        Current = call.Protocol.Codec.Decode(payload.Value, marshaller);
        return true;
    }
}

/// The responses of a streaming call, as its handler writes them. Writes from several threads wait for each other,
/// in the order in which they were asked for.
internal sealed class ResponseStream<T> : CallOutput, IServerStreamWriter<T>
    where T : class
{
    private ResponseStream(ServerCall call, RpcMethod method)
        : base(call, method, call.Protocol)
    {
    }

    public WriteOptions? WriteOptions
    {
        get => Call.WriteOptions;
        set => Call.WriteOptions = value;
    }

    /// To be called within an async method that runs the call's handler, and nothing else.
    public static ResponseStream<T> Of(ServerCall call, RpcMethod method)
    {
        var stream = new ResponseStream<T>(call, method);
        call.WriteBy(stream);
        return stream;
    }

    public Task WriteAsync(T message) => WriteAsync(message, default);

    /// A write that is cancelled while it waits for the client resets the call: half a message cannot be taken back.
    public Task WriteAsync(T message, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(message);
        return WriteAsync((object)message, cancellationToken);
    }
}
