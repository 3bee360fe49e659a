using System.Net;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Grpc.Core;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Squall.V1;

namespace Squall.Server;

/// <summary>
/// RpcWiring over grpc-dotnet, with <c>-p:GrpcStack=Official</c>. There is no Connect, no one clear-text port for all
/// versions of HTTP, no default deadline and no message encoded once.
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
        services.AddGrpcHealthChecks().AddCheck("server", () => HealthCheckResult.Healthy());
    }

    /// <summary>Serves what tools and load balancers ask for.</summary>
    public static void MapProbes(this IEndpointRouteBuilder routes)
    {
        routes.MapGrpcReflectionService();
        routes.MapGrpcHealthChecksService();
    }

    /// <summary>Makes gRPC of gRPC-Web.</summary>
    public static void UseRpc(this IApplicationBuilder app) =>
        app.UseGrpcWeb(new GrpcWebOptions { DefaultEnabled = true });

    /// <summary>gRPC alone in clear text; over TLS, gRPC-Web too.</summary>
    public static void ListenRpc(
        this KestrelServerOptions kestrel,
        IEnumerable<IPEndPoint> clearText,
        IEnumerable<IPEndPoint> tls,
        X509Certificate2? certificate)
    {
        foreach (IPEndPoint point in clearText)
        {
            kestrel.Listen(point, listen => listen.Protocols = HttpProtocols.Http2);
        }

        foreach (IPEndPoint point in tls)
        {
            kestrel.Listen(point, listen =>
            {
                listen.Protocols = HttpProtocols.Http1AndHttp2;
                listen.UseHttps(certificate!, https => https.SslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13);
            });
        }
    }

    /// <summary>What Kestrel has to be told before its limits are.</summary>
    public static void UseRpcLimits(this KestrelServerOptions kestrel)
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.MinResponseDataRate = null;
        kestrel.Limits.Http2.KeepAlivePingDelay = TimeSpan.FromSeconds(30);
        kestrel.Limits.Http2.KeepAlivePingTimeout = TimeSpan.FromSeconds(20);
    }

    /// <summary>Where it listens, once it does.</summary>
    public static IReadOnlyList<Uri> Addresses(this IServiceProvider services) =>
        [.. services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses
            .Distinct().Select(address => new Uri(address))];
}

/// <summary>A message that any number of streams are sent; each of them encodes it.</summary>
internal sealed class SharedResponse(byte[] payload)
{
    private SubscribeResponse? _message;

    public SubscribeResponse Message => _message ??= SubscribeResponse.Parser.ParseFrom(payload);

    public Task WriteToAsync(IServerStreamWriter<SubscribeResponse> stream, CancellationToken cancellationToken) =>
        stream.WriteAsync(Message, cancellationToken);
}
