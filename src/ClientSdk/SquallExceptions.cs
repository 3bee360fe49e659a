using Google.Rpc;
using Grpc.Core;

namespace Squall.Client;

/// <summary>A call that failed: the message is for a person, the inner exception is the RpcException.</summary>
public class SquallException : Exception
{
    /// <summary>A failure with the code and the details of its cause.</summary>
    public SquallException(string message, RpcException inner)
        : base(message, inner)
    {
        ArgumentNullException.ThrowIfNull(inner);
        Code = inner.StatusCode;
        Details = inner.GetRpcStatus();
        var cause = Refusals.Cause(Details);
        Reason = cause?.Reason ?? "";
        Metadata = cause?.Metadata.ToDictionary() ?? [];
        RetryAfter = Refusals.RetryAfter(Details);
    }

    /// <summary>gRPC's code.</summary>
    public StatusCode Code { get; }

    /// <summary>The server's word for why, such as VERSION_MISMATCH; empty if it gave none.</summary>
    public string Reason { get; }

    /// <summary>What the server adds to its reason, such as the position of a fault in a filter.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>How long the server asks to wait before another attempt.</summary>
    public TimeSpan? RetryAfter { get; }

    private protected Google.Rpc.Status? Details { get; }
}

/// <summary>NOT_FOUND: it does not exist, or the caller may not see it; which of the two is not told.</summary>
public sealed class SquallNotFoundException : SquallException
{
    /// <summary>A failure with the details of its cause.</summary>
    public SquallNotFoundException(string message, RpcException inner)
        : base(message, inner)
    {
        var resource = Refusals.Detail<ResourceInfo>(Details);
        ResourceType = resource?.ResourceType ?? "";
        ResourceName = resource?.ResourceName ?? "";
    }

    /// <summary>What was asked for, such as "task".</summary>
    public string ResourceType { get; }

    /// <summary>The id that it was asked for by.</summary>
    public string ResourceName { get; }
}

/// <summary>ABORTED or ALREADY_EXISTS: someone else was first.</summary>
public sealed class SquallConflictException : SquallException
{
    /// <summary>A failure with the details of its cause.</summary>
    public SquallConflictException(string message, RpcException inner)
        : base(message, inner)
    {
        CurrentVersion = Metadata.TryGetValue("version", out var text) && long.TryParse(text, out var version)
            ? version : null;
        var resource = Refusals.Detail<ResourceInfo>(Details);
        ResourceType = resource?.ResourceType ?? "";
        ResourceName = resource?.ResourceName ?? "";
    }

    /// <summary>The version as it is now, where the call expected another.</summary>
    public long? CurrentVersion { get; }

    /// <summary>What is there already, such as "username"; empty where a version was expected.</summary>
    public string ResourceType { get; }

    /// <summary>The name that is taken.</summary>
    public string ResourceName { get; }
}

/// <summary>FAILED_PRECONDITION: not in the state that things are in, such as completing a task that is done.</summary>
public sealed class SquallPreconditionException(string message, RpcException inner) : SquallException(message, inner);

/// <summary>INVALID_ARGUMENT: the request alone shows what is wrong.</summary>
public sealed class SquallValidationException : SquallException
{
    /// <summary>A failure with the details of its cause.</summary>
    public SquallValidationException(string message, RpcException inner)
        : base(message, inner) =>
        Violations =
        [
            .. Refusals.Detail<BadRequest>(Details)?.FieldViolations
                .Select(violation => new FieldViolation(violation.Field, violation.Description)) ?? [],
        ];

    /// <summary>Each field at fault.</summary>
    public IReadOnlyList<FieldViolation> Violations { get; }
}

/// <summary>A field at fault, by its path in the request, such as task.title.</summary>
public sealed record FieldViolation(string Field, string Description);

/// <summary>RESOURCE_EXHAUSTED: a limit was met; RetryAfter says when to try again, if that helps.</summary>
public sealed class SquallRateLimitedException(string message, RpcException inner) : SquallException(message, inner);

/// <summary>UNAVAILABLE: the server could not be reached, or is stopping.</summary>
public sealed class SquallUnavailableException(string message, RpcException inner) : SquallException(message, inner);

/// <summary>PERMISSION_DENIED: the caller sees it and may not do it.</summary>
public sealed class SquallPermissionException(string message, RpcException inner) : SquallException(message, inner);

/// <summary>UNAUTHENTICATED: there is no session, or it has ended; log in.</summary>
public sealed class SquallUnauthenticatedException(string message, RpcException inner)
    : SquallException(message, inner);

/// <summary>DEADLINE_EXCEEDED: the call took too long; a change may have been made, or not.</summary>
public sealed class SquallTimeoutException(string message, RpcException inner) : SquallException(message, inner);

/// <summary>
/// OUT_OF_RANGE, reason CURSOR_EXPIRED: what happened after the cursor is no longer known in full. Subscribe with a
/// snapshot to begin anew.
/// </summary>
public sealed class SquallGapException(string message, RpcException inner) : SquallException(message, inner)
{
    /// <summary>The cursor that the journal does not continue from.</summary>
    public string Cursor { get; internal init; } = "";
}
