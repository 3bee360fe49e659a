using Grpc.AspNetCore.ClientFactory;
using Grpc.AspNetCore.Server;
using Grpc.Core;
using Grpc.Net.ClientFactory;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Grpc.AspNetCore.ClientFactory
{
    /// <summary>What to do where no call is being served.</summary>
    public class GrpcContextPropagationOptions
    {
        /// <summary>Whether a client may be used outside a call that is served; it throws otherwise.</summary>
        public bool SuppressContextNotFoundErrors { get; set; }
    }

    /// Hands deadline and cancellation of the call that is being served on to the calls that its handler makes.
    internal sealed class ContextPropagationInterceptor(
        GrpcContextPropagationOptions options, IHttpContextAccessor accessor) : OptionsInterceptor
    {
        protected override CallOptions Change(CallOptions callOptions)
        {
            ServerCallContext? served =
                accessor.HttpContext?.Features.Get<IServerCallContextFeature>()?.ServerCallContext;
            if (served is not null)
            {
                return callOptions.WithPropagationToken(served.CreatePropagationToken());
            }

            return options.SuppressContextNotFoundErrors ? callOptions : throw new InvalidOperationException(
                "There is no gRPC call being served whose deadline and cancellation this call could take over.");
        }
    }
}

namespace Microsoft.Extensions.DependencyInjection
{
    /// <summary>Clients that are used while a call is served.</summary>
    public static class GrpcServerHttpClientBuilderExtensions
    {
        /// <summary>Hands the served call's deadline and cancellation on to the client's calls.</summary>
        public static IHttpClientBuilder EnableCallContextPropagation(this IHttpClientBuilder builder) =>
            builder.EnableCallContextPropagation(_ => { });

        /// <summary>The same with options.</summary>
        public static IHttpClientBuilder EnableCallContextPropagation(
            this IHttpClientBuilder builder, Action<GrpcContextPropagationOptions> configureOptions)
        {
            ArgumentNullException.ThrowIfNull(builder);
            builder.Services.AddHttpContextAccessor();
            builder.Services.AddOptions<GrpcContextPropagationOptions>(builder.Name).Configure(configureOptions);
            return builder.AddInterceptor(InterceptorScope.Channel, services => new ContextPropagationInterceptor(
                services.GetRequiredService<IOptionsMonitor<GrpcContextPropagationOptions>>().Get(builder.Name),
                services.GetRequiredService<IHttpContextAccessor>()));
        }
    }
}
