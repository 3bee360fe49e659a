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
    ILogger<RpcServer> log,
    IHttpContextAccessor? accessor = null)
{
    private readonly CallPolicy policyForUnknown =
        CallPolicy.Of(shared.Value, null, options.Value) with { Interceptors = [] };

    private readonly Cors cors = new(options.Value.CorsOrigins);

    // Whether anybody but the call's own handler may look for the call in its request.
    private readonly bool isSeen = accessor is not null || !options.Value.SkipsMiddleware;

    public RpcServerOptions Options { get; } = options.Value;

    public TimeProvider Time => time;

    public ILogger Log => log;

    /// Serves every call of every protocol: (1) resolve the method, (2) start the response, (3) bound the time,
    /// (4) run the handler, (5) say how it ended.
    public Task ServeAsync(HttpContext http, RpcMethod? mapped)
    {
        if (cors.Answers(http))
        {
            return Task.CompletedTask;
        }

        // (1) Routing compares without regard to case: only the canonical spelling is a method.
        RpcMethod method = mapped is not null && IsCanonical(http, mapped.Definition.FullName)
            ? mapped
            : new UnknownMethod(http.Request.Path.Value ?? "", policyForUnknown);
        RpcProtocol? protocol = RpcProtocol.For(http, method, catalog);
        if (protocol is null || protocol is GrpcWebProtocol && !web.Allows(http))
        {
            return HttpRefusal.WriteAsync(http, method);
        }

        var call = new ServerCall(http, method, protocol, this);
        if (isSeen)
        {
            call.Show();
        }

        ServedCall? told = ServedCall.Start(http, method, protocol, time);
        ValueTask<object?> running;
        try
        {
            TimeSpan? timeout = protocol.Open(); // (2)
            call.Bound(timeout ?? (method.IsStreaming ? null : Options.UnaryDeadlineDefault),
                isDefault: timeout is null); // (3)
            if (method.IsStreaming)
            {
                PrepareStream(http, call);
            }

            running = method.RunAsync(call); // (4)
        }
        catch (Exception exception)
        {
            return EndAsync(call, told, Faults.EndOf(exception, call, log), null);
        }

        return running.IsCompletedSuccessfully
            ? EndAsync(call, told, new CallEnd(call.Status, null), running.Result)
            : WaitAsync(call, told, running);
    }

    private async Task WaitAsync(ServerCall call, ServedCall? told, ValueTask<object?> running)
    {
        CallEnd end;
        object? response = null;
        try
        {
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

        await EndAsync(call, told, end, response);
    }

    /// Most calls end without a wait, and cost no state machine.
    private static Task EndAsync(ServerCall call, ServedCall? told, CallEnd end, object? response)
    {
        ValueTask<StatusCode> ending;
        try
        {
            ending = call.EndAsync(end, response); // (5)
        }
        catch (Exception exception)
        {
            ending = ValueTask.FromException<StatusCode>(exception);
        }

        if (!ending.IsCompletedSuccessfully)
        {
            return WaitForEndAsync(call, told, ending);
        }

        Over(call, told, ending.Result);
        return Task.CompletedTask;
    }

    private static async Task WaitForEndAsync(ServerCall call, ServedCall? told, ValueTask<StatusCode> ending)
    {
        try
        {
            Over(call, told, await ending);
        }
        catch
        {
            call.Dispose();
            throw;
        }
    }

    private static void Over(ServerCall call, ServedCall? told, StatusCode code)
    {
        call.Protocol.Release();
        told?.End(code);
        call.Dispose();
    }

    private void PrepareStream(HttpContext http, ServerCall call)
    {
        LiftBodyLimits(http);
        drain.Watch(call);
        if (call.CancelledBy is not null)
        {
            throw new OperationCanceledException();
        }
    }

    private static bool IsCanonical(HttpContext http, string path)
    {
        // An escaped or dotted spelling arrives decoded; what was really asked for stands in the raw target.
        string raw = ((IHttpRequestFeature?)http.Features[typeof(IHttpRequestFeature)])?.RawTarget ?? path;
        if (string.Equals(raw, path, StringComparison.Ordinal))
        {
            return true;
        }

        if (!string.Equals(http.Request.Path.Value, path, StringComparison.Ordinal))
        {
            return false;
        }

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
