using Google.Protobuf;
using Squall.Rpc;

namespace Grpc.Core;

/// A google.rpc.Status as an exception, which carries it in its trailers.
public static class RpcStatusExtensions
{
    public static RpcException ToRpcException(this Google.Rpc.Status status) =>
        status.ToRpcException((StatusCode)status.Code, status.Message);

    public static RpcException ToRpcException(
        this Google.Rpc.Status status, StatusCode statusCode, string message)
    {
        var trailers = new Metadata();
        trailers.SetRpcStatus(status);
        return new RpcException(new Status(statusCode, message), trailers);
    }
}

/// The google.rpc.Status that a call failed with.
public static class RpcExceptionExtensions
{
    /// Null if the server sent none, or something else in its place.
    public static Google.Rpc.Status? GetRpcStatus(this RpcException exception) =>
        exception.Trailers.GetRpcStatus(ignoreParseError: true);
}

/// The google.rpc.Status within a call's trailers.
public static class MetadataExtensions
{
    /// The trailer that carries it.
    public const string StatusDetailsTrailerName = StatusTrailers.Details;

    public static void SetRpcStatus(this Metadata metadata, Google.Rpc.Status status)
    {
        while (metadata.Get(StatusTrailers.Details) is { } earlier)
        {
            metadata.Remove(earlier);
        }

        metadata.Add(StatusTrailers.Details, status.ToByteArray());
    }

    /// Null if there is none. What cannot be parsed throws, unless it is to be ignored.
    public static Google.Rpc.Status? GetRpcStatus(this Metadata metadata, bool ignoreParseError = false)
    {
        if (metadata.GetValueBytes(StatusTrailers.Details) is not { } bytes)
        {
            return null;
        }

        try
        {
            return Google.Rpc.Status.Parser.ParseFrom(bytes);
        }
        catch (InvalidProtocolBufferException) when (ignoreParseError)
        {
            return null;
        }
    }
}

/// What a failure within a service looks like in an error's details; for callers who may see that.
public static class ExceptionExtensions
{
    /// The exception's message and stack, and those of as many inner ones as are asked for.
    public static Google.Rpc.DebugInfo ToRpcDebugInfo(this Exception exception, int innerDepth = 0)
    {
        ArgumentNullException.ThrowIfNull(exception);
        var debug = new Google.Rpc.DebugInfo { Detail = $"{exception.GetType().FullName}: {exception.Message}" };
        Exception? shown = exception;
        for (int depth = 0; shown is not null && depth <= innerDepth; depth++, shown = shown.InnerException)
        {
            if (depth > 0)
            {
                debug.StackEntries.Add($"InnerException: {shown.GetType().FullName}: {shown.Message}");
            }

            debug.StackEntries.Add((shown.StackTrace ?? "").Split(
                '\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));
        }

        return debug;
    }
}
