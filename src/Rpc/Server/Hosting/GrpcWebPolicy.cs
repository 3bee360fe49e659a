using Grpc.AspNetCore.Web;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Squall.Rpc;

namespace Squall.Rpc
{
    /// Which methods may be called by gRPC-Web: all, until an application says that it decides.
    internal sealed class GrpcWebPolicy
    {
        public bool DefaultEnabled { get; set; } = true;

        public bool Allows(HttpContext http) =>
            http.GetEndpoint()?.Metadata.GetMetadata<IGrpcWebEnabledMetadata>()?.GrpcWebEnabled ?? DefaultEnabled;
    }
}

namespace Grpc.AspNetCore.Web
{
    /// <summary>Says whether an endpoint may be called by gRPC-Web.</summary>
    public interface IGrpcWebEnabledMetadata
    {
        /// <summary>Whether it may.</summary>
        bool GrpcWebEnabled { get; }
    }

    /// <summary>Lets a service or a method be called by gRPC-Web.</summary>
    [AttributeUsage(AttributeTargets.Class | AttributeTargets.Method)]
    public sealed class EnableGrpcWebAttribute : Attribute, IGrpcWebEnabledMetadata
    {
        /// <summary>True.</summary>
        public bool GrpcWebEnabled => true;
    }

    /// <summary>Keeps a service or a method from being called by gRPC-Web.</summary>
    [AttributeUsage(AttributeTargets.Class | AttributeTargets.Method)]
    public sealed class DisableGrpcWebAttribute : Attribute, IGrpcWebEnabledMetadata
    {
        /// <summary>False.</summary>
        public bool GrpcWebEnabled => false;
    }
}

namespace Microsoft.AspNetCore.Builder
{
    /// <summary>What holds for gRPC-Web.</summary>
    public class GrpcWebOptions
    {
        /// <summary>Whether what says nothing itself may be called by gRPC-Web; no, unless set.</summary>
        public bool DefaultEnabled { get; set; }
    }

    /// <summary>Decides what may be called by gRPC-Web; without it, everything may.</summary>
    public static class GrpcWebApplicationBuilderExtensions
    {
        /// <summary>Leaves gRPC-Web to what says that it is enabled.</summary>
        public static IApplicationBuilder UseGrpcWeb(this IApplicationBuilder builder) =>
            builder.UseGrpcWeb(new GrpcWebOptions());

        /// <summary>Lets everything that says nothing itself be called by gRPC-Web, or nothing.</summary>
        public static IApplicationBuilder UseGrpcWeb(this IApplicationBuilder builder, GrpcWebOptions options)
        {
            ArgumentNullException.ThrowIfNull(builder);
            ArgumentNullException.ThrowIfNull(options);
            builder.ApplicationServices.GetRequiredService<GrpcWebPolicy>().DefaultEnabled = options.DefaultEnabled;
            return builder;
        }
    }

    /// <summary>Says of endpoints whether they may be called by gRPC-Web.</summary>
    public static class GrpcWebEndpointConventionBuilderExtensions
    {
        /// <summary>They may.</summary>
        public static TBuilder EnableGrpcWeb<TBuilder>(this TBuilder builder)
            where TBuilder : IEndpointConventionBuilder =>
            builder.WithMetadata(new EnableGrpcWebAttribute());

        /// <summary>They may not.</summary>
        public static TBuilder DisableGrpcWeb<TBuilder>(this TBuilder builder)
            where TBuilder : IEndpointConventionBuilder =>
            builder.WithMetadata(new DisableGrpcWebAttribute());
    }
}
