using Grpc.AspNetCore.HealthChecks;
using Grpc.Core;
using Grpc.Health.V1;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using static Grpc.Health.V1.HealthCheckResponse.Types;

namespace Squall.Rpc.Tests;

public sealed class ServerHealthTests
{
    private static readonly TimeSpan Net = TimeSpan.FromSeconds(10);

    [Fact, Wire("1.8.07")]
    public async Task A_check_tells_of_the_server_and_of_services_and_of_no_others()
    {
        await using ServerHost host = await StartAsync();
        using GrpcChannel channel = GrpcChannel.ForAddress(host.Address);
        var health = new Health.HealthClient(channel);
        host.Health.Set("a.Service", ServingStatus.NotServing);
        Assert.Equal(ServingStatus.Serving, (await health.CheckAsync(new())).Status);
        Assert.Equal(ServingStatus.NotServing, (await health.CheckAsync(new() { Service = "a.Service" })).Status);
        RpcException unknown = await Assert.ThrowsAsync<RpcException>(
            async () => await health.CheckAsync(new() { Service = "b.Service" }));
        Assert.Equal(StatusCode.NotFound, unknown.StatusCode);
        HealthListResponse all = await health.ListAsync(new());
        Assert.Equal(["", "a.Service"], all.Statuses.Keys.Order());
        Assert.Equal(ServingStatus.NotServing, all.Statuses["a.Service"].Status);
    }

    [Fact, Wire("1.8.08")]
    public async Task A_watch_tells_at_once_then_of_changes_and_at_last_that_the_server_stops()
    {
        await using ServerHost host = await StartAsync();
        using GrpcChannel channel = GrpcChannel.ForAddress(host.Address);
        using AsyncServerStreamingCall<HealthCheckResponse> watch =
            new Health.HealthClient(channel).Watch(new() { Service = "a.Service" });
        Assert.Equal(ServingStatus.ServiceUnknown, await NextAsync(watch));
        host.Health.Set("b.Service", ServingStatus.Serving);
        host.Health.Set("a.Service", ServingStatus.Serving);
        Assert.Equal(ServingStatus.Serving, await NextAsync(watch));
        host.Health.Set("a.Service", ServingStatus.Serving);
        Task stopping = host.StopAsync();
        Assert.Equal(ServingStatus.NotServing, await NextAsync(watch));
        RpcException end = await Assert.ThrowsAsync<RpcException>(
            () => watch.ResponseStream.MoveNext().WaitAsync(Net));
        Assert.Equal(StatusCode.Unavailable, end.StatusCode);
        await stopping.WaitAsync(Net);
    }

    [Fact, Wire("1.8.07")]
    public async Task Health_checks_tell_of_the_server_and_of_the_services_they_are_mapped_to()
    {
        bool isDatabaseUp = true;
        await using ServerHost host = await ServerHost.StartAsync(
            services: services => services
                .AddGrpcHealthChecks(options =>
                {
                    options.Services.Map("a.Service", check => check.Tags.Contains("a"));
                    options.Services.Map("nobody.Checks", check => check.Name == "nothing");
                })
                .AddCheck("disk", () => HealthCheckResult.Degraded(), ["a"])
                .AddCheck("database", () => isDatabaseUp ? HealthCheckResult.Healthy() : HealthCheckResult.Unhealthy()),
            map: app => app.MapGrpcHealthChecksService());
        using GrpcChannel channel = GrpcChannel.ForAddress(host.Address);
        var health = new Health.HealthClient(channel);
        Assert.Equal(ServingStatus.Serving, (await health.CheckAsync(new())).Status);
        using AsyncServerStreamingCall<HealthCheckResponse> watch = health.Watch(new());
        Assert.Equal(ServingStatus.Serving, await NextAsync(watch));
        isDatabaseUp = false;
        Assert.Equal(ServingStatus.NotServing, (await health.CheckAsync(new())).Status);
        Assert.Equal(ServingStatus.NotServing, await NextAsync(watch));
        Assert.Equal(ServingStatus.Serving, (await health.CheckAsync(new() { Service = "a.Service" })).Status);
        HealthListResponse all = await health.ListAsync(new());
        Assert.Equal(ServingStatus.Unknown, all.Statuses["nobody.Checks"].Status);
        Assert.Equal(["", "a.Service", "nobody.Checks"], all.Statuses.Keys.Order());
        isDatabaseUp = true;
        await host.Service<IHealthCheckPublisher>().PublishAsync(
            await host.Service<HealthCheckService>().CheckHealthAsync(), CancellationToken.None);
        Assert.Equal(ServingStatus.Serving, await NextAsync(watch));
    }

    [Fact, Wire("1.8.08")]
    public void What_stays_as_it_was_wakes_nobody_who_watches()
    {
        var health = new HealthStatus();
        Task changed = health.Look("").Changed;
        health.Set("", ServingStatus.Serving);
        Assert.False(changed.IsCompleted);
        health.Set("", ServingStatus.NotServing);
        Assert.True(changed.IsCompleted);
    }

    [Fact]
    public void A_service_is_mapped_once()
    {
        var services = new ServiceMappingCollection();
        services.Map("a", _ => true);
        services.Map("a", _ => false);
        ServiceMapping one = Assert.Single(services);
        Assert.False(one.HealthCheckPredicate(new HealthCheckMapContext("check", [])));
        Assert.Throws<InvalidOperationException>(() => services.Add(new ServiceMapping("a", _ => true)));
        services.Remove("a");
        Assert.Empty(services);
    }

    private static Task<ServerHost> StartAsync() =>
        ServerHost.StartAsync(map: app => app.MapGrpcHealthChecksService());

    private static async Task<ServingStatus> NextAsync(AsyncServerStreamingCall<HealthCheckResponse> watch)
    {
        Assert.True(await watch.ResponseStream.MoveNext().WaitAsync(Net));
        return watch.ResponseStream.Current.Status;
    }
}
