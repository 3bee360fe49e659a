using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Squall.Server;

/// <summary>The addresses that are served, and what a connection may ask for.</summary>
internal static class Listeners
{
    public static void Listen(this WebApplicationBuilder builder, ServerOptions options, TlsCertificate? certificate)
    {
        builder.WebHost.UseKestrelCore();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.UseRpcLimits();
            Bound(kestrel.Limits, options.Limits);
            if (certificate is not null)
            {
                kestrel.UseTls(options, certificate);
            }

            kestrel.ListenRpc(
                options.Http.EndPoints(), options.Https?.EndPoints() ?? [], certificate?.Context.TargetCertificate);
        });
    }

    private static void Bound(KestrelServerLimits kestrel, Limits limits)
    {
        kestrel.MaxConcurrentConnections = limits.ConnectionsMax;
        kestrel.MaxRequestHeadersTotalSize = limits.HeaderBytesMax;
        kestrel.Http2.MaxRequestHeaderFieldSize = limits.HeaderBytesMax;
        kestrel.Http2.MaxStreamsPerConnection = limits.ConnectionStreamsMax;
    }
}
