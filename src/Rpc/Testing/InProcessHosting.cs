using Grpc.Net.Client;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace Squall.Rpc.Testing;

/// <summary>
/// Serves an application within the process, without a socket: Kestrel itself, its pipeline and HTTP/2 are all there,
/// and only the network is not.
/// </summary>
public static class InProcessHosting
{
    // Nobody looks it up; certificates and ports have no part in it.
    private static readonly Uri Address = new("http://in-process");

    /// <summary>Lets the application be called within the process; it needs no port beside.</summary>
    public static IWebHostBuilder ListenInProcess(this IWebHostBuilder host)
    {
        ArgumentNullException.ThrowIfNull(host);
        host.UseKestrelCore();
        host.ConfigureServices(services =>
        {
            services.AddSingleton<InProcessTransport>();
            services.AddSingleton<IConnectionListenerFactory>(
                provider => provider.GetRequiredService<InProcessTransport>());
        });
        return host.ConfigureKestrel(kestrel => kestrel.Listen(
            InProcessEndPoint.Instance, listen => listen.Protocols = HttpProtocols.Http2));
    }

    /// <summary>
    /// A channel to the application, once it has started. Dispose of it; the application may go before or after.
    /// </summary>
    /// <param name="services">The application's services, <c>app.Services</c>.</param>
    /// <param name="options">As for any channel, without a handler of their own.</param>
    /// <exception cref="InvalidOperationException">The application does not listen within the process.</exception>
    public static GrpcChannel CreateInProcessChannel(
        this IServiceProvider services, GrpcChannelOptions? options = null)
    {
        options ??= new GrpcChannelOptions();
        options.HttpHandler = services.CreateInProcessHandler();
        options.DisposeHttpClient = true;
        return GrpcChannel.ForAddress(Address, options);
    }

    /// <summary>What an HttpClient sends through to the application: HTTP/2, whatever the address.</summary>
    /// <exception cref="InvalidOperationException">The application does not listen within the process.</exception>
    public static SocketsHttpHandler CreateInProcessHandler(this IServiceProvider services)
    {
        InProcessTransport transport = services.GetService<InProcessTransport>() ?? throw new InvalidOperationException(
            $"The application does not listen within the process: call {nameof(ListenInProcess)} on its WebHost.");
        return new SocketsHttpHandler
        {
            ConnectCallback = (_, _) => new(transport.Connect()),
            EnableMultipleHttp2Connections = true,
            UseProxy = false,
        };
    }
}
