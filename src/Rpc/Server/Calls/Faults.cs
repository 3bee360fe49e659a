using Grpc.Core;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;

namespace Squall.Rpc;

/// The one place where what a call threw becomes what its caller is told.
internal static partial class Faults
{
    private const string Unexpected = "The server failed in an unexpected way. The failure is in its log.";

    public static CallEnd EndOf(Exception exception, ServerCall call, ILogger log)
    {
        if (exception is RpcException { StatusCode: not StatusCode.OK } rpc)
        {
            Refused(log, call.Method, rpc.StatusCode);
            return CallEnd.By(rpc, call.Policy.ErrorDomain);
        }

        // A call that is over for its caller fails its handler in many ways; none of them is the server's fault.
        if (call.CancelledBy is { } end)
        {
            Cancelled(log, call.Method, end.Status.StatusCode);
            return end;
        }

        if (exception is ConnectionResetException or ConnectionAbortedException)
        {
            Cancelled(log, call.Method, StatusCode.Cancelled);
            return CallEnd.Cancelled;
        }

        Failed(log, exception, call.Method);
        string told = call.Policy.DetailedErrors ? $"{exception.GetType().Name}: {exception.Message}" : Unexpected;
        return CallEnd.By(
            Refusal.Of(new Status(StatusCode.Unknown, told), ErrorReasons.UnexpectedFailure), call.Policy.ErrorDomain);
    }

    [LoggerMessage(1, LogLevel.Debug, "Call {Method} was refused with {Code}.")]
    private static partial void Refused(ILogger log, string method, StatusCode code);

    [LoggerMessage(2, LogLevel.Debug, "Call {Method} ended early with {Code}.")]
    private static partial void Cancelled(ILogger log, string method, StatusCode code);

    [LoggerMessage(3, LogLevel.Error, "Call {Method} failed.")]
    private static partial void Failed(ILogger log, Exception exception, string method);
}
