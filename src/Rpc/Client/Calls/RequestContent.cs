using System.Net;
using System.Net.Http.Headers;
using Squall.Rpc;

namespace Grpc.Net.Client;

/// A request's body: the messages in their frames or, where a protocol sends the only one bare, without.
internal sealed class RequestContent : HttpContent
{
    private readonly RequestFlow flow;
    private readonly bool isBare;

    public RequestContent(RequestFlow flow, string contentType, bool isBare = false)
    {
        this.flow = flow;
        this.isBare = isBare;
        Headers.ContentType = new MediaTypeHeaderValue(contentType);
    }

    /// Whether the handler has come for the body, which it does as soon as a connection has taken the headers. Where it
    /// has not, none has, and the server knows nothing of the request.
    public bool WasAskedFor { get; private set; }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    // The handler asks for the body anew if the connection closed under it before the server saw the request.
    protected override Task SerializeToStreamAsync(
        Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        WasAskedFor = true;
        return isBare
            ? stream.WriteAsync(flow.Only.AsMemory(Frame.HeaderBytes), cancellationToken).AsTask()
            : flow.CopyToAsync(stream, cancellationToken);
    }

    protected override bool TryComputeLength(out long length)
    {
        length = isBare ? flow.Only!.Length - Frame.HeaderBytes : -1;
        return isBare;
    }
}
