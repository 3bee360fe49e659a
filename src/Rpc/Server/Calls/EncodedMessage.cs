using System.Collections.Concurrent;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Compression;

namespace Squall.Rpc;

/// <summary>
/// A message that is encoded, framed and, where callers ask for it, compressed once, for any number of streams of any
/// protocol that write the same bytes.
/// </summary>
public sealed class EncodedMessage<T> : IEncodedMessage
    where T : class, IMessage<T>
{
    private readonly Lazy<T> message;

    // What others than plain protobuf take, each made when the first asks for it, and by nobody else.
    private ConcurrentDictionary<(MessageCodec Codec, ICompressionProvider? Provider), Lazy<byte[]>>? others;

    /// <summary>Encodes a message, which is not to be changed after.</summary>
    public EncodedMessage(T message)
    {
        ArgumentNullException.ThrowIfNull(message);
        this.message = new Lazy<T>(message);
        byte[] frame = new byte[Rpc.Frame.HeaderBytes + message.CalculateSize()];
        Rpc.Frame.WriteHeader(frame, 0, frame.Length - Rpc.Frame.HeaderBytes);
        message.WriteTo(frame.AsSpan(Rpc.Frame.HeaderBytes));
        Frame = frame;
    }

    /// <summary>Frames a message that was encoded before; it is decoded only where a stream needs it in JSON.</summary>
    public EncodedMessage(ReadOnlySpan<byte> payload, MessageParser<T> parser)
    {
        ArgumentNullException.ThrowIfNull(parser);
        byte[] frame = Framed(payload, 0);
        Frame = frame;
        message = new Lazy<T>(() => parser.ParseFrom(frame.AsSpan(Rpc.Frame.HeaderBytes)));
    }

    /// <summary>The message.</summary>
    public T Message => message.Value;

    /// <summary>Its five bytes and its payload, as plain protobuf.</summary>
    public ReadOnlyMemory<byte> Frame { get; }

    int IEncodedMessage.Length(MessageCodec codec) => Plain(codec).Length - Rpc.Frame.HeaderBytes;

    ReadOnlyMemory<byte> IEncodedMessage.FrameFor(
        MessageCodec codec, ICompressionProvider? provider, Encodings encodings) =>
        provider is null
            ? Plain(codec)
            : Others.GetOrAdd((codec, provider), _ => new(() => Framed(
                encodings.Deflate(provider, Plain(codec)[Rpc.Frame.HeaderBytes..]).Span, Rpc.Frame.Compressed))).Value;

    private ConcurrentDictionary<(MessageCodec Codec, ICompressionProvider? Provider), Lazy<byte[]>> Others =>
        others ?? Interlocked.CompareExchange(ref others, new(), null) ?? others;

    private static byte[] Framed(ReadOnlySpan<byte> payload, byte flags)
    {
        byte[] frame = new byte[Rpc.Frame.HeaderBytes + payload.Length];
        Rpc.Frame.WriteHeader(frame, flags, payload.Length);
        payload.CopyTo(frame.AsSpan(Rpc.Frame.HeaderBytes));
        return frame;
    }

    private ReadOnlyMemory<byte> Plain(MessageCodec codec) => codec.Json is { } json
        ? Others.GetOrAdd((codec, null), _ => new(() => Framed(json.Encode(Message), 0))).Value
        : Frame;
}

/// A message that is encoded, of whatever class: a write of it needs no other code for each.
internal interface IEncodedMessage
{
    /// Its five bytes and its payload, as plain protobuf.
    ReadOnlyMemory<byte> Frame { get; }

    /// The length of its payload in a codec, before any compression.
    int Length(MessageCodec codec);

    ReadOnlyMemory<byte> FrameFor(MessageCodec codec, ICompressionProvider? provider, Encodings encodings);
}

/// <summary>Writes messages that are encoded already.</summary>
public static class EncodedMessageExtensions
{
    /// <summary>Writes the bytes as they are, where nothing stands between the handler and its stream.</summary>
    public static Task WriteAsync<T>(
        this IServerStreamWriter<T> stream, EncodedMessage<T> message, CancellationToken cancellationToken = default)
        where T : class, IMessage<T>
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentNullException.ThrowIfNull(message);
        return stream is ResponseStream<T> plain
            ? plain.WriteAsync((object)message, cancellationToken)
            : stream.WriteAsync(message.Message, cancellationToken);
    }
}
