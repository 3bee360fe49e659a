using Grpc.Core;

namespace Squall.Rpc;

/// How a call ends: its status, and what goes with it besides the call's own trailers.
internal readonly record struct CallEnd(Status Status, Metadata? Trailers)
{
    public static readonly CallEnd DeadlineExceeded =
        new(new Status(StatusCode.DeadlineExceeded, "The call's deadline has passed."), null);

    public static readonly CallEnd RequestLate =
        new(new Status(StatusCode.DeadlineExceeded, "The request did not arrive in time."), null);

    public static readonly CallEnd ReaderStalled =
        new(new Status(StatusCode.ResourceExhausted, "What was answered was not read in time."), null);

    public static readonly CallEnd Cancelled = new(new Status(StatusCode.Cancelled, "The call was cancelled."), null);
}
