using Grpc.AspNetCore.Server;

namespace Squall.Rpc;

/// The options of one service's calls, with those for all services merged in.
internal sealed record CallPolicy(
    int ReceiveBytesMax,
    int SendBytesMax,
    bool DetailedErrors,
    string? ErrorDomain,
    Encodings Encodings,
    IReadOnlyList<InterceptorRegistration> Interceptors,
    bool SuppressCreatingService,
    bool IgnoreUnknown)
{
    public static CallPolicy Of(GrpcServiceOptions shared, GrpcServiceOptions? own, RpcServerOptions rpc) => new(
        (own is { MaxReceiveMessageSizeSpecified: true } ? own : shared).MaxReceiveMessageSize ?? int.MaxValue,
        (own is { MaxSendMessageSizeSpecified: true } ? own : shared).MaxSendMessageSize ?? int.MaxValue,
        own?.EnableDetailedErrors ?? shared.EnableDetailedErrors ?? false,
        rpc.ErrorDomain,
        new Encodings(
            [.. own?.CompressionProviders ?? [], .. shared.CompressionProviders],
            own?.ResponseCompressionAlgorithm ?? shared.ResponseCompressionAlgorithm,
            own?.ResponseCompressionLevel ?? shared.ResponseCompressionLevel,
            rpc.CompressionBytesMin),
        [.. shared.Interceptors, .. own?.Interceptors ?? []],
        shared.SuppressCreatingService || own is { SuppressCreatingService: true },
        own?.IgnoreUnknownServices ?? shared.IgnoreUnknownServices ?? false);
}
