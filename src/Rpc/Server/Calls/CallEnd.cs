using Grpc.Core;

namespace Squall.Rpc;

/// How a call ends: its status, and what goes with it besides the call's own trailers.
internal readonly record struct CallEnd(Status Status, Metadata? Trailers)
{
    /// Nobody is there to be told why.
    public static readonly CallEnd Cancelled = new(new Status(StatusCode.Cancelled, "The call was cancelled."), null);

    /// By what was thrown, or is meant to end it: a refusal of the runtime's own has its reason in the domain, and
    /// everyone else's has what they gave it.
    public static CallEnd By(RpcException why, string? domain) =>
        new(why.Status, why.Refusal is { } own ? own.Trailers(why.Status, domain) : why.Trailers);

    public static RpcException DeadlinePassed() => Refusal.Of(
        new Status(StatusCode.DeadlineExceeded, "The call's deadline has passed."), ErrorReasons.DeadlinePassed);

    public static RpcException RequestLate() => Refusal.Of(
        new Status(StatusCode.DeadlineExceeded, "The request did not arrive in time."), ErrorReasons.RequestLate);

    public static RpcException ResponseNotRead() => Refusal.Of(
        new Status(StatusCode.ResourceExhausted, "What was answered was not read in time."),
        ErrorReasons.ResponseNotRead);
}
