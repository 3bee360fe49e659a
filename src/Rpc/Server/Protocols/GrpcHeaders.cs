using Grpc.Core;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace Squall.Rpc;

/// The headers that gRPC and gRPC-Web share.
internal static class GrpcHeaders
{
    /// How long the caller gives the call; null: no matter how long.
    public static TimeSpan? ReadTimeout(IHeaderDictionary request)
    {
        StringValues timeout = request.GrpcTimeout;
        if (timeout.Count == 0)
        {
            return null;
        }

        return timeout.Count == 1 && GrpcTimeout.TryParse(timeout[0], out TimeSpan value)
            ? value
            : throw Refusal.Of(
                new Status(StatusCode.InvalidArgument,
                    $"The header {GrpcTimeout.Header} is one to eight digits and one of H, M, S, m, u, n."),
                ErrorReasons.InvalidTimeout);
    }
}
