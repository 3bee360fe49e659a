using System.Buffers;
using System.IO.Pipelines;
using Grpc.Core;
using Grpc.Net.Compression;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace Squall.Rpc;

/// What the protocols share whose messages are frames in the body, with five bytes in front of each.
internal abstract class FramedProtocol(HttpContext http, RpcMethod method, MessageCodec codec, PipeReader? input = null)
    : RpcProtocol(http, method, codec)
{
    // Made when a message is read that does not come whole and alone, as most requests do.
    private FrameReader? frames;
    private PipeWriter? body;
    private HeldBytes? held;
    private bool isHolding;
    private ArrayBufferWriter<byte>? plain;
    private ICompressionProvider? inflater;
    private ICompressionProvider? deflater;

    public override int HeldBytes => held?.Count ?? 0;

    /// Whether anything of the answer is on its way: headers that were asked for, or a message.
    protected bool Begun { get; private set; }

    /// Whether frames that were made of plain protobuf are those of this call.
    protected bool IsPlain => deflater is null && Codec.Json is null;

    /// Whether frames are not to be sent as they are.
    protected virtual bool HoldsAll => false;

    /// Where frames are written to.
    private IBufferWriter<byte> Output => isHolding || HoldsAll ? held ??= new HeldBytes() : Body;

    private FrameReader Frames =>
        frames ??= new FrameReader(input ?? Http.Request.BodyReader, Method.Policy.ReceiveBytesMax);

    private PipeWriter Body => body ??= Http.Response.BodyWriter;

    public override void BoundReads(Func<ValueTask<ReadResult>, ValueTask<ReadResult>> wait) => Frames.Rest = wait;

    public override ValueTask<ReadOnlySequence<byte>?> ReadAsync(CancellationToken cancellationToken)
    {
        try
        {
            ValueTask<ReadOnlySequence<byte>?> read = Frames.ReadAsync(cancellationToken);
            return read.IsCompletedSuccessfully && !Frames.IsCompressed ? read : InflateAsync(read);
        }
        catch (IOException failure)
        {
            throw BrokeOff(failure);
        }
    }

    public override async ValueTask SendHeadersAsync(Metadata headers)
    {
        foreach (Metadata.Entry entry in headers)
        {
            if (HttpFields.IsMetadata(entry.Key))
            {
                Http.Response.Headers.Append(entry.Key, HttpFields.Write(entry));
            }
        }

        Begun = true;
        await Http.Response.BodyWriter.FlushAsync();
    }

    public override void WriteEncoded(IEncodedMessage message, bool compress)
    {
        int length = message.Length(Codec);
        if (length > Method.Policy.SendBytesMax)
        {
            throw Refusal.Of(
                Frame.TooLarge("sent", length, Method.Policy.SendBytesMax), ErrorReasons.ResponseTooLarge);
        }

        bool small = length < Method.Policy.Encodings.BytesMin;
        Output.Write(message.FrameFor(Codec, compress && !small ? deflater : null, Method.Policy.Encodings).Span);
        Begun = true;
    }

    public override void Begin() => Begun = true;

    public override void Hold(bool hold)
    {
        isHolding = hold;
        if (!hold)
        {
            LetGo();
        }
    }

    public override ValueTask<bool> FlushAsync(CancellationToken cancellationToken)
    {
        LetGo();
        return FlushAsync(Body, cancellationToken);
    }

    public override void Release() => frames?.Release();

    /// Settles how the request's messages are compressed, and with what, if with anything, the answer's are. What the
    /// server cannot inflate is refused at once, since nothing that follows could be read.
    protected ICompressionProvider? SettleEncodings(StringValues encoding, StringValues accepted)
    {
        Encodings encodings = Method.Policy.Encodings;
        return encodings.TryFind(encoding, out inflater)
            ? deflater = encodings.ForAnswer(accepted)
            : throw encodings.Unknown("messages");
    }

    /// Writes a frame that is the protocol's own, with what it tells at its end.
    protected void WriteLast(byte flags, ReadOnlySpan<byte> content)
    {
        Frame.WriteHeader(Output.GetSpan(Frame.HeaderBytes), flags, content.Length);
        Output.Advance(Frame.HeaderBytes);
        Output.Write(content);
    }

    /// Writes what was held to the response.
    protected virtual void Send(ReadOnlySpan<byte> frames, PipeWriter body) => body.Write(frames);

    /// What is held goes into the response.
    protected void LetGo()
    {
        if (held is { Count: > 0 })
        {
            Send(held.Written, Body);
            held.Clear();
        }
    }

    protected override IBufferWriter<byte> TargetFor(bool compress, out bool framed)
    {
        framed = deflater is null || !compress;
        if (framed)
        {
            return Output;
        }

        plain ??= new ArrayBufferWriter<byte>();
        plain.ResetWrittenCount();
        return plain;
    }

    protected override void Written(bool compress)
    {
        Begun = true;
        if (deflater is null || !compress)
        {
            return;
        }

        ReadOnlyMemory<byte> payload = plain!.WrittenMemory;
        bool small = payload.Length < Method.Policy.Encodings.BytesMin;
        ReadOnlySpan<byte> content = (small ? payload : Method.Policy.Encodings.Deflate(deflater!, payload)).Span;
        WriteLast(small ? (byte)0 : Frame.Compressed, content);
    }

    private async ValueTask<ReadOnlySequence<byte>?> InflateAsync(ValueTask<ReadOnlySequence<byte>?> read)
    {
        ReadOnlySequence<byte>? payload;
        try
        {
            payload = await read;
        }
        catch (IOException failure)
        {
            throw BrokeOff(failure);
        }

        if (payload is null || !Frames.IsCompressed)
        {
            return payload;
        }

        return inflater is not null
            ? inflater.Inflate(payload.Value, Method.Policy.ReceiveBytesMax)
            : throw Refusal.Of(
                new Status(StatusCode.Internal, "A message is compressed, and no encoding is named."),
                ErrorReasons.UnnamedEncoding);
    }
}
