using System.Diagnostics;
using System.Diagnostics.Metrics;
using Grpc.Core;
using Microsoft.AspNetCore.Http;

namespace Squall.Rpc;

/// <summary>What a server tells of its calls, in OpenTelemetry's words for RPCs.</summary>
public static class RpcServerTelemetry
{
    /// <summary>The name of the activity source and of the meter.</summary>
    public const string Name = "Squall.Rpc.Server";

    internal static readonly ActivitySource Source = new(Name);

    private static readonly Meter Meter = new(Name);

    internal static readonly Histogram<double> Duration = Meter.CreateHistogram<double>(
        "rpc.server.duration", "ms", "How long calls took to serve.");
}

/// One served call's activity and what is measured of it; made only where somebody listens.
internal sealed class ServedCall
{
    private readonly RpcProtocol protocol;
    private readonly TagList tags;
    private readonly TimeProvider time;
    private readonly long started;
    private readonly Activity? activity;

    private ServedCall(HttpContext http, RpcMethod method, RpcProtocol protocol, TimeProvider time)
    {
        (this.protocol, this.time) = (protocol, time);
        // A path that is no method is the caller's own text, of which there is no end.
        tags = new TagList
        {
            { "rpc.system", protocol.SystemName },
            { "rpc.service", method.Definition.ServiceName },
            { "rpc.method", method.Definition.Name },
        };
        // ASP.NET's own activity, where it is kept, has read the caller's context; else it is read here.
        ActivityContext parent = Activity.Current?.Context ?? default;
        if (parent == default)
        {
            ActivityContext.TryParse(
                http.Request.Headers.TraceParent, http.Request.Headers.TraceState, isRemote: true, out parent);
        }

        activity = RpcServerTelemetry.Source.StartActivity(
            method is UnknownMethod ? "unknown method" : method.Definition.FullName[1..],
            ActivityKind.Server,
            parent,
            tags!);
        started = time.GetTimestamp();
    }

    /// Null if nobody listens.
    public static ServedCall? Start(HttpContext http, RpcMethod method, RpcProtocol protocol, TimeProvider time) =>
        RpcServerTelemetry.Source.HasListeners() || RpcServerTelemetry.Duration.Enabled
            ? new ServedCall(http, method, protocol, time)
            : null;

    /// A call that was cancelled is no error, nor is one that its caller got wrong.
    public void End(StatusCode code)
    {
        KeyValuePair<string, object?>? outcome = protocol.SystemName == RpcProtocol.GrpcSystem
            ? new("rpc.grpc.status_code", (int)code)
            : code == StatusCode.OK ? null : new("rpc.connect_rpc.error_code", ConnectCode.Name(code));
        TagList measured = tags;
        if (outcome is { } tag)
        {
            measured.Add(tag);
            activity?.SetTag(tag.Key, tag.Value);
        }

        RpcServerTelemetry.Duration.Record(time.GetElapsedTime(started).TotalMilliseconds, measured);
        if (code is StatusCode.Unknown or StatusCode.DeadlineExceeded or StatusCode.Unimplemented
            or StatusCode.Internal or StatusCode.Unavailable or StatusCode.DataLoss)
        {
            activity?.SetStatus(ActivityStatusCode.Error, code.ToString());
        }

        activity?.Dispose();
    }
}
