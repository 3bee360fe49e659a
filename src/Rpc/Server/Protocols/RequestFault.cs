using Google.Rpc;
using Grpc.Core;

namespace Squall.Rpc;

/// A request that cannot be read: INVALID_ARGUMENT, with the field named where one is at fault.
internal static class RequestFault
{
    public static RpcException At(string field, string message) => Of($"{field}: {message}", new BadRequest
    {
        FieldViolations = { new BadRequest.Types.FieldViolation { Field = field, Description = message } },
    });

    public static RpcException Of(string message, BadRequest? fields = null) => Refusal.Of(
        new Grpc.Core.Status(StatusCode.InvalidArgument, message), ErrorReasons.InvalidRequest, fields);
}
