using System.Buffers;
using Grpc.Core;

namespace Squall.Rpc;

/// Hands a received message to its marshaller.
public sealed class FramePayload(ReadOnlySequence<byte> payload) : DeserializationContext
{
    public override int PayloadLength => (int)payload.Length;

    public override byte[] PayloadAsNewBuffer() => payload.ToArray();

    public override ReadOnlySequence<byte> PayloadAsReadOnlySequence() => payload;
}
