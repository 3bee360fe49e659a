using System.Buffers;
using Grpc.Core;

namespace Squall.Rpc;

/// Serialises messages straight into the response's own buffer, with five bytes in front where the protocol frames.
/// A message that fits into one piece of the buffer is written there whole, and given to it at once.
internal sealed class MessageWriter : SerializationContext, IBufferWriter<byte>
{
    // As much as a piece of the buffer has room for, or nearly.
    private const int PieceBytesMax = 4000;

    // A message is written in one go, so that a thread needs no more than one, whatever calls it serves.
    [ThreadStatic]
    private static MessageWriter? ofThread;

    // Null while it writes nothing.
    private IBufferWriter<byte>? into;
    private bool framed;
    private int bytesMax;
    private ArrayBufferWriter<byte>? buffered;
    private Memory<byte> piece;
    private int written;
    private bool announced;
    private bool complete;

    /// Writes one message. A larger one than `bytesMax` is RESOURCE_EXHAUSTED.
    public static void Write<T>(
        T message, MessageCodec codec, Marshaller<T> marshaller, IBufferWriter<byte> target, bool framed, int bytesMax)
    {
        MessageWriter writer = ofThread ??= new MessageWriter();
        if (writer.into is not null)
        {
            writer = new MessageWriter(); // Within another's marshaller.
        }

        (writer.into, writer.framed, writer.bytesMax) = (target, framed, bytesMax);
        try
        {
            codec.Encode(message, marshaller, writer);
            if (!writer.complete)
            {
                throw new InvalidOperationException("The marshaller returned without calling Complete.");
            }
        }
        finally
        {
            writer.Reset();
        }
    }

    private IBufferWriter<byte> Target =>
        into ?? throw new InvalidOperationException("The marshaller writes after it has returned.");

    public override void SetPayloadLength(int payloadLength)
    {
        if (payloadLength > PieceBytesMax)
        {
            Begin(payloadLength);
        }
        else
        {
            Check(payloadLength);
            int headerBytes = framed ? Frame.HeaderBytes : 0;
            piece = Target.GetMemory(headerBytes + payloadLength)[..(headerBytes + payloadLength)];
            written = headerBytes;
            if (framed)
            {
                Frame.WriteHeader(piece.Span, 0, payloadLength);
            }
        }

        announced = true;
    }

    public override IBufferWriter<byte> GetBufferWriter() =>
        !piece.IsEmpty ? this : announced ? Target : buffered ??= new ArrayBufferWriter<byte>();

    public override void Complete()
    {
        if (!piece.IsEmpty)
        {
            if (written != piece.Length)
            {
                throw new InvalidOperationException("The marshaller wrote less than it had announced.");
            }

            Target.Advance(written);
        }
        else if (!announced)
        {
            Begin(buffered?.WrittenCount ?? 0);
            Target.Write(buffered is null ? default : buffered.WrittenSpan);
        }

        complete = true;
    }

    public override void Complete(byte[] payload)
    {
        if (announced)
        {
            GetBufferWriter().Write(payload);
            Complete();
            return;
        }

        Begin(payload.Length);
        Target.Write(payload);
        complete = true;
    }

    public void Advance(int count) => written += count;

    public Memory<byte> GetMemory(int sizeHint = 0) => written + Math.Max(sizeHint, 1) <= piece.Length
        ? piece[written..]
        : throw new InvalidOperationException("The marshaller writes more than it has announced.");

    public Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    private void Reset()
    {
        into = null;
        buffered = null;
        piece = default;
        announced = complete = false;
    }

    private void Begin(int length)
    {
        Check(length);
        if (framed)
        {
            Frame.WriteHeader(Target.GetSpan(Frame.HeaderBytes), 0, length);
            Target.Advance(Frame.HeaderBytes);
        }
    }

    private void Check(int length)
    {
        if (length > bytesMax)
        {
            throw Refusal.Of(Frame.TooLarge("sent", length, bytesMax), ErrorReasons.ResponseTooLarge);
        }
    }
}
