using Grpc.Core;
using Grpc.Net.Compression;
using Squall.Rpc;

namespace Grpc.Net.Client;

/// Turns a call's requests into frames: in the channel's codec and, where the caller asked for it, compressed.
internal sealed class RequestEncoder<TRequest>(
    GrpcChannel channel, IMethod method, Marshaller<TRequest> marshaller, ICompressionProvider? encoding)
{
    private readonly int compressBytesMin = channel.Options.Protocol.CompressBytesMin(method);

    /// A message that is too large is RESOURCE_EXHAUSTED.
    public FrameBuffer Encode(TRequest message, WriteFlags flags)
    {
        FrameBuffer frame = channel.Options.Codec.Encode(
            message, marshaller, channel.Options.MaxSendMessageSize ?? int.MaxValue);
        if (encoding is null || (flags & WriteFlags.NoCompress) != 0 || frame.Payload.Length < compressBytesMin)
        {
            return frame;
        }

        using (frame)
        {
            return frame.Compress(encoding);
        }
    }

    /// A frame that can be sent several times, and later than the call ends: its bytes are not a pool's.
    public byte[] EncodeOnce(TRequest message, WriteFlags flags)
    {
        using FrameBuffer frame = Encode(message, flags);
        return frame.Written.ToArray();
    }
}
