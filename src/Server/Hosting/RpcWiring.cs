using System.Net;
using System.Security.Cryptography.X509Certificates;
using Grpc.Core;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Squall.Rpc;
using Squall.V1;

namespace Squall.Server;

/// <summary>
/// What holds for every call: the gate before it, its limits, its deadline; what probes may ask. The one file that uses
/// what the runtime offers beyond gRPC's own API; OfficialRpcWiring.cs takes its place over the official packages.
/// </summary>
internal static class RpcWiring
{
    public static void AddRpc(this IServiceCollection services, ServerOptions options)
    {
        Limits limits = options.Limits;
        services.AddGrpc(grpc =>
        {
            grpc.MaxReceiveMessageSize = limits.MessageBytesMax;
            grpc.MaxSendMessageSize = limits.MessageBytesMax;
            grpc.Interceptors.Add<Gate>();
        });
        services.AddGrpcReflection();
        services.Configure<RpcServerOptions>(rpc =>
        {
            rpc.ErrorDomain = Fault.Domain;
            rpc.SkipsMiddleware = true;
            rpc.RequestReadTimeMax = limits.RequestReadTimeMax;
            rpc.StalledWriteMax = limits.StalledWriteMax;
            rpc.UnaryDeadlineDefault = limits.CallDeadlineDefault;
            foreach (string origin in options.CorsOrigins)
            {
                rpc.CorsOrigins.Add(origin);
            }
        });
    }

    /// <summary>Serves what tools and load balancers ask for.</summary>
    public static void MapProbes(this IEndpointRouteBuilder routes)
    {
        routes.MapGrpcReflectionService();
        routes.MapGrpcHealthChecksService();
    }

    /// <summary>Stands between routing and what serves; the runtime knows gRPC-Web and Connect by itself.</summary>
    public static void UseRpc(this IApplicationBuilder app) => ArgumentNullException.ThrowIfNull(app);

    /// <summary>All protocols at each address.</summary>
    public static void ListenRpc(
        this KestrelServerOptions kestrel,
        IEnumerable<IPEndPoint> clearText,
        IEnumerable<IPEndPoint> tls,
        X509Certificate2? certificate)
    {
        foreach (IPEndPoint point in clearText)
        {
            kestrel.ListenClearText(point);
        }

        foreach (IPEndPoint point in tls)
        {
            kestrel.ListenTls(point, certificate!);
        }
    }

    /// <summary>What Kestrel has to be told before its limits are.</summary>
    public static void UseRpcLimits(this KestrelServerOptions kestrel) => kestrel.UseRpcDefaults();

    /// <summary>Where it listens, once it does.</summary>
    public static IReadOnlyList<Uri> Addresses(this IServiceProvider services) => services.ListeningAddresses();
}

/// <summary>A message that any number of streams are sent, encoded once.</summary>
internal sealed class SharedResponse(byte[] payload)
{
    private readonly EncodedMessage<SubscribeResponse> _message = new(payload, SubscribeResponse.Parser);

    public SubscribeResponse Message => _message.Message;

    public Task WriteToAsync(IServerStreamWriter<SubscribeResponse> stream, CancellationToken cancellationToken) =>
        stream.WriteAsync(_message, cancellationToken);
}
