using System.Buffers;
using System.IO.Pipelines;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;

namespace Squall.Rpc;

/// One call in one wire protocol: what its request's headers mean, how its messages are framed, and how it ends.
/// Everything else about a call is the same in all of them.
internal abstract class RpcProtocol(HttpContext http, RpcMethod method, MessageCodec codec)
{
    /// What a caller may send; the answer to anything else names these.
    public const string ContentTypes = "application/grpc, application/grpc+proto, application/grpc+json, " +
        "application/grpc-web, application/grpc-web+proto, application/grpc-web+json, application/grpc-web-text, " +
        "application/grpc-web-text+proto, application/connect+proto, application/connect+json, application/proto, " +
        "application/json";

    public const string GrpcSystem = "grpc";

    private const string Grpc = "application/grpc";

    public MessageCodec Codec => codec;

    /// The protocol in OpenTelemetry's words, which tell gRPC and Connect apart.
    public virtual string SystemName => GrpcSystem;

    protected HttpContext Http => http;

    protected RpcMethod Method => method;

    /// Reads what the headers say, and sets those of the response: how long the caller gives the call; null: no matter
    /// how long. What they ask in vain is refused.
    public abstract TimeSpan? Open();

    /// The next request message, inflated, which stands until the next call of this; null at the end.
    public abstract ValueTask<ReadOnlySequence<byte>?> ReadAsync(CancellationToken cancellationToken);

    /// Takes the request's only message, where it is here whole with the end after it, and nothing about it is in
    /// question. It stands until it is given back. False: it is to be read as all others are.
    public virtual bool TryTakeOnly(out ReadOnlySequence<byte> payload)
    {
        payload = default;
        return false;
    }

    /// Gives back what was taken, up to its end.
    public virtual void GiveBack(SequencePosition end)
    {
    }

    /// Ends a read that waits: nothing that may still come is wanted.
    public void StopReading() => http.Request.BodyReader.CancelPendingRead();

    /// Lets the rest of a message be waited for by somebody who knows for how long.
    public virtual void BoundReads(Func<ValueTask<ReadResult>, ValueTask<ReadResult>> wait)
    {
    }

    /// Sends the response's headers ahead of its messages, where the protocol can.
    public abstract ValueTask SendHeadersAsync(Metadata headers);

    /// Encodes a message into the response, compressed if that is wanted, settled with its caller, and worth it, and
    /// returns how many bytes it has without that.
    public int Write<T>(T message, Marshaller<T> marshaller, bool compress)
    {
        IBufferWriter<byte> target = TargetFor(compress, out bool framed);
        int bytes = MessageWriter.Write(message, codec, marshaller, target, framed, method.Policy.SendBytesMax);
        Written(compress);
        return bytes;
    }

    /// The same with a message that may have been encoded before.
    public abstract void WriteEncoded(IEncodedMessage message, bool compress);

    /// Where encoded messages that nobody compresses are written as they are, once the call is open, while nothing is
    /// held; null: nowhere.
    public virtual PipeWriter? Plain => null;

    /// Says that the answer begins there.
    public virtual void Begin()
    {
    }

    /// Lets what is written from now on wait to be sent together, or no longer.
    public virtual void Hold(bool hold)
    {
    }

    /// How much waits.
    public virtual int HeldBytes => int.MaxValue;

    /// Sends what is written; true if nobody will read it.
    public abstract ValueTask<bool> FlushAsync(CancellationToken cancellationToken);

    /// The same of a response's body.
    public static ValueTask<bool> FlushAsync(PipeWriter body, CancellationToken cancellationToken)
    {
        ValueTask<FlushResult> flush = body.FlushAsync(cancellationToken);
        return flush.IsCompletedSuccessfully ? new(flush.Result.IsCompleted) : WaitAsync(flush);

        static async ValueTask<bool> WaitAsync(ValueTask<FlushResult> flush) => (await flush).IsCompleted;
    }

    /// Tells how the call ended. The request's end completes the response, unless somebody does before.
    public abstract ValueTask EndAsync(Status status, Metadata? trailers);

    /// Gives back what is still held of the request, once the handler is done: it would be in the way of what comes
    /// next on the connection.
    public abstract void Release();

    /// What a read that fails is to its handler: the request broke off, by its sender's doing or the connection's.
    protected static ConnectionAbortedException BrokeOff(IOException failure) =>
        new("The request broke off.", failure);

    /// Where the next message is serialised to, and whether with five bytes in front.
    protected abstract IBufferWriter<byte> TargetFor(bool compress, out bool framed);

    /// The message is serialised.
    protected abstract void Written(bool compress);

    /// The protocol of a request; null if it is none that is served.
    public static RpcProtocol? For(HttpContext http, RpcMethod method, ServiceCatalog catalog)
    {
        HttpRequest request = http.Request;
        if (request.ContentType == Grpc && HttpProtocol.IsHttp2(request.Protocol) && HttpMethods.IsPost(request.Method))
        {
            return new GrpcProtocol(http, method, catalog.Proto);
        }

        if (HttpMethods.IsGet(request.Method) && method.HasNoSideEffects)
        {
            return ForGet(http, method, catalog);
        }

        if (!HttpMethods.IsPost(request.Method) || NeedsHttp2(method) && IsHttp1(request))
        {
            return null;
        }

        string type = MediaType(request);
        MessageCodec codec = type.EndsWith("json", StringComparison.Ordinal) ? catalog.Json : catalog.Proto;
        return type switch
        {
            Grpc or "application/grpc+proto" or "application/grpc+json" when !IsHttp1(request) =>
                new GrpcProtocol(http, method, codec),
            "application/grpc-web" or "application/grpc-web+proto" or "application/grpc-web+json"
                or "application/grpc-web-text" or "application/grpc-web-text+proto" =>
                new GrpcWebProtocol(http, method, codec),
            "application/proto" or "application/json" when !method.IsStreaming =>
                new ConnectUnaryProtocol(http, method, codec),
            "application/connect+proto" or "application/connect+json" when method.IsStreaming =>
                new ConnectStreamProtocol(http, method, codec),
            _ => null,
        };
    }

    /// Whether a request means to be a call, by its content.
    public static bool Speaks(HttpRequest request) =>
        HttpMethods.IsPost(request.Method) && MediaType(request) is { } type
        && (type is "application/proto" or "application/json"
            || type.StartsWith("application/grpc") || type.StartsWith("application/connect+"));

    /// Whether both directions are open at once, which HTTP/1.1 cannot do.
    public static bool NeedsHttp2(RpcMethod method) => method.Definition.Type == MethodType.DuplexStreaming;

    public static bool IsHttp1(HttpRequest request) =>
        HttpProtocol.IsHttp11(request.Protocol) || HttpProtocol.IsHttp10(request.Protocol);

    /// The content's type without its parameters, in lower case.
    public static string MediaType(HttpRequest request)
    {
        string type = request.ContentType ?? "";
        int end = type.IndexOf(';');
        return (end < 0 ? type : type[..end].TrimEnd()).ToLowerInvariant();
    }

    /// A message in the URL leaves the body empty.
    private static ConnectGetProtocol? ForGet(HttpContext http, RpcMethod method, ServiceCatalog catalog)
    {
        if (http.Request.ContentLength > 0 || http.Request.Headers.TransferEncoding.Count > 0)
        {
            return null;
        }

        return http.Request.Query[ConnectGetProtocol.EncodingParameter].ToString() switch
        {
            "proto" or "" => new ConnectGetProtocol(http, method, catalog.Proto),
            "json" => new ConnectGetProtocol(http, method, catalog.Json),
            _ => null,
        };
    }
}
