using System.Buffers;

namespace Squall.Rpc;

/// Bytes that wait to be sent together. The response's own buffer is no place for them: as long as it has any that were
/// not flushed, Kestrel looks after them again and again.
internal sealed class HeldBytes : IBufferWriter<byte>
{
    private const int BytesFirst = 4096;

    private byte[] buffer = [];

    public int Count { get; private set; }

    public ReadOnlySpan<byte> Written => buffer.AsSpan(0, Count);

    public void Advance(int count) => Count += count;

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        if (buffer.Length - Count < Math.Max(sizeHint, 1))
        {
            Grow(Math.Max(sizeHint, 1));
        }

        return buffer.AsMemory(Count);
    }

    public Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    /// Gives its memory back.
    public void Clear()
    {
        if (buffer.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(buffer);
            buffer = [];
            Count = 0;
        }
    }

    private void Grow(int more)
    {
        byte[] larger = ArrayPool<byte>.Shared.Rent(Math.Max(Count + more, Math.Max(buffer.Length * 2, BytesFirst)));
        Written.CopyTo(larger);
        if (buffer.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        buffer = larger;
    }
}
