using Grpc.AspNetCore.Server;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Squall.Rpc;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers the RPC runtime.</summary>
public static class GrpcServicesExtensions
{
    /// <summary>Registers what <c>MapGrpcService</c> and <c>ListenClearText</c> need.</summary>
    public static IGrpcServerBuilder AddGrpc(this IServiceCollection services)
    {
        ArgumentNullException.ThrowIfNull(services);
        services.AddRouting();
        services.AddOptions<GrpcServiceOptions>();
        services.AddOptions<RpcServerOptions>();
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton(new Lifetimes(services));
        services.TryAddSingleton<HealthStatus>();
        services.TryAddSingleton<Drain>();
        services.TryAddSingleton<ServiceCatalog>();
        services.TryAddSingleton<GrpcWebPolicy>();
        services.TryAddSingleton<RpcServer>();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IStartupFilter, RpcRouting>());
        // Kestrel adds its own only where there is none, and asks the last one first.
        services.TryAddSingleton<IConnectionListenerFactory, SocketTransportFactory>();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IConnectionListenerFactory, ClearTextTransport>());
        return new GrpcServerBuilder(services);
    }

    /// <summary>Registers the runtime, with options for all services.</summary>
    public static IGrpcServerBuilder AddGrpc(
        this IServiceCollection services, Action<GrpcServiceOptions> configureOptions)
    {
        ArgumentNullException.ThrowIfNull(services);
        services.Configure(configureOptions);
        return services.AddGrpc();
    }

    /// <summary>Sets options for one service, over those for all.</summary>
    public static IGrpcServerBuilder AddServiceOptions<TService>(
        this IGrpcServerBuilder grpcBuilder, Action<GrpcServiceOptions<TService>> configure)
        where TService : class
    {
        ArgumentNullException.ThrowIfNull(grpcBuilder);
        grpcBuilder.Services.Configure(configure);
        return grpcBuilder;
    }

    private sealed class GrpcServerBuilder(IServiceCollection services) : IGrpcServerBuilder
    {
        public IServiceCollection Services { get; } = services;
    }
}
