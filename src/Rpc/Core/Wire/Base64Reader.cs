using System.Buffers;
using System.Buffers.Text;
using System.IO.Pipelines;
using Grpc.Core;

namespace Squall.Rpc;

/// Reads bytes out of base64 as it comes. Whoever writes it may flush, and pad, wherever it likes; four characters
/// that belong together may come apart. What is not base64 fails as is given.
internal sealed class Base64Reader(PipeReader text, Func<RpcException> invalid) : PipeReader
{
    private const int GroupCharacters = 4;

    private readonly Pipe bytes = new(new PipeOptions(pauseWriterThreshold: 0, useSynchronizationContext: false));
    private bool isComplete;

    public override void AdvanceTo(SequencePosition consumed) => bytes.Reader.AdvanceTo(consumed);

    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined) =>
        bytes.Reader.AdvanceTo(consumed, examined);

    public override void CancelPendingRead() => text.CancelPendingRead();

    public override void Complete(Exception? exception = null) => text.Complete(exception);

    public override bool TryRead(out ReadResult result) => bytes.Reader.TryRead(out result);

    public override async ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        ReadResult decoded;
        while (!bytes.Reader.TryRead(out decoded))
        {
            ReadResult read = await text.ReadAsync(cancellationToken).ConfigureAwait(false);
            SequencePosition consumed = read.Buffer.Start;
            try
            {
                consumed = read.Buffer.GetPosition(Decode(read.Buffer, read.IsCompleted));
            }
            finally
            {
                text.AdvanceTo(consumed, read.Buffer.End);
            }

            if (read.IsCanceled)
            {
                bytes.Reader.CancelPendingRead();
            }

            await bytes.Writer.FlushAsync(cancellationToken).ConfigureAwait(false);
            if (read.IsCompleted && !isComplete)
            {
                isComplete = true;
                await bytes.Writer.CompleteAsync().ConfigureAwait(false);
            }
        }

        return decoded;
    }

    /// Decodes what makes whole groups, and says how many characters that were.
    private long Decode(ReadOnlySequence<byte> buffer, bool isLast)
    {
        long whole = buffer.Length / GroupCharacters * GroupCharacters;
        if (isLast && whole != buffer.Length)
        {
            throw invalid();
        }

        byte[] rented = ArrayPool<byte>.Shared.Rent((int)whole);
        try
        {
            Span<byte> groups = rented.AsSpan(0, (int)whole);
            buffer.Slice(0, whole).CopyTo(groups);
            // The decoder would pass over white space, and then the groups would be others.
            if (groups.ContainsAny(" \t\r\n"u8))
            {
                throw invalid();
            }

            while (groups.Length > 0)
            {
                groups = groups[DecodeToPadding(groups)..];
            }

            return whole;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }

    /// Decodes up to the first group that is padded, which ends what its writer flushed.
    private int DecodeToPadding(ReadOnlySpan<byte> groups)
    {
        int padding = groups.IndexOf((byte)'=');
        int length = padding < 0 ? groups.Length : (padding / GroupCharacters + 1) * GroupCharacters;
        Span<byte> target = bytes.Writer.GetSpan(Base64.GetMaxDecodedFromUtf8Length(length));
        if (Base64.DecodeFromUtf8(groups[..length], target, out int read, out int written) != OperationStatus.Done
            || read != length)
        {
            throw invalid();
        }

        bytes.Writer.Advance(written);
        return length;
    }
}
