using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Squall.V1;

namespace Squall.Client.Tests;

/// <summary>The generated clients, as who knows gRPC uses them.</summary>
public sealed class RawTests : IAsyncLifetime
{
    private readonly World world = new();

    public Task InitializeAsync() => world.InitializeAsync();

    public Task DisposeAsync() => world.DisposeAsync();

    [Fact]
    public async Task Raw_calls_share_the_clients_session_retries_and_request_ids()
    {
        var client = await world.SignedInAsync();
        var list = await client.Raw.TaskLists.CreateTaskListAsync(
            new CreateTaskListRequest { TaskList = new TaskList { Title = "raw" } });
        world.Log.After("CreateTask", count =>
        {
            if (count == 1)
            {
                world.Proxy.Cut();
            }

            return Task.CompletedTask;
        });
        var request = new CreateTaskRequest
        {
            Task = new TaskItem { TaskListId = list.TaskList.Id, Title = "once" },
        };
        await client.Raw.Tasks.CreateTaskAsync(request);
        Assert.Equal(2, world.Log.Count("CreateTask"));
        Assert.Equal("", request.RequestId);
        Assert.Single((await client.Raw.Tasks.ListTasksAsync(new ListTasksRequest())).Tasks);
    }

    [Fact]
    public async Task A_raw_call_tells_its_headers_status_and_trailers()
    {
        var client = await world.SignedInAsync();
        using var call = client.Raw.Accounts.GetAccountAsync(new GetAccountRequest());
        Assert.Throws<InvalidOperationException>(() => call.GetStatus());
        await call;
        Assert.NotNull(await call.ResponseHeadersAsync);
        Assert.Equal(StatusCode.OK, call.GetStatus().StatusCode);
        Assert.NotNull(call.GetTrailers());

        using var failed = client.Raw.Tasks.GetTaskAsync(new GetTaskRequest());
        var failure = await Assert.ThrowsAsync<RpcException>(() => failed.ResponseAsync);
        Assert.Equal(StatusCode.InvalidArgument, failure.StatusCode);
        Assert.Equal(StatusCode.InvalidArgument, failed.GetStatus().StatusCode);
        Assert.NotNull(failed.GetTrailers().GetValueBytes("grpc-status-details-bin"));
        await Assert.ThrowsAsync<RpcException>(() => failed.ResponseHeadersAsync);
    }

    [Fact]
    public async Task A_raw_call_that_is_cancelled_or_disposed_is_an_RpcException()
    {
        world.Log.Before("GetAccount", _ => new TaskCompletionSource().Task);
        var client = await world.SignedInAsync();
        using var cancel = new CancellationTokenSource();
        var cancelled = client.Raw.Accounts.GetAccountAsync(new GetAccountRequest(), cancellationToken: cancel.Token);
        var disposed = client.Raw.Accounts.GetAccountAsync(new GetAccountRequest());
        await world.Log.CountedAsync("GetAccount", 2);
        await cancel.CancelAsync();
        disposed.Dispose();
        foreach (var call in (AsyncUnaryCall<GetAccountResponse>[])[cancelled, disposed])
        {
            var failure = await Assert.ThrowsAsync<RpcException>(() => call.ResponseAsync);
            Assert.Equal(StatusCode.Cancelled, failure.StatusCode);
            Assert.Equal(StatusCode.Cancelled, call.GetStatus().StatusCode);
        }
    }

    [Fact]
    public async Task A_blocking_call_is_refused_and_told_what_to_use()
    {
        var client = await world.SignedInAsync();
        var refused = Assert.Throws<NotSupportedException>(() => client.Raw.Tasks.ListTasks(new ListTasksRequest()));
        Assert.Contains("ListTasksAsync", refused.Message, StringComparison.Ordinal);
        Assert.Equal(0, world.Log.Count("ListTasks"));
    }

    [Fact]
    public void A_raw_call_sends_no_secrets_in_clear_text_either()
    {
        using var client = new SquallClient("http://squall.example");
        Assert.Throws<InvalidOperationException>(() => client.Raw.Auth.LoginAsync(new LoginRequest()));
        Assert.Throws<InvalidOperationException>(() => client.Raw.Notifications.Subscribe(new SubscribeRequest()));
        Assert.Throws<InvalidOperationException>(() => client.Raw.Work.SubmitWork());
    }

    [Fact]
    public async Task A_call_with_an_authorization_of_its_own_is_left_alone()
    {
        var client = await world.SignedInAsync();
        var other = await world.SignInAsync("another");
        var headers = new Metadata { { "authorization", $"Bearer {other.AccessToken}" } };
        var answer = await client.Raw.Accounts.GetAccountAsync(new GetAccountRequest(), headers);
        Assert.Equal("another", answer.Account.Username);
        var settings = new CallSettings
        {
            Headers = new Dictionary<string, string> { ["Authorization"] = $"Bearer {other.AccessToken}" },
        };
        Assert.Equal("another", (await client.GetAccountAsync(settings)).Username);

        using var stream = client.Raw.Notifications.Subscribe(new SubscribeRequest(), headers);
        Assert.True(await stream.ResponseStream.MoveNext(default));
    }

    [Fact]
    public async Task Metadata_of_the_callers_is_sent()
    {
        var settings = new CallSettings { Headers = new Dictionary<string, string> { ["x-trace"] = "a trace" } };
        await world.Client().SayHelloAsync(settings: settings);
        Assert.Equal("a trace", world.Log.CallsOf("SayHello").Single().Headers.GetValue("x-trace"));
    }

    [Fact]
    public async Task What_the_contract_has_and_the_server_has_not_yet_is_told()
    {
        var client = await world.SignedInAsync();
        var request = new LeaseWorkRequest { Wait = new Duration { Seconds = long.MaxValue, Nanos = -1 } };
        var failure = await Assert.ThrowsAsync<RpcException>(async () => await client.Raw.Work.LeaseWorkAsync(request));
        Assert.Equal(StatusCode.Unimplemented, failure.StatusCode);
    }
}
