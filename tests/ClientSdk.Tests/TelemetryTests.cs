using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using Grpc.Core;

namespace Squall.Client.Tests;

/// <summary>What an operator sees of a client. Measured by a method that no other test's calls fail in.</summary>
public sealed class TelemetryTests : IAsyncLifetime
{
    private const string Method = "ListMembers";
    private readonly World world = new();
    private readonly ConcurrentQueue<Activity> activities = [];
    private readonly ConcurrentDictionary<string, double> sums = [];
    private readonly ActivityListener tracing;
    private readonly MeterListener metering;

    public TelemetryTests()
    {
        tracing = new ActivityListener
        {
            ShouldListenTo = source => source.Name == Telemetry.Name,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = activity =>
            {
                if (activity.GetTagItem("rpc.method") is Method)
                {
                    activities.Enqueue(activity);
                }
            },
        };
        ActivitySource.AddActivityListener(tracing);
        metering = new MeterListener
        {
            InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Meter.Name == Telemetry.Name)
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            },
        };
        metering.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Add(instrument, value, tags));
        metering.SetMeasurementEventCallback<double>((instrument, _, tags, _) => Add(instrument, 1, tags));
        metering.Start();
    }

    public Task InitializeAsync() => world.InitializeAsync();

    public Task DisposeAsync()
    {
        tracing.Dispose();
        metering.Dispose();
        return world.DisposeAsync();
    }

    [Fact]
    public async Task Attempts_are_visible_in_traces_and_metrics()
    {
        var client = await ClientAsync();
        var list = await client.Lists.CreateAsync("a list");
        world.Log.Fail(Method, 2, () => new RpcException(new Status(StatusCode.Unavailable, "Made up.")));
        await client.Lists.ListMembersAsync(list.Id);
        var activity = Assert.Single(activities);
        Assert.Equal("squall.v1.TaskListService/ListMembers", activity.DisplayName);
        Assert.Equal(ActivityKind.Client, activity.Kind);
        Assert.Equal(3, activity.GetTagItem("squall.attempts"));
        Assert.Equal(0, activity.GetTagItem("rpc.grpc.status_code"));
        Assert.Equal(["retry after Unavailable", "retry after Unavailable"], activity.Events.Select(one => one.Name));
        Assert.Equal(2, sums["squall.client.retries"]);
        Assert.Equal(1, sums["rpc.client.duration"]);
    }

    [Fact]
    public async Task A_failure_is_visible_and_the_server_is_told_of_the_trace()
    {
        var client = await ClientAsync();
        world.Log.Fail(Method, 1, () => new RpcException(new Status(StatusCode.Internal, "Made up.")));
        await Assert.ThrowsAsync<SquallException>(() => client.Lists.ListMembersAsync("none"));
        var activity = Assert.Single(activities);
        Assert.Equal(ActivityStatusCode.Error, activity.Status);
        Assert.Equal(13, activity.GetTagItem("rpc.grpc.status_code"));
        Assert.Contains(
            activity.TraceId.ToString(), world.Log.CallsOf(Method).Single().Headers.GetValue("traceparent"),
            StringComparison.Ordinal);
    }

    private Task<SquallClient> ClientAsync() =>
        world.SignedInAsync(options => options.BackoffFirst = options.BackoffMax = TimeSpan.Zero);

    private void Add(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        foreach (var tag in tags)
        {
            if (tag is { Key: "rpc.method", Value: Method })
            {
                sums.AddOrUpdate(instrument.Name, value, (_, sum) => sum + value);
            }
        }
    }
}
