using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Squall.Rpc;

namespace Microsoft.Extensions.DependencyInjection
{
    /// <summary>Registers reflection.</summary>
    public static class GrpcReflectionServiceExtensions
    {
        /// <summary>Registers what <c>MapGrpcReflectionService</c> serves.</summary>
        public static IServiceCollection AddGrpcReflection(this IServiceCollection services)
        {
            services.TryAddSingleton<ReflectionIndex>();
            return services;
        }
    }
}

namespace Microsoft.AspNetCore.Builder
{
    /// <summary>Maps reflection.</summary>
    public static class GrpcReflectionEndpointRouteBuilderExtensions
    {
        /// <summary>Serves grpc.reflection.v1 and v1alpha.</summary>
        public static IEndpointConventionBuilder MapGrpcReflectionService(this IEndpointRouteBuilder builder) =>
            new GrpcServiceEndpointConventionBuilder(
            [
                builder.MapGrpcService<ReflectionRpcs>(), builder.MapGrpcService<ReflectionAlphaRpcs>(),
            ]);
    }

    /// <summary>Maps health.</summary>
    public static class GrpcHealthChecksEndpointRouteBuilderExtensions
    {
        /// <summary>Serves grpc.health.v1 over <see cref="HealthStatus"/>, and what health checks find.</summary>
        public static GrpcServiceEndpointConventionBuilder MapGrpcHealthChecksService(
            this IEndpointRouteBuilder builder) =>
            builder.MapGrpcService<HealthRpcs>();
    }
}
