using Grpc.Core;
using Squall.V1;

namespace Squall.Server;

/// <summary>Roles in requests.</summary>
internal static class Roles
{
    /// <exception cref="RpcException">INVALID_ARGUMENT: none is given, or it is unknown.</exception>
    public static Role Require(string field, Role role) => role switch
    {
        Role.Unspecified => throw Fault.Required(field),
        Role known when Enum.IsDefined(known) => known,
        _ => throw Fault.Field(field, "ENUM_UNKNOWN", "is no role"),
    };
}
