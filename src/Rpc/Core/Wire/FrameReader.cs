using System.Buffers;
using System.IO.Pipelines;
using Grpc.Core;

namespace Squall.Rpc;

/// Reads frames off a pipe, one at a time. Not for two readers at once.
public sealed class FrameReader(PipeReader pipe, int bytesMax, byte flagsKnown = Frame.GrpcFlags)
{
    private SequencePosition? consumed;
    private bool isLast;

    /// Waits for the rest of a frame whose beginning is here, for whoever bounds that; null: nobody does.
    public Func<ValueTask<ReadResult>, ValueTask<ReadResult>>? Rest { get; set; }

    /// The flags of the frame that was read last.
    public byte Flags { get; private set; }

    /// Whether the frame that was read last is compressed.
    public bool IsCompressed => (Flags & Frame.Compressed) != 0;

    /// The next frame's payload, which stands until the next call of this method; null at the stream's end.
    /// A stream that ends within a frame is INTERNAL.
    public ValueTask<ReadOnlySequence<byte>?> ReadAsync(CancellationToken cancellationToken = default)
    {
        Release();
        if (isLast)
        {
            return default;
        }

        // What is here already costs nobody a wait.
        bool begun = false;
        if (!cancellationToken.IsCancellationRequested && pipe.TryRead(out ReadResult read))
        {
            if (TryTake(read, out ReadOnlySequence<byte>? payload))
            {
                return new(payload);
            }

            begun = !read.Buffer.IsEmpty;
        }

        return WaitAsync(begun, cancellationToken);
    }

    /// Gives back what was read last, where no more is read: until then nobody else can read on.
    public void Release()
    {
        if (consumed is { } position)
        {
            consumed = null;
            pipe.AdvanceTo(position);
        }
    }

    private async ValueTask<ReadOnlySequence<byte>?> WaitAsync(bool begun, CancellationToken cancellationToken)
    {
        while (true)
        {
            ValueTask<ReadResult> reading = pipe.ReadAsync(cancellationToken);
            ReadResult read = await (begun && Rest is { } rest ? rest(reading) : reading).ConfigureAwait(false);
            if (TryTake(read, out ReadOnlySequence<byte>? payload))
            {
                return payload;
            }

            begun = !read.Buffer.IsEmpty;
        }
    }

    /// Takes a frame, or null at the end, out of what was read; false if more has to come.
    private bool TryTake(ReadResult read, out ReadOnlySequence<byte>? frame)
    {
        frame = null;
        if (read.IsCanceled)
        {
            pipe.AdvanceTo(read.Buffer.Start);
            throw new OperationCanceledException("The read was cancelled.");
        }

        ReadOnlySequence<byte> buffer = read.Buffer;
        try
        {
            if (Frame.TryRead(ref buffer, bytesMax, flagsKnown, out byte flags, out ReadOnlySequence<byte> payload))
            {
                (Flags, frame, consumed) = (flags, payload, buffer.Start);
                isLast = read.IsCompleted && buffer.IsEmpty;
                return true;
            }
        }
        catch (RpcException)
        {
            // Nothing that follows can be read, but what holds the pipe may have to be rid of it.
            pipe.AdvanceTo(buffer.End);
            throw;
        }

        pipe.AdvanceTo(buffer.Start, buffer.End);
        return !read.IsCompleted || buffer.IsEmpty
            ? read.IsCompleted
            : throw Refusal.Of(
                new Status(StatusCode.Internal, $"The stream ended {buffer.Length} bytes into a message."),
                ErrorReasons.TruncatedRequest);
    }
}
