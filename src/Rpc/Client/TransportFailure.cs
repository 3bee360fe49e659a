using System.Net.Http;
using System.Net.Sockets;
using System.Security.Authentication;
using Grpc.Core;
using Squall.Rpc;

namespace Grpc.Net.Client;

/// What a failure beneath gRPC means as a status. The exception stays in DebugException, its text is for people.
internal static class TransportFailure
{
    private const long NoError = 0;
    private const long EnhanceYourCalm = 11;

    public static Status ToStatus(Exception failure, Uri address)
    {
        if (Find<RpcException>(failure) is { } rpc)
        {
            return rpc.Status;
        }

        string peer = $"{address.Host}:{address.Port}";
        if (failure is OperationCanceledException { InnerException: TimeoutException })
        {
            return new(StatusCode.Unavailable, $"Connecting to {peer} took too long.", failure);
        }

        if (IsDialFailure(failure))
        {
            return new(StatusCode.Unavailable, $"Cannot connect to {peer}: {Reason(failure)}", failure);
        }

        if (Find<HttpProtocolException>(failure) is { } protocol)
        {
            return new(FromHttp2(protocol), $"The connection to {peer} failed: {protocol.Message}", failure);
        }

        if (Find<SocketException>(failure) is not null || Find<IOException>(failure) is not null)
        {
            return new(StatusCode.Unavailable, $"The connection to {peer} was lost: {Reason(failure)}", failure);
        }

        return failure switch
        {
            HttpRequestException { HttpRequestError: HttpRequestError.ConfigurationLimitExceeded } =>
                new(StatusCode.Internal, $"The headers from {peer} are too large.", failure),
            HttpRequestException { InnerException: null } when IsOfRequestHeaders(failure) =>
                new(StatusCode.Internal, $"The call's metadata is more than {peer} takes: {failure.Message}", failure),
            HttpRequestException { HttpRequestError: HttpRequestError.VersionNegotiationError } =>
                new(StatusCode.Internal, $"{peer} does not speak HTTP/2.", failure),
            HttpRequestException =>
                new(StatusCode.Unavailable, $"The request to {peer} failed: {failure.Message}", failure),
            OperationCanceledException => new(StatusCode.Cancelled, "The call was cancelled.", failure),
            _ => new(StatusCode.Internal, $"The call failed: {failure.Message}", failure),
        };
    }

    /// Whether nothing of the request can have reached the server.
    public static bool IsDialFailure(Exception? failure) =>
        failure is SocketException { SocketErrorCode: SocketError.ConnectionRefused or SocketError.HostNotFound }
        || failure is HttpRequestException
        {
            HttpRequestError: HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError
                or HttpRequestError.SecureConnectionError,
        }
        // The handler's time to connect was up. An HttpClient's own, which holds for all of a call, has another cause.
        || failure is OperationCanceledException
        {
            InnerException: TimeoutException { InnerException: not OperationCanceledException },
        };

    /// Whether a connection that had been made failed, and not one call on it.
    public static bool IsOfConnection(Exception failure) => !IsDialFailure(failure)
        && (Find<HttpProtocolException>(failure) is { } protocol ? !IsOfStream(protocol)
            : Find<IOException>(failure) is not null);

    /// Whether the server closed the connection because it was asked too much of, which pings count as.
    public static bool IsCalledToCalm(Exception failure) =>
        Find<HttpProtocolException>(failure) is { ErrorCode: EnhanceYourCalm } protocol && !IsOfStream(protocol);

    /// Whether the server ended the request's stream, on a connection that goes on.
    public static bool IsOfStream(Exception failure) =>
        Find<HttpProtocolException>(failure) is { } protocol && IsOfStream(protocol);

    // .NET tells a stream's end from a connection's in the message alone.
    private static bool IsOfStream(HttpProtocolException failure) =>
        failure.Message.Contains("reset the stream", StringComparison.Ordinal);

    // A server tells over HTTP/2 how much it takes, and then .NET sends nothing: its message alone says why.
    private static bool IsOfRequestHeaders(Exception failure) =>
        failure.Message.Contains("request headers length", StringComparison.Ordinal);

    private static StatusCode FromHttp2(HttpProtocolException failure)
    {
        // Of a stream that was reset, the code tells. A connection that went away, or stopped answering pings, took
        // the stream with it without any fault of the call.
        bool isStream = IsOfStream(failure);
        bool isGone = failure.ErrorCode == NoError || failure.Message.Contains("ping", StringComparison.Ordinal);
        return !isStream && isGone ? StatusCode.Unavailable : StatusTables.FromHttp2Error(failure.ErrorCode);
    }

    private static string Reason(Exception failure)
    {
        // TLS tells in the innermost exception what the outer ones only point at.
        Exception reason = (Exception?)Find<SocketException>(failure)
            ?? Find<AuthenticationException>(failure)?.GetBaseException()
            ?? Find<IOException>(failure) ?? failure;
        return reason.Message;
    }

    private static T? Find<T>(Exception? failure) where T : Exception
    {
        for (; failure is not null; failure = failure.InnerException)
        {
            if (failure is T found)
            {
                return found;
            }
        }

        return null;
    }
}
