using System.Buffers;
using System.Buffers.Binary;
using System.IO.Pipelines;
using System.Text;
using Grpc.Core;
using Squall.Rpc;

namespace Grpc.Net.Client.Web;

/// Reads gRPC-Web's body as gRPC's: frames pass as they are, but the last one, which holds the trailers, becomes the
/// response's. A body that ends without it is INTERNAL, unless it is empty and the headers tell the status.
internal sealed class WebResponseStream(PipeReader pipe, HttpResponseMessage response) : ReadOnlyStream
{
    private const byte Trailers = 0x80;
    private const int TrailersBytesMax = 64 * 1024;

    private long frameLeft;
    private bool begun;
    private bool ended;

    public override async ValueTask<int> ReadAsync(
        Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (true)
        {
            ReadResult read = await pipe.ReadAsync(cancellationToken).ConfigureAwait(false);
            if (frameLeft > 0 && !read.Buffer.IsEmpty)
            {
                ReadOnlySequence<byte> part =
                    read.Buffer.Slice(0, Math.Min(Math.Min(frameLeft, read.Buffer.Length), buffer.Length));
                part.CopyTo(buffer.Span);
                frameLeft -= part.Length;
                pipe.AdvanceTo(part.End);
                return (int)part.Length;
            }

            if (!TryReadHeader(read.Buffer, out bool isTrailers, out SequencePosition consumed) && read.IsCompleted)
            {
                CheckEnd(read.Buffer);
                pipe.AdvanceTo(read.Buffer.End);
                return 0;
            }

            // A frame's header was looked at and passes with its payload; for anything else more has to come.
            pipe.AdvanceTo(consumed, frameLeft > 0 || isTrailers ? consumed : read.Buffer.End);
        }
    }

    protected override void Dispose(bool disposing)
    {
        pipe.Complete();
        base.Dispose(disposing);
    }

    /// Looks at what stands where a frame begins; false if that is not all there.
    private bool TryReadHeader(ReadOnlySequence<byte> buffer, out bool isTrailers, out SequencePosition consumed)
    {
        isTrailers = false;
        consumed = buffer.Start;
        if (ended && !buffer.IsEmpty)
        {
            throw Broken("goes on after its trailers");
        }

        if (frameLeft > 0 || buffer.Length < Frame.HeaderBytes)
        {
            return false;
        }

        Span<byte> header = stackalloc byte[Frame.HeaderBytes];
        buffer.Slice(0, Frame.HeaderBytes).CopyTo(header);
        uint length = BinaryPrimitives.ReadUInt32BigEndian(header[1..]);
        begun = true;
        if ((header[0] & Trailers) == 0)
        {
            frameLeft = Frame.HeaderBytes + (long)length;
            return true;
        }

        if (length > TrailersBytesMax)
        {
            throw Broken($"has trailers of {length} bytes");
        }

        if (buffer.Length < Frame.HeaderBytes + length)
        {
            return false;
        }

        ReadOnlySequence<byte> payload = buffer.Slice(Frame.HeaderBytes, length);
        ReadTrailers((header[0] & Frame.Compressed) == 0 ? payload : Inflate(payload));
        consumed = payload.End;
        isTrailers = ended = true;
        return true;
    }

    private ReadOnlySequence<byte> Inflate(ReadOnlySequence<byte> payload)
    {
        string? name = response.Headers.NonValidated.TryGetValues(HttpFields.Encoding, out var values)
            ? values.ToString() : null;
        return MessageEncodings.Default.Find(name) is { } encoding
            ? encoding.Inflate(payload, TrailersBytesMax)
            : throw Broken("has compressed trailers, and names no encoding that is known");
    }

    private void ReadTrailers(ReadOnlySequence<byte> payload)
    {
        foreach (string line in Encoding.ASCII.GetString(payload).Split(
            '\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            int colon = line.IndexOf(':', StringComparison.Ordinal);
            if (colon <= 0)
            {
                throw Broken("has a trailer without a name");
            }

            response.TrailingHeaders.TryAddWithoutValidation(
                line[..colon].TrimEnd().ToLowerInvariant(), line[(colon + 1)..].TrimStart());
        }
    }

    private void CheckEnd(ReadOnlySequence<byte> rest)
    {
        if (frameLeft == 0 && !ended && (begun || !rest.IsEmpty))
        {
            throw Broken("ends without its trailers");
        }
    }

    private static RpcException Broken(string how) =>
        new(new Status(StatusCode.Internal, $"The response {how}."));
}
