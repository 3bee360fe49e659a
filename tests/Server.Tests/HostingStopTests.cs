using System.Collections.Concurrent;
using Google.Rpc;
using Grpc.Core;
using Grpc.Health.V1;
using Grpc.Net.Client;
using Squall.V1;
using static Grpc.Health.V1.HealthCheckResponse.Types;

namespace Squall.Server.Tests;

/// <summary>A clean stop: who is told what, what is stored, and when the process is gone.</summary>
public sealed class HostingStopTests : HostingPlace
{
    private const string CreateTaskList = "/squall.v1.TaskListService/CreateTaskList";
    private static readonly TimeSpan StopMax = TimeSpan.FromSeconds(10);

    [Theory]
    [InlineData(HostingProcess.Terminate)]
    [InlineData(HostingProcess.Interrupt)]
    public async Task At_a_signal_streams_end_UNAVAILABLE_and_a_call_in_flight_is_answered_and_stored(int signal)
    {
        using HostingProcess server = await HostingProcess.ServeAsync(Place);
        using Client ada = await Client.RegisterAsync(server.Addresses[0], "ada");
        using var subscriber = new Subscriber(ada);
        await subscriber.NextAsync();
        using GrpcChannel channel = GrpcChannel.ForAddress(server.Addresses[0]);
        using AsyncServerStreamingCall<HealthCheckResponse> health =
            new Health.HealthClient(channel).Watch(new HealthCheckRequest());
        Assert.Equal(ServingStatus.Serving, await NextAsync(health));
        using HalfCall call = await HalfCall.StartAsync(
            server.Addresses[0], CreateTaskList,
            new CreateTaskListRequest { TaskList = new() { Title = "slow" } }, ada.Tokens.AccessToken);

        long signalled = TimeProvider.System.GetTimestamp();
        server.Send(signal);
        Assert.Equal(ServingStatus.NotServing, await NextAsync(health));
        AssertStopping(await Assert.ThrowsAsync<RpcException>(() => NextAsync(health)));
        AssertStopping(await Assert.ThrowsAsync<RpcException>(() => subscriber.NextAsync()));
        (StatusCode code, byte[] message) = await call.FinishAsync();
        Assert.Equal(0, await server.ExitAsync());
        Assert.True(TimeProvider.System.GetElapsedTime(signalled) < StopMax);

        Assert.Equal(StatusCode.OK, code);
        using HostingProcess again = await HostingProcess.ServeAsync(Place);
        using Client adaNow = ada.On(again.Addresses[0]);
        TaskList made = CreateTaskListResponse.Parser.ParseFrom(message).TaskList;
        Assert.Equal(made, Assert.Single((await adaNow.Lists.ListTaskListsAsync(new(), ada.Headers)).TaskLists));
    }

    [Fact]
    public async Task What_was_accepted_under_load_is_committed()
    {
        using HostingProcess server = await HostingProcess.ServeAsync(Place);
        using Client ada = await Client.RegisterAsync(server.Addresses[0], "ada");
        var acknowledged = new ConcurrentBag<string>();
        var enough = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Task<RpcException>[] writers =
        [
            .. Enumerable.Range(0, 32).Select(_ => Assert.ThrowsAsync<RpcException>(async () =>
            {
                while (true)
                {
                    acknowledged.Add((await ada.CreateListAsync()).Id);
                    if (acknowledged.Count > 200)
                    {
                        enough.TrySetResult();
                    }
                }
            })),
        ];
        await enough.Task.WaitAsync(HostingProcess.Net);
        Assert.Equal(0, await server.StopAsync());
        RpcException[] ends = await Task.WhenAll(writers);

        using HostingProcess again = await HostingProcess.ServeAsync(Place);
        using Client adaNow = ada.On(again.Addresses[0]);
        ListTaskListsResponse lists =
            await adaNow.Lists.ListTaskListsAsync(new() { PageSize = 1_000 }, ada.Headers);
        Assert.Empty(lists.NextPageToken);
        Assert.Empty(acknowledged.Except(lists.TaskLists.Select(list => list.Id)));

        // What was not answered was refused, or cut on its way: at most one a writer is there all the same.
        Assert.InRange(lists.TaskLists.Count, acknowledged.Count, acknowledged.Count + ends.Length);
    }

    [Fact]
    public async Task A_call_that_never_ends_does_not_keep_the_process()
    {
        using HostingProcess server = await HostingProcess.ServeAsync(Place);
        using Client ada = await Client.RegisterAsync(server.Addresses[0], "ada");
        using HalfCall call = await HalfCall.StartAsync(
            server.Addresses[0], CreateTaskList, new CreateTaskListRequest { TaskList = new() { Title = "never" } },
            ada.Tokens.AccessToken);
        long signalled = TimeProvider.System.GetTimestamp();
        Assert.Equal(0, await server.StopAsync());
        Assert.True(TimeProvider.System.GetElapsedTime(signalled) < StopMax);
    }

    [Fact]
    public async Task A_second_signal_cuts_what_still_runs()
    {
        using HostingProcess server = await HostingProcess.ServeAsync(Place, ["--stop-time-max", "5m"]);
        using Client ada = await Client.RegisterAsync(server.Addresses[0], "ada");
        using var subscriber = new Subscriber(ada);
        await subscriber.NextAsync();
        using HalfCall call = await HalfCall.StartAsync(
            server.Addresses[0], CreateTaskList, new CreateTaskListRequest { TaskList = new() { Title = "never" } },
            ada.Tokens.AccessToken);
        server.Send(HostingProcess.Terminate);
        await Assert.ThrowsAsync<RpcException>(() => subscriber.NextAsync());
        Assert.Equal(0, await server.StopAsync());
    }

    private static async Task<ServingStatus> NextAsync(AsyncServerStreamingCall<HealthCheckResponse> health)
    {
        Assert.True(await health.ResponseStream.MoveNext(CancellationToken.None).WaitAsync(HostingProcess.Net));
        return health.ResponseStream.Current.Status;
    }

    private static void AssertStopping(RpcException ended)
    {
        Assert.Equal(StatusCode.Unavailable, ended.StatusCode);
        Assert.True(Refusal.Detail<RetryInfo>(ended)!.RetryDelay.ToTimeSpan() > TimeSpan.Zero);
    }
}
