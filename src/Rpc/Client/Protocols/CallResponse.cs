using System.Buffers;
using System.IO.Pipelines;
using System.Net.Http.Headers;
using Grpc.Core;
using Squall.Rpc;

namespace Grpc.Net.Client;

/// One response: how it begins, its messages, how it ends.
internal abstract class CallResponse(CallRequest call, HttpResponseMessage http, Stream body) : IDisposable
{
    public Metadata Headers { get; protected set; } = [];

    /// How the call ended, where the response tells that in place of messages.
    public CallOutcome? Outcome { get; protected set; }

    protected CallRequest Call => call;

    protected HttpResponseMessage Http => http;

    protected int HttpStatus => (int)http.StatusCode;

    protected PipeReader Pipe { get; } = PipeReader.Create(body);

    protected int BytesMax => call.Channel.Options.MaxReceiveMessageSize ?? int.MaxValue;

    protected MessageEncodings Encodings => call.Channel.Encodings;

    /// Reads the headers, and whether there is more.
    public abstract Task BeginAsync(CancellationToken cancellationToken);

    /// The next message, inflated, which stands until the next call; null at the end.
    public abstract ValueTask<ReadOnlySequence<byte>?> ReadAsync(CancellationToken cancellationToken);

    /// How the call ended, once there are no more messages.
    public abstract CallOutcome End();

    /// Resets the stream if it has not ended.
    public void Dispose() => http.Dispose();

    /// Gives the buffers back, at the end.
    public void Release() => Pipe.Complete();

    protected string? Field(string name) => Field(http.Headers, name) ?? Field(http.Content.Headers, name);

    protected static string? Field(HttpHeaders headers, string name) =>
        headers.NonValidated.TryGetValues(name, out HeaderStringValues values) ? values.ToString() : null;

    protected string ContentType => Field("content-type") ?? "";

    /// The content type without its parameters, in lower case.
    protected string MediaType => ContentType.Split(';')[0].Trim().ToLowerInvariant();

    protected static Metadata ReadMetadata(params ReadOnlySpan<HttpHeaders> sources)
    {
        var metadata = new Metadata();
        foreach (HttpHeaders headers in sources)
        {
            foreach ((string name, HeaderStringValues values) in headers.NonValidated)
            {
                foreach (string value in values)
                {
                    HttpFields.Read(metadata, name, value);
                }
            }
        }

        return metadata;
    }
}
