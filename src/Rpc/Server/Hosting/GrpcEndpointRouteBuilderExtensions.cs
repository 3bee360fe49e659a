using System.Diagnostics.CodeAnalysis;
using Grpc.AspNetCore.Server;
using Grpc.AspNetCore.Server.Model;
using Grpc.Core;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Patterns;
using Microsoft.Extensions.DependencyInjection;
using Squall.Rpc;

namespace Microsoft.AspNetCore.Builder;

/// <summary>Maps services to their paths.</summary>
public static class GrpcEndpointRouteBuilderExtensions
{
    private const DynamicallyAccessedMemberTypes Members =
        DynamicallyAccessedMemberTypes.PublicConstructors | DynamicallyAccessedMemberTypes.PublicMethods
        | DynamicallyAccessedMemberTypes.NonPublicMethods;

    /// <summary>Serves each method of the service at its path, in every protocol that the runtime knows.</summary>
    public static GrpcServiceEndpointConventionBuilder MapGrpcService<[DynamicallyAccessedMembers(Members)] TService>(
        this IEndpointRouteBuilder builder)
        where TService : class
    {
        ArgumentNullException.ThrowIfNull(builder);
        return Map(builder, Catalog(builder).Add<TService>(builder.ServiceProvider));
    }

    /// <summary>Serves each method of a definition at its path.</summary>
    public static GrpcServiceEndpointConventionBuilder MapGrpcService(
        this IEndpointRouteBuilder builder, ServerServiceDefinition serviceDefinition)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(serviceDefinition);
        return Map(builder, Catalog(builder).Add(serviceDefinition, builder.ServiceProvider));
    }

    /// <summary>Serves each method of a definition that is made of the application's services, once.</summary>
    public static GrpcServiceEndpointConventionBuilder MapGrpcService(
        this IEndpointRouteBuilder builder, Func<IServiceProvider, ServerServiceDefinition> mapDefinition)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(mapDefinition);
        return builder.MapGrpcService(mapDefinition(builder.ServiceProvider));
    }

    private static ServiceCatalog Catalog(IEndpointRouteBuilder builder) =>
        builder.ServiceProvider.GetService<ServiceCatalog>() ?? throw new InvalidOperationException(
            "The RPC runtime is not registered: call services.AddGrpc() first.");

    private static GrpcServiceEndpointConventionBuilder Map<TService>(
        IEndpointRouteBuilder builder, ServiceMethodProviderContext<TService> methods)
        where TService : class
    {
        RpcServer server = builder.ServiceProvider.GetRequiredService<RpcServer>();
        IEnumerable<RequestMethod> served = methods.Methods.Select(method => new RequestMethod(
            method.Definition, RoutePatternFactory.Parse(method.Definition.FullName), method.Metadata,
            http => server.ServeAsync(http, method)));
        var conventions = new List<IEndpointConventionBuilder>();
        foreach (RequestMethod method in served.Concat(methods.RequestMethods))
        {
            IEndpointConventionBuilder endpoint = builder.Map(method.Pattern, method.Invoker);
            endpoint.WithDisplayName("gRPC - " + method.Definition.FullName);
            endpoint.WithMetadata([.. method.Metadata, new GrpcMethodMetadata(typeof(TService), method.Definition)]);
            conventions.Add(endpoint);
        }

        return new GrpcServiceEndpointConventionBuilder(conventions);
    }
}

/// <summary>Adds conventions, such as a policy, to every method of a service.</summary>
public sealed class GrpcServiceEndpointConventionBuilder : IEndpointConventionBuilder
{
    private readonly IReadOnlyList<IEndpointConventionBuilder> endpoints;

    internal GrpcServiceEndpointConventionBuilder(IReadOnlyList<IEndpointConventionBuilder> endpoints) =>
        this.endpoints = endpoints;

    /// <inheritdoc/>
    public void Add(Action<EndpointBuilder> convention)
    {
        foreach (IEndpointConventionBuilder endpoint in endpoints)
        {
            endpoint.Add(convention);
        }
    }

    /// <inheritdoc/>
    public void Finally(Action<EndpointBuilder> finallyConvention)
    {
        foreach (IEndpointConventionBuilder endpoint in endpoints)
        {
            endpoint.Finally(finallyConvention);
        }
    }
}
