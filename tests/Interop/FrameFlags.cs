using System.Buffers.Binary;

namespace Squall.Interop;

/// <summary>
/// Watches the frames of gRPC that pass through a stream: whether a message was compressed is seen there alone.
/// </summary>
public sealed class FrameFlags(Stream inner) : Stream
{
    private readonly byte[] header = new byte[5];
    private readonly Queue<bool> compressed = new();
    private int headerLength;
    private long payloadLeft;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>Whether the next message was compressed: to be asked once for each, in order.</summary>
    public bool WasNextCompressed()
    {
        lock (compressed)
        {
            return compressed.Dequeue();
        }
    }

    public override async ValueTask<int> ReadAsync(
        Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        int read = await inner.ReadAsync(buffer, cancellationToken);
        Watch(buffer.Span[..read]);
        return read;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        inner.Dispose();
        base.Dispose(disposing);
    }

    private void Watch(ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length > 0)
        {
            if (payloadLeft > 0)
            {
                int passed = (int)Math.Min(payloadLeft, bytes.Length);
                payloadLeft -= passed;
                bytes = bytes[passed..];
                continue;
            }

            header[headerLength++] = bytes[0];
            bytes = bytes[1..];
            if (headerLength == header.Length)
            {
                headerLength = 0;
                payloadLeft = BinaryPrimitives.ReadUInt32BigEndian(header.AsSpan(1));
                lock (compressed)
                {
                    compressed.Enqueue((header[0] & 1) != 0);
                }
            }
        }
    }
}

/// <summary>Watches the frames of each response.</summary>
public sealed class FrameFlagsHandler(HttpMessageHandler inner) : DelegatingHandler(inner)
{
    /// <summary>The frames of the last response.</summary>
    public FrameFlags? Last { get; private set; }

    protected override async Task<HttpResponseMessage> SendAsync(
        HttpRequestMessage request, CancellationToken cancellationToken)
    {
        HttpResponseMessage response = await base.SendAsync(request, cancellationToken);
        Last = new FrameFlags(await response.Content.ReadAsStreamAsync(cancellationToken));
        var watched = new StreamContent(Last);
        foreach ((string name, IEnumerable<string> values) in response.Content.Headers)
        {
            watched.Headers.TryAddWithoutValidation(name, values);
        }

        response.Content = watched;
        return response;
    }
}
