using System.Collections.Frozen;
using Grpc.AspNetCore.Server;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Cors.Infrastructure;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Primitives;

namespace Squall.Rpc;

/// Finds a call's endpoint by its path alone, ahead of the pipeline: routing, which takes an endpoint that is found for
/// granted, would cost more than the rest of the call. What nobody answers and is a call by its content is told so in
/// its caller's protocol, not with an empty 404.
internal sealed class RpcRouting : IStartupFilter
{
    private FrozenDictionary<string, Route>? byPath;

    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
    {
        EndpointDataSource endpoints = app.ApplicationServices.GetRequiredService<EndpointDataSource>();
        RpcServer server = app.ApplicationServices.GetRequiredService<RpcServer>();
        ChangeToken.OnChange(endpoints.GetChangeToken, () => byPath = null);
        ServiceCatalog catalog = app.ApplicationServices.GetRequiredService<ServiceCatalog>();
        bool skips = app.ApplicationServices.GetRequiredService<IOptions<RpcServerOptions>>().Value.SkipsMiddleware;
        app.Use(rest => http =>
        {
            FrozenDictionary<string, Route> known = byPath ??= ByPath(endpoints, skips);
            if (http.Request.Path.Value is { } path && known.TryGetValue(path, out Route? route))
            {
                Name(http, route.Endpoint);
                return (route.Direct ?? rest)(http);
            }

            return RpcProtocol.Speaks(http.Request) && !catalog.Ignores(http.Request.Path.Value ?? "")
                ? ServeUnknownAsync(rest, http, server)
                : rest(http);
        });
        next(app);
    };

    /// As SetEndpoint does, whose generic way to the feature takes as long as a handler. Kestrel's requests have it: a
    /// feature that is set besides costs more, and what was looked up before is looked up again.
    private static void Name(HttpContext http, Endpoint endpoint)
    {
        if (http.Features[typeof(IEndpointFeature)] is IEndpointFeature feature)
        {
            feature.Endpoint = endpoint;
        }
        else
        {
            http.SetEndpoint(endpoint);
        }
    }

    private static async Task ServeUnknownAsync(RequestDelegate rest, HttpContext http, RpcServer server)
    {
        await rest(http);
        if (http.Response is { StatusCode: StatusCodes.Status404NotFound, HasStarted: false }
            && http.GetEndpoint() is null)
        {
            http.Response.StatusCode = StatusCodes.Status200OK;
            await server.ServeAsync(http, null);
        }
    }

    /// Those that depend on nothing but the path.
    private static FrozenDictionary<string, Route> ByPath(EndpointDataSource endpoints, bool skips)
    {
        var byPath = new Dictionary<string, Route>(StringComparer.Ordinal);
        foreach (RouteEndpoint endpoint in endpoints.Endpoints.OfType<RouteEndpoint>())
        {
            if (endpoint.RoutePattern is { Parameters.Count: 0, RawText: { } path }
                && endpoint.Metadata.GetMetadata<GrpcMethodMetadata>() is not null
                && endpoint.Metadata.GetMetadata<IHostMetadata>() is null)
            {
                byPath[path] = new(endpoint, skips && !NeedsMiddleware(endpoint) ? endpoint.RequestDelegate : null);
            }
        }

        return byPath.ToFrozenDictionary(StringComparer.Ordinal);
    }

    private static bool NeedsMiddleware(RouteEndpoint endpoint) =>
        endpoint.Metadata.GetMetadata<IAuthorizeData>() is not null
        || endpoint.Metadata.GetMetadata<IAllowAnonymous>() is not null
        || endpoint.Metadata.GetMetadata<ICorsMetadata>() is not null;

    /// <param name="Direct">What serves it, where nothing has to come before; null: the pipeline comes first.</param>
    private sealed record Route(Endpoint Endpoint, RequestDelegate? Direct);
}
