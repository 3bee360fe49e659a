using System.Buffers;
using Grpc.Core;

namespace Squall.Rpc;

/// Serialises messages into the response's own buffer, with five bytes in front where the protocol frames. A small one
/// is written elsewhere first and given to the buffer at once: its memory has been used by other threads, and is
/// looked up at each field.
internal sealed class MessageWriter : SerializationContext, IBufferWriter<byte>
{
    // As much as a piece of the response's buffer has room for, or nearly.
    public const int SmallBytesMax = 4000;

    // A message is written in one go, so that a thread needs no more than one, whatever calls it serves.
    [ThreadStatic]
    private static MessageWriter? ofThread;

    // Null while it writes nothing.
    private IBufferWriter<byte>? into;
    private bool framed;
    private int bytesMax;
    private ArrayBufferWriter<byte>? buffered;

    // A small message with what is in front of it, how long that is to be, if it has been announced, and how much there
    // is by now.
    private readonly byte[] small = new byte[Frame.HeaderBytes + SmallBytesMax];
    private int length;
    private int written;
    private int payloadBytes;
    private bool announced;
    private bool complete;

    /// Writes one message, and returns how many bytes it has. A larger one than `bytesMax` is RESOURCE_EXHAUSTED.
    public static int Write<T>(
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

            return writer.payloadBytes;
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
        if (payloadLength > SmallBytesMax)
        {
            Begin(payloadLength);
        }
        else
        {
            Check(payloadLength);
            written = Frame.HeaderBytes;
            length = Frame.HeaderBytes + payloadLength;
            Frame.WriteHeader(small, 0, payloadLength);
        }

        announced = true;
    }

    public override IBufferWriter<byte> GetBufferWriter() =>
        length > 0 ? this : announced ? Target : buffered ??= new ArrayBufferWriter<byte>();

    public override void Complete()
    {
        if (length > 0)
        {
            if (written != length)
            {
                throw new InvalidOperationException("The marshaller wrote less than it had announced.");
            }

            ReadOnlySpan<byte> whole = small.AsSpan(..length)[(framed ? 0 : Frame.HeaderBytes)..];
            whole.CopyTo(Target.GetSpan(whole.Length));
            Target.Advance(whole.Length);
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

    public Memory<byte> GetMemory(int sizeHint = 0) => small.AsMemory(written, Room(sizeHint));

    public Span<byte> GetSpan(int sizeHint = 0) => small.AsSpan(written, Room(sizeHint));

    private int Room(int sizeHint) => written + Math.Max(sizeHint, 1) <= length
        ? length - written
        : throw new InvalidOperationException("The marshaller writes more than it has announced.");

    private void Reset()
    {
        into = null;
        buffered = null;
        length = 0;
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
        payloadBytes = length;
        if (length > bytesMax)
        {
            throw Refusal.Of(Frame.TooLarge("sent", length, bytesMax), ErrorReasons.ResponseTooLarge);
        }
    }
}
