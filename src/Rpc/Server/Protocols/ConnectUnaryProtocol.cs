using System.Buffers;
using System.IO.Pipelines;
using Grpc.Core;
using Grpc.Net.Compression;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace Squall.Rpc;

/// Connect's unary calls: the body is the message, the HTTP status tells how it went, and trailers are headers.
/// Since headers come first, nothing is sent before the end.
internal class ConnectUnaryProtocol(HttpContext http, RpcMethod method, MessageCodec codec)
    : RpcProtocol(http, method, codec)
{
    private readonly ArrayBufferWriter<byte> response = new();
    private ICompressionProvider? inflater;
    private ICompressionProvider? deflater;
    private bool compress = true;
    private bool read;
    private SequencePosition? unread;

    public override string SystemName => "connect_rpc";

    public override TimeSpan? Open()
    {
        IHeaderDictionary headers = Http.Request.Headers;
        deflater = Method.Policy.Encodings.ForAnswer(headers.AcceptEncoding);
        CheckVersion();
        SettleEncoding(RequestEncoding);
        return ConnectHeaders.ReadTimeout(headers);
    }

    public override async ValueTask<ReadOnlySequence<byte>?> ReadAsync(CancellationToken cancellationToken)
    {
        if (read)
        {
            return null;
        }

        read = true;
        ReadOnlySequence<byte> message;
        try
        {
            message = await ReadMessageAsync(cancellationToken);
        }
        catch (IOException failure)
        {
            throw BrokeOff(failure);
        }

        return inflater is null ? message : Inflate(inflater, message);
    }

    public override ValueTask SendHeadersAsync(Metadata headers)
    {
        AddHeaders(headers, "");
        return ValueTask.CompletedTask;
    }

    public override void WriteEncoded(IEncodedMessage message, bool compress) =>
        throw new NotSupportedException("A unary call has no stream to write to.");

    public override ValueTask<bool> FlushAsync(CancellationToken cancellationToken) => ValueTask.FromResult(false);

    public override ValueTask EndAsync(Status status, Metadata? trailers)
    {
        if (trailers is not null)
        {
            AddHeaders(trailers, "trailer-");
        }

        ReadOnlyMemory<byte> body = response.WrittenMemory;
        Http.Response.ContentType = AnswerType;
        if (status.StatusCode != StatusCode.OK)
        {
            Http.Response.StatusCode = Method is UnknownMethod
                ? StatusCodes.Status404NotFound
                : ConnectCode.HttpStatus(status.StatusCode);
            Http.Response.ContentType = "application/json";
            body = ConnectError.Body(status, trailers, Codec.Shown);
        }

        if (deflater is not null && compress && body.Length >= Method.Policy.Encodings.BytesMin)
        {
            Http.Response.Headers.ContentEncoding = deflater.EncodingName;
            body = Method.Policy.Encodings.Deflate(deflater, body);
        }

        Http.Response.ContentLength = body.Length;
        Http.Response.BodyWriter.Write(body.Span);
        return ValueTask.CompletedTask;
    }

    public override void Release()
    {
        if (unread is { } end)
        {
            unread = null;
            Http.Request.BodyReader.AdvanceTo(end);
        }
    }

    protected override IBufferWriter<byte> TargetFor(bool compress, out bool framed)
    {
        framed = false;
        return response;
    }

    protected override void Written(bool compress) => this.compress = compress;

    protected virtual StringValues RequestEncoding => Http.Request.Headers.ContentEncoding;

    protected virtual string AnswerType => MediaType(Http.Request);

    protected virtual void CheckVersion() =>
        ConnectHeaders.CheckVersion(Http.Request.Headers["connect-protocol-version"]);

    /// The request's one message, as it came.
    protected virtual async ValueTask<ReadOnlySequence<byte>> ReadMessageAsync(CancellationToken cancellationToken)
    {
        int bytesMax = Method.Policy.ReceiveBytesMax;
        if (Http.Request.ContentLength is { } announced && announced > bytesMax)
        {
            throw TooLarge(announced);
        }

        while (true)
        {
            PipeReader body = Http.Request.BodyReader;
            ReadResult result = await body.ReadAsync(cancellationToken);
            if (result.IsCanceled)
            {
                body.AdvanceTo(result.Buffer.End);
                throw new OperationCanceledException("The read was cancelled.");
            }

            if (result.Buffer.Length > bytesMax)
            {
                body.AdvanceTo(result.Buffer.End);
                throw TooLarge(result.Buffer.Length);
            }

            if (result.IsCompleted)
            {
                unread = result.Buffer.End;
                return result.Buffer;
            }

            body.AdvanceTo(result.Buffer.Start, result.Buffer.End);
        }
    }

    protected RpcException TooLarge(long length) => Refusal.Of(
        Frame.TooLarge("received", length, Method.Policy.ReceiveBytesMax), ErrorReasons.RequestTooLarge);

    /// A body that is not in its encoding is its sender's fault, as one that is no message is: HTTP 400, not 500.
    private ReadOnlySequence<byte> Inflate(ICompressionProvider provider, ReadOnlySequence<byte> message)
    {
        try
        {
            return provider.Inflate(message, Method.Policy.ReceiveBytesMax);
        }
        catch (RpcException broken) when (broken.StatusCode == StatusCode.Internal)
        {
            throw ConnectHeaders.Invalid(ErrorReasons.BrokenEncoding, broken.Status.Detail);
        }
    }

    private void SettleEncoding(StringValues encoding)
    {
        Encodings encodings = Method.Policy.Encodings;
        if (!encodings.TryFind(encoding, out inflater))
        {
            Http.Response.Headers.AcceptEncoding = encodings.Accepted;
            throw encodings.Unknown("content");
        }
    }

    private void AddHeaders(Metadata metadata, string prefix)
    {
        foreach (Metadata.Entry entry in metadata)
        {
            // The details of an error stand in its body.
            if (HttpFields.IsMetadata(entry.Key) && entry.Key != StatusTrailers.Details)
            {
                Http.Response.Headers.Append(prefix + entry.Key, HttpFields.Write(entry));
            }
        }
    }
}
