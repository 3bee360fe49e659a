namespace Squall.Rpc;

/// <summary>
/// Why a server's runtime, and not its services, ends a call with a status other than OK: the reasons of the
/// google.rpc.ErrorInfo that is then told, where <c>RpcServerOptions.ErrorDomain</c> is set. Once told, a reason means
/// the same for ever. A call that its caller gave up is CANCELLED without a reason: nobody is there to read it.
/// </summary>
public static class ErrorReasons
{
    /// <summary>
    /// INVALID_ARGUMENT: the request is no message of the method's type in its encoding; google.rpc.BadRequest names
    /// the field, where one is at fault.
    /// </summary>
    public const string InvalidRequest = "INVALID_REQUEST";

    /// <summary>INVALID_ARGUMENT: grpc-timeout or connect-timeout-ms is not what it has to be.</summary>
    public const string InvalidTimeout = "INVALID_TIMEOUT";

    /// <summary>INVALID_ARGUMENT: a header whose name ends in -bin is not base64.</summary>
    public const string InvalidMetadata = "INVALID_METADATA";

    /// <summary>INVALID_ARGUMENT: a parameter of Connect's GET is missing, or is not base64.</summary>
    public const string InvalidQuery = "INVALID_QUERY";

    /// <summary>INVALID_ARGUMENT: another version of Connect's protocol is asked for.</summary>
    public const string UnknownVersion = "UNKNOWN_VERSION";

    /// <summary>UNIMPLEMENTED: there is no method of this path.</summary>
    public const string UnknownMethod = "UNKNOWN_METHOD";

    /// <summary>UNIMPLEMENTED: the request is in an encoding that the service does not read.</summary>
    public const string UnknownEncoding = "UNKNOWN_ENCODING";

    /// <summary>UNIMPLEMENTED: a method that takes one request message was sent none, or more.</summary>
    public const string WrongRequestCount = "WRONG_REQUEST_COUNT";

    /// <summary>UNIMPLEMENTED: the method's messages are not protobuf's, and have no form in JSON.</summary>
    public const string NoJsonForm = "NO_JSON_FORM";

    /// <summary>INTERNAL: a message's frame has flags that the protocol does not know.</summary>
    public const string UnknownFlags = "UNKNOWN_FLAGS";

    /// <summary>INTERNAL: the stream of requests ended within a message.</summary>
    public const string TruncatedRequest = "TRUNCATED_REQUEST";

    /// <summary>INTERNAL: a message is compressed, and its call names no encoding.</summary>
    public const string UnnamedEncoding = "UNNAMED_ENCODING";

    /// <summary>
    /// INTERNAL, of Connect's unary calls INVALID_ARGUMENT: a message is not in the encoding that it claims, or is cut
    /// off.
    /// </summary>
    public const string BrokenEncoding = "BROKEN_ENCODING";

    /// <summary>RESOURCE_EXHAUSTED: a request message is larger than the service takes, inflated or not.</summary>
    public const string RequestTooLarge = "REQUEST_TOO_LARGE";

    /// <summary>RESOURCE_EXHAUSTED: a response message is larger than the service may send.</summary>
    public const string ResponseTooLarge = "RESPONSE_TOO_LARGE";

    /// <summary>RESOURCE_EXHAUSTED: too many writes of this call wait for its caller to read.</summary>
    public const string TooManyWrites = "TOO_MANY_WRITES";

    /// <summary>RESOURCE_EXHAUSTED: the caller did not read in time what it was answered.</summary>
    public const string ResponseNotRead = "RESPONSE_NOT_READ";

    /// <summary>DEADLINE_EXCEEDED: the call's deadline, its caller's or the server's own for it, has passed.</summary>
    public const string DeadlinePassed = "DEADLINE_PASSED";

    /// <summary>DEADLINE_EXCEEDED: the request, or a message that had begun, did not arrive in time.</summary>
    public const string RequestLate = "REQUEST_LATE";

    /// <summary>UNAVAILABLE: the server stops; google.rpc.RetryInfo tells when to call again.</summary>
    public const string ServerStopping = "SERVER_STOPPING";

    /// <summary>NOT_FOUND: the health service does not know the service that it was asked about.</summary>
    public const string UnknownService = "UNKNOWN_SERVICE";

    /// <summary>CANCELLED: the method returned no message.</summary>
    public const string NoResponse = "NO_RESPONSE";

    /// <summary>INTERNAL: the method sets metadata that cannot be carried.</summary>
    public const string InvalidResponseMetadata = "INVALID_RESPONSE_METADATA";

    /// <summary>UNKNOWN: the method failed as it did not mean to; the server's log has the failure.</summary>
    public const string UnexpectedFailure = "UNEXPECTED_FAILURE";
}
