using Grpc.AspNetCore.Server;
using Grpc.Core;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Squall.Rpc;

/// Serves calls.
internal sealed class RpcServer(
    ServiceCatalog catalog,
    GrpcWebPolicy web,
    Drain drain,
    TimeProvider time,
    IOptions<RpcServerOptions> options,
    IOptions<GrpcServiceOptions> shared,
    ILogger<RpcServer> log)
{
    private readonly CallPolicy policyForUnknown =
        CallPolicy.Of(shared.Value, null, options.Value) with { Interceptors = [] };

    private readonly Cors cors = new(options.Value.CorsOrigins);

    /// Serves every call of every protocol: (1) resolve the method, (2) start the response, (3) bound the time,
    /// (4) run the handler, (5) say how it ended.
    public async Task ServeAsync(HttpContext http, RpcMethod? mapped)
    {
        if (cors.Answers(http))
        {
            return;
        }

        // (1) Routing compares without regard to case: only the canonical spelling is a method.
        RpcMethod method = mapped is not null && IsCanonical(http, mapped.Definition.FullName)
            ? mapped
            : new UnknownMethod(http.Request.Path.Value ?? "", policyForUnknown);
        RpcProtocol? protocol = RpcProtocol.For(http, method, catalog);
        if (protocol is null || protocol is GrpcWebProtocol && !web.Allows(http))
        {
            await HttpRefusal.WriteAsync(http, method);
            return;
        }

        using var call = new ServerCall(http, method, protocol, options.Value, time, log);
        http.Features[typeof(IServerCallContextFeature)] = call;
        ServedCall? told = ServedCall.Start(http, method, protocol, time);
        CallEnd end;
        object? response = null;
        try
        {
            protocol.Open(); // (2)
            call.Bound(protocol.Timeout ?? (method.IsStreaming ? null : options.Value.UnaryDeadlineDefault),
                isDefault: protocol.Timeout is null); // (3)
            if (method.IsStreaming)
            {
                LiftBodyLimits(http);
                drain.Watch(call);
                if (call.CancelledBy is not null)
                {
                    throw new OperationCanceledException();
                }
            }

            ValueTask<object?> running = method.RunAsync(call); // (4)
            if (!running.IsCompleted)
            {
                call.WaitForDeadline();
            }

            response = await running;
            end = new CallEnd(call.Status, null);
        }
        catch (Exception exception)
        {
            end = Faults.EndOf(exception, call, log);
        }

        StatusCode code = await call.EndAsync(end, response); // (5)
        protocol.Release();
        told?.End(code);
    }

    private static bool IsCanonical(HttpContext http, string path)
    {
        if (!string.Equals(http.Request.Path.Value, path, StringComparison.Ordinal))
        {
            return false;
        }

        // An escaped or dotted spelling arrives decoded; what was really asked for stands in the raw target.
        string raw = ((IHttpRequestFeature?)http.Features[typeof(IHttpRequestFeature)])?.RawTarget ?? path;
        ReadOnlySpan<char> asked = raw.AsSpan(0, raw.IndexOf('?') is >= 0 and int query ? query : raw.Length);
        if (!asked.StartsWith("/") && asked.IndexOf("://") is >= 0 and int scheme)
        {
            // As proxies are asked: the host stands before the path.
            asked = asked[(scheme + 3)..];
            asked = asked[Math.Max(asked.IndexOf('/'), 0)..];
        }

        return asked.IsEmpty || asked.Length == path.Length + http.Request.PathBase.Value?.Length
            && asked.EndsWith(path, StringComparison.Ordinal);
    }

    /// A stream may be silent for as long as it likes, and its messages are bounded one by one.
    private static void LiftBodyLimits(HttpContext http)
    {
        if (http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
        {
            size.MaxRequestBodySize = null;
        }

        if (http.Features.Get<Microsoft.AspNetCore.Server.Kestrel.Core.Features.IHttpMinRequestBodyDataRateFeature>()
            is { } rate)
        {
            rate.MinDataRate = null;
        }
    }
}
