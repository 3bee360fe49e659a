using System.Buffers;
using Grpc.Core;

namespace Squall.Rpc;

/// Hands a received message to its marshaller.
public sealed class FramePayload : DeserializationContext
{
    // A message is read in one go, so that a thread needs no more than one, whatever calls it serves.
    [ThreadStatic]
    private static FramePayload? ofThread;

    private ReadOnlySequence<byte> payload;
    private bool isRead;

    /// Reads one message.
    public static T Read<T>(ReadOnlySequence<byte> payload, Marshaller<T> marshaller)
    {
        FramePayload context = ofThread ??= new FramePayload();
        if (context.isRead)
        {
            context = new FramePayload(); // Within another's marshaller.
        }

        (context.payload, context.isRead) = (payload, true);
        try
        {
            return marshaller.ContextualDeserializer(context);
        }
        finally
        {
            (context.payload, context.isRead) = (default, false);
        }
    }

    public override int PayloadLength => (int)Payload.Length;

    private ReadOnlySequence<byte> Payload =>
        isRead ? payload : throw new InvalidOperationException("The marshaller reads after it has returned.");

    public override byte[] PayloadAsNewBuffer() => Payload.ToArray();

    public override ReadOnlySequence<byte> PayloadAsReadOnlySequence() => Payload;
}
