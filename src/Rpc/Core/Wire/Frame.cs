using System.Buffers;
using System.Buffers.Binary;
using Grpc.Core;

namespace Squall.Rpc;

/// The five bytes before each message on a stream: one of flags, four of length, most significant first.
/// gRPC, binary gRPC-Web and Connect's streams share them and differ in the flags they know.
public static class Frame
{
    public const int HeaderBytes = 5;

    /// The message is compressed with the stream's encoding.
    public const byte Compressed = 1;

    /// The flags that plain gRPC knows.
    public const byte GrpcFlags = Compressed;

    public static void WriteHeader(Span<byte> destination, byte flags, int length)
    {
        destination[0] = flags;
        BinaryPrimitives.WriteUInt32BigEndian(destination[1..], (uint)length);
    }

    /// Takes one whole frame off the front of `buffer`; false if it has not all arrived.
    /// A flag beyond `flagsKnown` is INTERNAL, a length above `bytesMax` RESOURCE_EXHAUSTED: both are seen
    /// from the header alone, before anyone has kept or allocated a byte of the message.
    public static bool TryRead(
        ref ReadOnlySequence<byte> buffer,
        int bytesMax,
        byte flagsKnown,
        out byte flags,
        out ReadOnlySequence<byte> payload)
    {
        flags = 0;
        payload = default;
        long bytes = buffer.Length;
        if (bytes < HeaderBytes)
        {
            return false;
        }

        Span<byte> joined = stackalloc byte[HeaderBytes];
        scoped ReadOnlySpan<byte> header = buffer.FirstSpan;
        if (header.Length < HeaderBytes)
        {
            buffer.Slice(0, HeaderBytes).CopyTo(joined);
            header = joined;
        }

        flags = header[0];
        if ((flags & ~flagsKnown) != 0)
        {
            throw Refusal.Of(
                new Status(StatusCode.Internal, $"A message has the unknown flags {flags}."),
                ErrorReasons.UnknownFlags);
        }

        // Unsigned on the wire: read as signed, a length of 2 GiB would pass for a negative one.
        uint length = BinaryPrimitives.ReadUInt32BigEndian(header[1..]);
        if (length > (uint)bytesMax)
        {
            throw Refusal.Of(TooLarge("received", length, bytesMax), ErrorReasons.RequestTooLarge);
        }

        if (bytes - HeaderBytes < length)
        {
            return false;
        }

        payload = buffer.Slice(HeaderBytes, (int)length);
        buffer = buffer.Slice(payload.End);
        return true;
    }

    /// Whether this is one frame, whole, without a flag, and not above `bytesMax`, and nothing else.
    public static bool IsOnly(ReadOnlySequence<byte> buffer, int bytesMax)
    {
        ReadOnlySpan<byte> first = buffer.FirstSpan;
        return first.Length >= HeaderBytes && first[0] == 0
            && BinaryPrimitives.ReadUInt32BigEndian(first[1..]) is uint length && length <= (uint)bytesMax
            && buffer.Length - HeaderBytes == length;
    }

    internal static Status TooLarge(string what, long length, int bytesMax) => new(
        StatusCode.ResourceExhausted, $"A {what} message of {length} bytes is larger than the {bytesMax} allowed.");
}
