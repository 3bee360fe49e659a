using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Grpc.Core;

namespace Squall.Rpc;

/// What an error of the runtime's own is told with: one of ErrorReasons, and a detail more where there is one. Whose
/// reason it is, the service that was called says; an error that a client made for itself is told to nobody.
internal sealed record Refusal(string Reason, IMessage? Detail)
{
    public static RpcException Of(Grpc.Core.Status status, string reason, IMessage? detail = null) =>
        new(status) { Refusal = new Refusal(reason, detail) };

    /// <param name="domain">Null: errors have no ErrorInfo.</param>
    public Metadata Trailers(Grpc.Core.Status status, string? domain)
    {
        var told = new Google.Rpc.Status { Code = (int)status.StatusCode, Message = status.Detail };
        if (domain is not null)
        {
            told.Details.Add(Any.Pack(new ErrorInfo { Domain = domain, Reason = Reason }));
        }

        if (Detail is not null)
        {
            told.Details.Add(Any.Pack(Detail));
        }

        return told.Details.Count == 0 ? Metadata.Empty : told.ToRpcException().Trailers;
    }
}
