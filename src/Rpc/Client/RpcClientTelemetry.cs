using System.Diagnostics;
using System.Diagnostics.Metrics;
using Grpc.Core;
using Grpc.Net.Client;

namespace Squall.Rpc;

/// <summary>What channels tell of their calls, in OpenTelemetry's words for RPCs.</summary>
public static class RpcClientTelemetry
{
    /// <summary>The name of the activity source and of the meter.</summary>
    public const string Name = "Squall.Rpc.Client";

    internal static readonly ActivitySource Source = new(Name);

    private static readonly Meter Meter = new(Name);

    internal static readonly Histogram<double> Duration = Meter.CreateHistogram<double>(
        "rpc.client.duration", "ms", "How long calls took, with all their attempts.");

    internal static readonly Counter<long> Retries = Meter.CreateCounter<long>(
        "rpc.client.retries", "{attempt}", "Attempts after the first.");
}

/// One call's activity and what is measured of it.
internal sealed class CallActivity
{
    private readonly Activity? activity;
    private readonly TagList tags;
    private readonly TimeProvider time;
    private readonly long started;
    private readonly bool isConnect;

    private CallActivity(GrpcChannel channel, IMethod method)
    {
        isConnect = channel.Options.Protocol is ConnectProtocol;
        tags = new TagList
        {
            { "rpc.system", channel.Options.Protocol.Name },
            { "rpc.service", method.ServiceName },
            { "rpc.method", method.Name },
            { "server.address", channel.Address.Host },
            { "server.port", channel.Address.Port },
        };
        activity = RpcClientTelemetry.Source.StartActivity(
            method.FullName[1..], ActivityKind.Client, default(ActivityContext), tags!);
        time = channel.Options.Time;
        started = time.GetTimestamp();
    }

    /// Starts the activity as the current one; null if nobody listens.
    public static CallActivity? Start(GrpcChannel channel, IMethod method) =>
        RpcClientTelemetry.Source.HasListeners() || RpcClientTelemetry.Duration.Enabled
            ? new CallActivity(channel, method) : null;

    /// Tells the server which activity its own belongs to: the call's, not one of HTTP's that may not be kept.
    public void Inject(HttpRequestMessage request) => DistributedContextPropagator.Current.Inject(
        activity,
        request,
        static (carrier, name, value) => ((HttpRequestMessage)carrier!).Headers.TryAddWithoutValidation(name, value));

    public void Retried(StatusCode code)
    {
        activity?.AddEvent(new ActivityEvent("retry", tags: new() { { "rpc.grpc.status_code", (int)code } }));
        RpcClientTelemetry.Retries.Add(1, tags);
    }

    /// Ends it, in whatever context. A call that was cancelled is no error.
    public void End(Status status)
    {
        KeyValuePair<string, object?>? outcome = !isConnect ? new("rpc.grpc.status_code", (int)status.StatusCode)
            : status.StatusCode == StatusCode.OK ? null
            : new("rpc.connect_rpc.error_code", ConnectCode.Name(status.StatusCode));
        TagList measured = tags;
        if (outcome is { } tag)
        {
            measured.Add(tag);
            activity?.SetTag(tag.Key, tag.Value);
        }

        RpcClientTelemetry.Duration.Record(time.GetElapsedTime(started).TotalMilliseconds, measured);
        if (activity is null)
        {
            return;
        }

        if (status.StatusCode is not (StatusCode.OK or StatusCode.Cancelled))
        {
            activity.SetStatus(ActivityStatusCode.Error, status.StatusCode.ToString());
        }

        // Stopping makes the activity's parent the current one, even if the caller has gone on to another.
        Activity? current = Activity.Current;
        activity.Stop();
        Activity.Current = current == activity ? activity.Parent : current;
    }
}
