using Grpc.AspNetCore.Server;
using Grpc.Core;
using Microsoft.AspNetCore.Http;
using Squall.Rpc;

namespace Grpc.AspNetCore.Server
{
    /// <summary>Which method of which service an endpoint serves.</summary>
    public sealed class GrpcMethodMetadata(Type serviceType, IMethod method)
    {
        /// <summary>The class that serves it.</summary>
        public Type ServiceType { get; } = serviceType;

        /// <summary>The method.</summary>
        public IMethod Method { get; } = method;
    }

    /// <summary>The call that a request carries, for whoever has only the request.</summary>
    public interface IServerCallContextFeature
    {
        /// <summary>The call.</summary>
        ServerCallContext ServerCallContext { get; }
    }
}

namespace Grpc.Core
{
    /// <summary>Leads from a call to the request that carries it.</summary>
    public static class ServerCallContextExtensions
    {
        internal const string HttpContextKey = "__HttpContext";

        /// <summary>The HTTP request of the call.</summary>
        public static HttpContext GetHttpContext(this ServerCallContext serverCallContext)
        {
            ArgumentNullException.ThrowIfNull(serverCallContext);
            if (serverCallContext is ServerCall call)
            {
                call.Show();
                return call.Http;
            }

            return serverCallContext.UserState.TryGetValue(HttpContextKey, out object? http)
                && http is HttpContext found
                ? found
                : throw new InvalidOperationException("This call does not come over HTTP.");
        }
    }
}
