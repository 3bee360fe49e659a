using System.Buffers;
using System.IO.Compression;
using Grpc.Core;
using Grpc.Net.Compression;

namespace Squall.Rpc;

/// Serialises one message into one pooled buffer with its five bytes in front, ready for the wire.
public sealed class FrameBuffer : SerializationContext, IBufferWriter<byte>, IDisposable
{
    private const int SizeDefault = 512;
    private readonly int bytesMax;
    private byte[] buffer = [];
    private int written = Frame.HeaderBytes;
    private bool complete;

    private FrameBuffer(int bytesMax) => this.bytesMax = bytesMax;

    /// The frame. It stands until Dispose.
    public ReadOnlyMemory<byte> Written => buffer.AsMemory(0, written);

    /// The message without its five bytes. It stands until Dispose.
    public ReadOnlyMemory<byte> Payload => buffer.AsMemory(Frame.HeaderBytes, written - Frame.HeaderBytes);

    /// A message above `bytesMax` is RESOURCE_EXHAUSTED.
    public static FrameBuffer Encode<T>(Action<T, SerializationContext> serializer, T message, int bytesMax)
    {
        var frame = new FrameBuffer(bytesMax);
        try
        {
            serializer(message, frame);
            if (!frame.complete)
            {
                throw new InvalidOperationException("The marshaller returned without calling Complete.");
            }

            Frame.WriteHeader(frame.buffer, 0, frame.written - Frame.HeaderBytes);
            return frame;
        }
        catch
        {
            frame.Dispose();
            throw;
        }
    }

    /// The same message in a frame of its own, compressed and flagged so.
    public FrameBuffer Compress(ICompressionProvider provider, CompressionLevel? level = null)
    {
        FrameBuffer packed = Encode(
            (message, output) =>
            {
                output.GetBufferWriter().Write(provider.Deflate(message, level).Span);
                output.Complete();
            },
            Payload,
            int.MaxValue);
        packed.buffer[0] = Frame.Compressed;
        return packed;
    }

    public override void SetPayloadLength(int payloadLength)
    {
        Check(payloadLength);
        Grow(payloadLength);
    }

    public override IBufferWriter<byte> GetBufferWriter() => this;

    public override void Complete()
    {
        Check(written - Frame.HeaderBytes);
        if (buffer.Length == 0)
        {
            Grow(0);
        }

        complete = true;
    }

    public override void Complete(byte[] payload)
    {
        Check(payload.Length);
        Grow(payload.Length);
        payload.CopyTo(buffer.AsSpan(written));
        written += payload.Length;
        complete = true;
    }

    public void Advance(int count) => written += count;

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        Grow(sizeHint);
        return buffer.AsMemory(written);
    }

    public Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    public void Dispose()
    {
        if (buffer.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(buffer);
            buffer = [];
            written = 0;
        }
    }

    private void Check(int length)
    {
        if (length > bytesMax)
        {
            throw new RpcException(Frame.TooLarge("sent", length, bytesMax));
        }
    }

    /// Makes room for `size` more bytes, or for some where none were asked for.
    private void Grow(int size)
    {
        if (buffer.Length > 0 && buffer.Length - written >= Math.Max(size, 1))
        {
            return;
        }

        int needed = written + (size > 0 ? size : SizeDefault);
        byte[] larger = ArrayPool<byte>.Shared.Rent(Math.Max(needed, buffer.Length * 2));
        buffer.AsSpan(0, Math.Min(written, buffer.Length)).CopyTo(larger);
        if (buffer.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        buffer = larger;
    }
}
