using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Grpc.Core;

namespace Squall.Rpc;

/// A request that cannot be read: INVALID_ARGUMENT, with the field named where one is at fault.
internal static class RequestFault
{
    public static RequestFaultException At(string field, string message) => new(
        $"{field}: {message}",
        new BadRequest
        {
            FieldViolations = { new BadRequest.Types.FieldViolation { Field = field, Description = message } },
        });

    public static RequestFaultException Of(string message) => new(message, null);
}

/// Knows what it is told with; whose reason it is, the service that was called says.
internal sealed class RequestFaultException(string message, BadRequest? fields)
    : RpcException(new Grpc.Core.Status(StatusCode.InvalidArgument, message))
{
    /// Of every such fault: the caller's program is to be mended, and the message says where.
    private const string Reason = "INVALID_REQUEST";

    /// <param name="domain">Null: errors have no ErrorInfo.</param>
    public Metadata Details(string? domain)
    {
        var told = new Google.Rpc.Status { Code = (int)StatusCode.InvalidArgument, Message = Status.Detail };
        if (domain is not null)
        {
            told.Details.Add(Any.Pack(new ErrorInfo { Domain = domain, Reason = Reason }));
        }

        if (fields is not null)
        {
            told.Details.Add(Any.Pack(fields));
        }

        return told.Details.Count == 0 ? [] : told.ToRpcException().Trailers;
    }
}
