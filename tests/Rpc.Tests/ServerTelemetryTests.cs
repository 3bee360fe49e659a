using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using Grpc.Core;
using static Squall.Rpc.Tests.ServerWire;

namespace Squall.Rpc.Tests;

/// What a server tells of its calls. Other tests' calls are told too: these look for their own by its trace.
public sealed class ServerTelemetryTests : IDisposable
{
    private const string Caller = "00f067aa0ba902b7";

    private readonly ActivityTraceId trace = ActivityTraceId.CreateRandom();
    private readonly TaskCompletionSource<Activity> stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ConcurrentQueue<Dictionary<string, object?>> durations = new();
    private readonly ActivityListener activities = new();
    private readonly MeterListener measurements = new();

    public ServerTelemetryTests()
    {
        activities.ShouldListenTo = source => source.Name == RpcServerTelemetry.Name;
        activities.Sample = (ref ActivityCreationOptions<ActivityContext> _) =>
            ActivitySamplingResult.AllDataAndRecorded;
        activities.ActivityStopped = activity =>
        {
            if (activity.TraceId == trace)
            {
                stopped.TrySetResult(activity);
            }
        };
        ActivitySource.AddActivityListener(activities);
        measurements.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument is { Meter.Name: RpcServerTelemetry.Name, Name: "rpc.server.duration", Unit: "ms" })
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        measurements.SetMeasurementEventCallback<double>(
            (_, _, tags, _) => durations.Enqueue(tags.ToArray().ToDictionary()));
        measurements.Start();
    }

    public void Dispose()
    {
        activities.Dispose();
        measurements.Dispose();
    }

    [Theory]
    [InlineData(StatusCode.OK, ActivityStatusCode.Unset)]
    [InlineData(StatusCode.NotFound, ActivityStatusCode.Unset)]
    [InlineData(StatusCode.Cancelled, ActivityStatusCode.Unset)]
    [InlineData(StatusCode.Internal, ActivityStatusCode.Error)]
    public async Task A_call_is_told_with_its_method_and_outcome_in_its_callers_trace(
        StatusCode code, ActivityStatusCode status)
    {
        await using ServerHost host = await ServerHost.StartAsync();
        await host.Http2.GrpcAsync(
            Unary, FrameOf(new EchoRequest { FailCode = (int)code }), ("traceparent", $"00-{trace}-{Caller}-01"));
        Activity activity = await stopped.Task.WaitAsync(TimeSpan.FromSeconds(10));
        Assert.Equal("squall.rpc.test.v1.EchoService/Unary", activity.DisplayName);
        Assert.Equal(ActivityKind.Server, activity.Kind);
        Assert.Equal(status, activity.Status);
        Assert.Equal("grpc", activity.GetTagItem("rpc.system"));
        Assert.Equal("squall.rpc.test.v1.EchoService", activity.GetTagItem("rpc.service"));
        Assert.Equal("Unary", activity.GetTagItem("rpc.method"));
        Assert.Equal((int)code, activity.GetTagItem("rpc.grpc.status_code"));
        Assert.Contains(durations, tags => "Unary".Equals(tags["rpc.method"])
            && tags.TryGetValue("rpc.grpc.status_code", out object? told) && code == (StatusCode)(int)told!);
    }

    [Fact]
    public async Task Connect_tells_its_errors_by_name()
    {
        await using ServerHost host = await ServerHost.StartAsync();
        await host.Http1.JsonAsync(Unary, """{"failCode":5}""", ("traceparent", $"00-{trace}-{Caller}-01"));
        Activity activity = await stopped.Task.WaitAsync(TimeSpan.FromSeconds(10));
        Assert.Equal("connect_rpc", activity.GetTagItem("rpc.system"));
        Assert.Equal("not_found", activity.GetTagItem("rpc.connect_rpc.error_code"));
        Assert.Null(activity.GetTagItem("rpc.grpc.status_code"));
    }
}
