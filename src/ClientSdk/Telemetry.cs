using System.Diagnostics;
using System.Diagnostics.Metrics;
using Grpc.Core;

namespace Squall.Client;

/// <summary>What the SDK tells of itself, as activities and metrics named Squall.Client.</summary>
public static class Telemetry
{
    /// <summary>The name of the activity source and of the meter.</summary>
    public const string Name = "Squall.Client";

    private static readonly ActivitySource Source = new(Name);
    private static readonly Meter Meter = new(Name);

    private static readonly Histogram<double> Duration = Meter.CreateHistogram<double>(
        "rpc.client.duration", "s", "How long calls took, with their retries.");

    private static readonly Counter<long> RetryCount = Meter.CreateCounter<long>(
        "squall.client.retries", "{attempt}", "Attempts after the first.");

    private static readonly Counter<long> RenewalCount = Meter.CreateCounter<long>(
        "squall.client.renewals", "{renewal}", "Renewals of the session's tokens.");

    private static readonly Counter<long> ReconnectionCount = Meter.CreateCounter<long>(
        "squall.client.reconnections", "{reconnection}", "Times that a subscription lost its stream.");

    private static readonly Counter<long> HandlerFailureCount = Meter.CreateCounter<long>(
        "squall.client.handler_failures", "{failure}", "Exceptions that handlers of live views threw.");

    internal static Activity? Start(IMethod method)
    {
        var activity = Source.StartActivity($"{method.ServiceName}/{method.Name}", ActivityKind.Client);
        activity?.SetTag("rpc.system", "grpc");
        activity?.SetTag("rpc.service", method.ServiceName);
        activity?.SetTag("rpc.method", method.Name);
        return activity;
    }

    internal static void End(Activity? activity, IMethod method, StatusCode code, TimeSpan took)
    {
        activity?.SetTag("rpc.grpc.status_code", (int)code);
        if (code != StatusCode.OK)
        {
            activity?.SetStatus(ActivityStatusCode.Error);
        }

        Duration.Record(took.TotalSeconds, new("rpc.method", method.Name), new("rpc.grpc.status_code", (int)code));
    }

    /// <summary>How many attempts a call took; its last one counts.</summary>
    internal static void Attempt(Activity? activity, int attempt) => activity?.SetTag("squall.attempts", attempt);

    internal static void Retried(Activity? activity, IMethod method, StatusCode code)
    {
        activity?.AddEvent(new ActivityEvent($"retry after {code}"));
        RetryCount.Add(1, new("rpc.method", method.Name), new("rpc.grpc.status_code", (int)code));
    }

    internal static void Renewed() => RenewalCount.Add(1);

    internal static void HandlerFailed() => HandlerFailureCount.Add(1);

    internal static void Reconnecting(string cause) =>
        ReconnectionCount.Add(1, new KeyValuePair<string, object?>("cause", cause));
}
