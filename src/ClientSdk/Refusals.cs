using Google.Protobuf;
using Google.Rpc;
using Grpc.Core;

namespace Squall.Client;

/// <summary>The one place that turns a failed call into the exception that the caller sees.</summary>
internal static class Refusals
{
    private const string Domain = "squall";
    private const long RetrySecondsMax = 24 * 60 * 60;

    public static bool IsGap(RpcException e) => e.StatusCode == StatusCode.OutOfRange
        && (Cause(e.GetRpcStatus())?.Reason ?? "") is "CURSOR_EXPIRED" or "";

    /// <summary>What asking again does not change.</summary>
    public static bool IsFinal(StatusCode code) => code is StatusCode.OutOfRange or StatusCode.Unauthenticated
        or StatusCode.PermissionDenied or StatusCode.InvalidArgument or StatusCode.NotFound
        or StatusCode.FailedPrecondition or StatusCode.Unimplemented;

    /// <summary>The caller's own cancellation comes back as just that, with the caller's token.</summary>
    public static Exception From(RpcException e, CancellationToken caller, string cursor) =>
        caller.IsCancellationRequested && e.StatusCode == StatusCode.Cancelled
            ? new OperationCanceledException("The call was cancelled.", e, caller)
            : From(e, cursor);

    public static SquallException From(RpcException e, string cursor = "")
    {
        var message = e.Status.Detail.Length > 0 ? e.Status.Detail : $"The call failed: {e.StatusCode}.";
        return e.StatusCode switch
        {
            StatusCode.NotFound => new SquallNotFoundException(message, e),
            StatusCode.Aborted or StatusCode.AlreadyExists => new SquallConflictException(message, e),
            StatusCode.FailedPrecondition => new SquallPreconditionException(message, e),
            StatusCode.InvalidArgument => new SquallValidationException(message, e),
            StatusCode.ResourceExhausted => new SquallRateLimitedException(message, e),
            StatusCode.Unavailable => new SquallUnavailableException(message, e),
            StatusCode.PermissionDenied => new SquallPermissionException(message, e),
            StatusCode.Unauthenticated => new SquallUnauthenticatedException(message, e),
            StatusCode.DeadlineExceeded => new SquallTimeoutException(message, e),
            StatusCode.OutOfRange when IsGap(e) => new SquallGapException(message, e) { Cursor = cursor },
            _ => new SquallException(message, e),
        };
    }

    public static ErrorInfo? Cause(Google.Rpc.Status? details) =>
        Detail<ErrorInfo>(details) is { Domain: Domain } cause ? cause : null;

    /// <summary>A detail of a failure; null if there is none, or it cannot be read.</summary>
    public static T? Detail<T>(Google.Rpc.Status? details)
        where T : class, IMessage<T>, new()
    {
        try
        {
            return details?.GetDetail<T>();
        }
        catch (InvalidProtocolBufferException)
        {
            // What failed is worth telling, even if its details are broken.
            return null;
        }
    }

    /// <summary>Within a day, whatever the server says.</summary>
    public static TimeSpan? RetryAfter(Google.Rpc.Status? details) =>
        Detail<RetryInfo>(details)?.RetryDelay is { } asked
            ? TimeSpan.FromSeconds(Math.Clamp(asked.Seconds, 0, RetrySecondsMax))
                + TimeSpan.FromTicks(Math.Max(0, asked.Nanos) / TimeSpan.NanosecondsPerTick)
            : null;
}
