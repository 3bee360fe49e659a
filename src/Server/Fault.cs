using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Grpc.Core;

namespace Squall.Server;

/// <summary>
/// The refusals of the service: each a status code, a message a person can act on, and google.rpc details with the
/// domain <c>squall</c> and one of these reasons. Features throw from this list and catch nothing.
/// </summary>
internal static class Fault
{
    public const string Domain = "squall";
    private const int ShownCharactersMax = 64;
    private const string Details = "grpc-status-details-bin";

    /// <summary>Where an exception has what its caller is not told.</summary>
    private const string AboutKey = "squall.about";

    /// <summary>INVALID_ARGUMENT: the request alone shows that a field is at fault.</summary>
    public static RpcException Field(string field, string reason, string message) =>
        Make(StatusCode.InvalidArgument, reason, $"{field}: {message}", details: new BadRequest
        {
            FieldViolations = { new BadRequest.Types.FieldViolation { Field = field, Description = message } },
        });

    public static RpcException Required(string field) => Field(field, "FIELD_REQUIRED", "must be given");

    public static RpcException TooLong(string field, int max, string unit) =>
        Field(field, "FIELD_TOO_LONG", $"at most {max} {unit}");

    public static RpcException Unsupported(string field) =>
        Field(field, "FIELD_NOT_SUPPORTED", "not yet supported by this version");

    /// <summary>INVALID_ARGUMENT: a filter cannot be read; the details tell where, in characters from 1.</summary>
    public static RpcException Filter(string reason, int position, string message) =>
        Make(StatusCode.InvalidArgument, reason, $"filter: at character {position}: {message}",
            ("position", position.ToString(System.Globalization.CultureInfo.InvariantCulture)), new BadRequest
            {
                FieldViolations = { new BadRequest.Types.FieldViolation { Field = "filter", Description = message } },
            });

    public static RpcException RequestIdReused() =>
        Field("request_id", "REQUEST_ID_REUSED", "was used before with another request; choose a new one");

    /// <summary>UNAUTHENTICATED, with how to get a token.</summary>
    public static RpcException Unauthenticated(string reason, string message) =>
        Make(StatusCode.Unauthenticated, reason,
            $"{message} Call squall.v1.AuthService/Login and send \"authorization: Bearer <access token>\".");

    /// <summary>NOT_FOUND: there is none, or the caller may not see it; which of the two is not told.</summary>
    public static RpcException NotFound(string resource, string id) =>
        Make(StatusCode.NotFound, "NOT_FOUND", $"There is no such {resource}, or you may not see it.",
            details: new ResourceInfo { ResourceType = resource, ResourceName = Shown(id) });

    /// <summary>What a request said, short enough to be said again.</summary>
    public static string Shown(string text)
    {
        const int Last = ShownCharactersMax - 1;
        return text.Length <= ShownCharactersMax ? text
            : $"{text[..(char.IsHighSurrogate(text[Last]) ? Last : ShownCharactersMax)]}…";
    }

    public static RpcException Denied(string reason, string message) =>
        Make(StatusCode.PermissionDenied, reason, message);

    public static RpcException Taken(string resource, string name) =>
        Make(StatusCode.AlreadyExists, "ALREADY_EXISTS", $"The {resource} is taken.",
            details: new ResourceInfo { ResourceType = resource, ResourceName = name });

    /// <summary>ABORTED: the caller's expected_version is not the current one, which the details tell.</summary>
    public static RpcException VersionMismatch(long current) =>
        Make(StatusCode.Aborted, "VERSION_MISMATCH", $"It was changed meanwhile: the current version is {current}.",
            ("version", current.ToString(System.Globalization.CultureInfo.InvariantCulture)));

    public static RpcException Precondition(string reason, string message) =>
        Make(StatusCode.FailedPrecondition, reason, message);

    /// <summary>RESOURCE_EXHAUSTED: a limit of how many there may be.</summary>
    public static RpcException LimitReached(string reason, string message) =>
        Make(StatusCode.ResourceExhausted, reason, message);

    /// <summary>RESOURCE_EXHAUSTED for now: the details say when to try again.</summary>
    public static RpcException Busy(string reason, string message, TimeSpan retryAfter) =>
        Make(StatusCode.ResourceExhausted, reason, message, details: Retry(retryAfter));

    /// <summary>UNAVAILABLE: nothing is wrong with the request; the details say when to try again.</summary>
    public static RpcException Unavailable(string reason, string message, TimeSpan retryAfter) =>
        Make(StatusCode.Unavailable, reason, message, details: Retry(retryAfter));

    /// <summary>OUT_OF_RANGE: the journal does not continue from this cursor.</summary>
    public static RpcException CursorExpired() =>
        Make(StatusCode.OutOfRange, "CURSOR_EXPIRED",
            "The journal does not continue from this cursor. Subscribe again with snapshot.");

    public static RpcException NotYet() =>
        Make(StatusCode.Unimplemented, "NOT_YET_SUPPORTED", "Not yet in this version.");

    /// <summary>A refusal's reason; empty: it has none, or none that can be read.</summary>
    public static string ReasonOf(RpcException refused)
    {
        try
        {
            return refused.Trailers.GetValueBytes(Details) is { } details
                && Google.Rpc.Status.Parser.ParseFrom(details).Details
                    .FirstOrDefault(detail => detail.Is(ErrorInfo.Descriptor)) is { } cause
                        ? cause.Unpack<ErrorInfo>().Reason
                        : "";
        }
        catch (InvalidProtocolBufferException)
        {
            return "";
        }
    }

    /// <summary>Says what the audit trail is to tell of a refusal, beside what its caller is told.</summary>
    public static RpcException About(this RpcException refused, AuditEntry? entry)
    {
        refused.Data[AboutKey] = entry;
        return refused;
    }

    /// <summary>Null: nothing was said.</summary>
    public static AuditEntry? AboutOf(RpcException refused) => refused.Data[AboutKey] as AuditEntry;

    private static RetryInfo Retry(TimeSpan after) => new() { RetryDelay = Duration.FromTimeSpan(after) };

    private static RpcException Make(
        StatusCode code, string reason, string message, (string Key, string Value)? metadata = null,
        IMessage? details = null)
    {
        var cause = new ErrorInfo { Domain = Domain, Reason = reason };
        if (metadata is var (key, value))
        {
            cause.Metadata.Add(key, value);
        }

        var status = new Google.Rpc.Status { Code = (int)code, Message = message, Details = { Any.Pack(cause) } };
        if (details is not null)
        {
            status.Details.Add(Any.Pack(details));
        }

        return new RpcException(
            new Grpc.Core.Status(code, message),
            new Metadata { { Details, status.ToByteArray() } });
    }
}
