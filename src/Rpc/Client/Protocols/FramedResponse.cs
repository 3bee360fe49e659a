using System.Buffers;
using Grpc.Core;
using Grpc.Net.Compression;
using Squall.Rpc;

namespace Grpc.Net.Client;

/// A response whose messages stand in frames, each compressed or not.
internal abstract class FramedResponse : CallResponse
{
    private ICompressionProvider? encoding;

    protected FramedResponse(CallRequest call, HttpResponseMessage http, Stream body, byte flagsKnown)
        : base(call, http, body) => Frames = new FrameReader(Pipe, BytesMax, flagsKnown);

    protected FrameReader Frames { get; }

    /// Takes the encoding that the response names; one that is not known ends the call as INTERNAL.
    protected void UseEncoding(string? name)
    {
        encoding = Encodings.Find(name);
        if (encoding is null && name is not (null or "" or MessageEncodings.Identity))
        {
            Outcome = new CallOutcome(
                new Status(StatusCode.Internal, $"The response's encoding '{name}' was not asked for."), []);
        }
    }

    /// A frame's payload, inflated if it is flagged as compressed.
    protected ReadOnlySequence<byte> Plain(ReadOnlySequence<byte> payload)
    {
        if (!Frames.IsCompressed)
        {
            return payload;
        }

        return encoding is not null
            ? encoding.Inflate(payload, BytesMax)
            : throw new RpcException(new Status(
                StatusCode.Internal, "A message is marked as compressed, and the response names no encoding."));
    }
}
