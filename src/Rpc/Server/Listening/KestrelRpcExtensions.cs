using System.Net;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace Squall.Rpc;

/// <summary>Sets Kestrel up for RPC.</summary>
public static class KestrelRpcExtensions
{
    private const int HeaderBytesMax = 32 * 1024;
    private const int StreamsPerConnectionMax = 1_000;
    private const int ConnectionsMax = 10_000;

    /// <summary>The limits that RPC asks for; call it first.</summary>
    public static void UseRpcDefaults(this KestrelServerOptions kestrel)
    {
        ArgumentNullException.ThrowIfNull(kestrel);
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxRequestHeadersTotalSize = HeaderBytesMax;
        // A slow reader would take its whole connection down, with every other call on it.
        kestrel.Limits.MinResponseDataRate = null;
        // The runtime bounds how long a message takes to arrive, without two locks for each call.
        kestrel.Limits.MinRequestBodyDataRate = null;
        kestrel.Limits.MaxRequestBodySize = null;
        kestrel.Limits.MaxConcurrentConnections = ConnectionsMax;
        // Whoever begins a request, or a header block, and does not go on is cut.
        kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(10);
        kestrel.Limits.Http2.MaxRequestHeaderFieldSize = HeaderBytesMax;
        kestrel.Limits.Http2.MaxStreamsPerConnection = StreamsPerConnectionMax;
        // Off by default, which keeps dead subscribers until TCP gives up.
        kestrel.Limits.Http2.KeepAlivePingDelay = TimeSpan.FromSeconds(30);
        kestrel.Limits.Http2.KeepAlivePingTimeout = TimeSpan.FromSeconds(20);
        // Metadata may hold any byte; what it may not mean is seen when it is read, not by cutting the connection.
        kestrel.RequestHeaderEncodingSelector = _ => Encoding.Latin1;
    }

    /// <summary>Serves HTTP/1.1, and HTTP/2 with prior knowledge, on one clear-text port; 0: a free one.</summary>
    public static void ListenClearText(this KestrelServerOptions kestrel, IPEndPoint address)
    {
        ArgumentNullException.ThrowIfNull(kestrel);
        ArgumentNullException.ThrowIfNull(address);
        var port = new ClearTextPort(address);
        kestrel.Listen(new ClearTextEndPoint(port, isHttp2: false), listen =>
        {
            listen.Protocols = HttpProtocols.Http1;
            listen.UseConnectionAges();
        });
        kestrel.Listen(new ClearTextEndPoint(port, isHttp2: true), listen =>
        {
            listen.Protocols = HttpProtocols.Http2;
            BlockPool.UseAt(listen);
            listen.UseConnectionAges();
        });
    }

    /// <summary>Serves HTTP/1.1 and HTTP/2 over TLS 1.2 and 1.3.</summary>
    public static void ListenTls(this KestrelServerOptions kestrel, IPEndPoint address, X509Certificate2 certificate)
    {
        ArgumentNullException.ThrowIfNull(kestrel);
        kestrel.Listen(address, listen =>
        {
            listen.Protocols = HttpProtocols.Http1AndHttp2;
            BlockPool.UseAt(listen);
            listen.UseConnectionAges();
            listen.UseHttps(certificate, https => https.SslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13);
            listen.UseConnectionStart();
        });
    }

    /// <summary>The addresses that are bound, with their ports, once the application has started.</summary>
    public static IReadOnlyList<Uri> ListeningAddresses(this IServiceProvider services) =>
        [.. services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()?.Addresses
            .Distinct().Select(address => new Uri(address)) ?? []];
}
