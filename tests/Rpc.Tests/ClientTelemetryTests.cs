using System.Diagnostics;
using System.Diagnostics.Metrics;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Http;

namespace Squall.Rpc.Tests;

/// What a channel tells of its calls.
public sealed class ClientTelemetryTests : IDisposable
{
    private readonly ActivitySource caller = new("the caller");
    private readonly List<Activity> stopped = [];
    private readonly List<(double Took, Dictionary<string, object?> Tags)> durations = [];
    private readonly ActivityListener activities = new();
    private readonly MeterListener measurements = new();

    public ClientTelemetryTests()
    {
        activities.ShouldListenTo = source => source.Name is RpcClientTelemetry.Name or "the caller";
        activities.Sample = (ref ActivityCreationOptions<ActivityContext> _) =>
            ActivitySamplingResult.AllDataAndRecorded;
        ActivitySource.AddActivityListener(activities);
        measurements.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument is { Meter.Name: RpcClientTelemetry.Name, Name: "rpc.client.duration" })
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        measurements.SetMeasurementEventCallback<double>((_, took, tags, _) =>
        {
            lock (durations)
            {
                durations.Add((took, tags.ToArray().ToDictionary()));
            }
        });
        measurements.Start();
    }

    public void Dispose()
    {
        activities.Dispose();
        measurements.Dispose();
        caller.Dispose();
    }

    [Theory]
    [InlineData(StatusCode.OK, ActivityStatusCode.Unset)]
    [InlineData(StatusCode.Aborted, ActivityStatusCode.Error)]
    [InlineData(StatusCode.Cancelled, ActivityStatusCode.Unset)]
    public async Task A_call_is_told_with_its_method_peer_and_outcome(StatusCode code, ActivityStatusCode status)
    {
        string? traceparent = null;
        await using ScriptedServer server = await ScriptedServer.StartAsync(async http =>
        {
            traceparent = http.Request.Headers.TraceParent;
            await http.WriteAsync(Script.Frame("x"));
            http.End(code);
        });
        using Activity outer = caller.StartActivity("outer")!;
        var ended = Watch(outer);
        using AsyncUnaryCall<EchoResponse> call = server.Client.UnaryAsync(new());
        Assert.Same(outer, Activity.Current);
        await call.ResponseAsync.ContinueWith(_ => { }, TaskScheduler.Default);
        Activity activity = await ended.WaitAsync(ScriptedServer.Net);
        Assert.Same(outer, Activity.Current);
        Assert.Equal("squall.rpc.test.v1.EchoService/Unary", activity.DisplayName);
        Assert.Equal(ActivityKind.Client, activity.Kind);
        Assert.Equal(status, activity.Status);
        Assert.Equal("grpc", activity.GetTagItem("rpc.system"));
        Assert.Equal("squall.rpc.test.v1.EchoService", activity.GetTagItem("rpc.service"));
        Assert.Equal("Unary", activity.GetTagItem("rpc.method"));
        Assert.Equal("127.0.0.1", activity.GetTagItem("server.address"));
        Assert.Equal(server.Address.Port, activity.GetTagItem("server.port"));
        Assert.Equal((int)code, activity.GetTagItem("rpc.grpc.status_code"));
        Assert.StartsWith($"00-{outer.TraceId}-", traceparent, StringComparison.Ordinal);
        lock (durations)
        {
            (double took, Dictionary<string, object?> tags) = durations.Single(
                duration => Equals(duration.Tags["server.port"], server.Address.Port));
            Assert.InRange(took, 0.001, 20_000);
            Assert.Equal((int)code, tags["rpc.grpc.status_code"]);
            Assert.Equal("Unary", tags["rpc.method"]);
        }
    }

    [Fact]
    public async Task The_servers_trace_goes_on_from_the_call()
    {
        string? traceparent = null;
        await using ScriptedServer server = await ScriptedServer.StartAsync(http =>
        {
            traceparent = http.Request.Headers.TraceParent;
            return Script.EchoAsync(http);
        });
        using Activity outer = caller.StartActivity("outer")!;
        Task<Activity> ended = Watch(outer);
        await server.Client.UnaryAsync(new() { Text = "x" });
        Activity activity = await ended.WaitAsync(ScriptedServer.Net);
        Assert.Equal(outer.SpanId, activity.ParentSpanId);
        Assert.Equal($"00-{activity.TraceId}-{activity.SpanId}-01", traceparent);
    }

    [Fact]
    public async Task A_call_that_is_disposed_later_leaves_the_callers_activity_alone()
    {
        await using ScriptedServer server = await ScriptedServer.StartAsync(http => Script.HangAsync(http));
        Activity first = caller.StartActivity("first")!;
        Task<Activity> ended = Watch(first);
        AsyncUnaryCall<EchoResponse> call = server.Client.UnaryAsync(new());
        first.Stop();
        using Activity second = caller.StartActivity("second")!;
        call.Dispose();
        Assert.Same(second, Activity.Current);
        Assert.Equal(ActivityStatusCode.Unset, (await ended.WaitAsync(ScriptedServer.Net)).Status);
    }

    [Fact]
    public async Task Connect_tells_its_own_codes()
    {
        await using ScriptedServer server = await ScriptedServer.StartAsync(async http =>
        {
            http.Response.StatusCode = 404;
            http.Response.ContentType = "application/json";
            await http.Response.WriteAsync("""{"code":"not_found"}""");
        }, new GrpcChannelOptions { HttpVersion = System.Net.HttpVersion.Version20 }.UseConnect());
        using Activity outer = caller.StartActivity("outer")!;
        Task<Activity> ended = Watch(outer);
        await Assert.ThrowsAsync<RpcException>(async () => await server.Client.UnaryAsync(new()));
        Activity activity = await ended.WaitAsync(ScriptedServer.Net);
        Assert.Equal("connect_rpc", activity.GetTagItem("rpc.system"));
        Assert.Equal("not_found", activity.GetTagItem("rpc.connect_rpc.error_code"));
    }

    /// The call within this activity, once it has ended.
    private Task<Activity> Watch(Activity outer)
    {
        var ended = new TaskCompletionSource<Activity>(TaskCreationOptions.RunContinuationsAsynchronously);
        ActivityTraceId trace = outer.TraceId;
        activities.ActivityStopped = activity =>
        {
            if (activity.Source.Name == RpcClientTelemetry.Name && activity.TraceId == trace)
            {
                stopped.Add(activity);
                ended.TrySetResult(activity);
            }
        };
        return ended.Task;
    }
}
