using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Grpc.Core;
using Squall.Server.Tests;
using Squall.V1;
using Status = Grpc.Core.Status;

namespace Squall.Client.Tests;

/// <summary>Which calls are tried again, when, and how often.</summary>
public sealed class RetryTests : IAsyncLifetime
{
    private readonly World world = new();
    private readonly FakeTime time = new();

    public Task InitializeAsync() => world.InitializeAsync();

    public Task DisposeAsync() => world.DisposeAsync();

    [Fact]
    public async Task A_read_is_tried_as_often_as_the_options_say()
    {
        var client = await ClientAsync(options => options.AttemptsMax = 4);
        world.Log.Fail("GetAccount", 3, () => Failure(StatusCode.Unavailable));
        await client.GetAccountAsync();
        Assert.Equal(
            [null, "1", "2", "3"],
            world.Log.CallsOf("GetAccount").Select(call => call.Headers.GetValue("grpc-previous-rpc-attempts")));

        world.Log.Fail("GetAccount", int.MaxValue, () => Failure(StatusCode.Unavailable));
        await Assert.ThrowsAsync<SquallUnavailableException>(() => client.GetAccountAsync());
        Assert.Equal(8, world.Log.Count("GetAccount"));
    }

    [Fact]
    public async Task A_change_whose_answer_is_cut_off_is_made_once()
    {
        var client = await ClientAsync();
        var list = await client.Lists.CreateAsync("a list");
        world.Log.After("CreateTask", count =>
        {
            if (count == 1)
            {
                world.Proxy.Cut();
            }

            return Task.CompletedTask;
        });
        var created = await client.Tasks.CreateAsync(list.Id, "once");
        Assert.Equal(2, world.Log.Count("CreateTask"));
        Assert.Equal(created, Assert.Single(await client.Tasks.List().AllAsync()));
    }

    [Fact]
    public async Task A_change_without_a_request_id_is_not_made_again()
    {
        var client = await ClientAsync();
        world.Log.After("RegisterAccount", _ =>
        {
            world.Proxy.Cut();
            return Task.CompletedTask;
        });
        await Assert.ThrowsAsync<SquallUnavailableException>(
            () => client.RegisterAsync("lost", World.Password));
        Assert.Equal(1, world.Log.Count("RegisterAccount"));
    }

    [Fact]
    public async Task A_change_without_a_request_id_is_made_if_the_server_was_not_reached_before()
    {
        var attempts = 0;
        var client = world.Client(options =>
        {
            options.BackoffFirst = options.BackoffMax = TimeSpan.Zero;
            options.HandlerFactory = () => new Interposed(_ => ++attempts > 1
                ? null
                : new HttpRequestException(HttpRequestError.ConnectionError, "No route."));
        });
        await client.RegisterAsync("reached", World.Password);
        Assert.Equal(2, attempts);
    }

    [Fact]
    public async Task A_message_that_its_caller_changes_meanwhile_is_sent_again_as_it_was()
    {
        var client = await ClientAsync();
        var list = await client.Lists.CreateAsync("a list");
        var fail = new TaskCompletionSource();
        world.Log.Before("CreateTask", count => count == 1 ? fail.Task : Task.CompletedTask);
        var task = new TaskItem { TaskListId = list.Id, Title = "as it was" };
        var call = client.Tasks.CreateAsync(task, CallSettings.ForRequest(Guid.NewGuid().ToString()));
        await world.Log.CountedAsync("CreateTask", 1);
        task.Title = "changed";
        fail.SetException(Failure(StatusCode.Unavailable));
        Assert.Equal("as it was", (await call).Title);
    }

    [Fact]
    public async Task A_request_id_of_the_callers_makes_a_later_call_the_same_one()
    {
        var client = await ClientAsync();
        var list = await client.Lists.CreateAsync("a list");
        var settings = CallSettings.ForRequest(Guid.NewGuid().ToString());
        var first = await client.Tasks.CreateAsync(list.Id, "once", settings);
        Assert.Equal(first, await client.Tasks.CreateAsync(list.Id, "once", settings));
        Assert.NotEqual(first.Id, (await client.Tasks.CreateAsync(list.Id, "once")).Id);
    }

    [Fact]
    public async Task A_server_that_says_when_is_believed()
    {
        var client = await ClientAsync(options => options.TimeProvider = time);
        world.Log.Fail(
            "GetAccount", 1, () => Failure(StatusCode.ResourceExhausted, retryAfter: TimeSpan.FromSeconds(3)));
        var call = client.GetAccountAsync();
        await time.TimerSetAsync(TimeSpan.FromSeconds(3));
        Assert.Equal(1, world.Log.Count("GetAccount"));
        time.Advance(TimeSpan.FromSeconds(3));
        await call;
    }

    [Fact]
    public async Task A_pushback_takes_the_place_of_the_clients_own_wait()
    {
        var client = await ClientAsync(options => options.TimeProvider = time);
        world.Log.Fail("GetAccount", 1, () => Failure(StatusCode.Unavailable, pushback: "700"));
        var call = client.GetAccountAsync();
        await time.TimerSetAsync(TimeSpan.FromMilliseconds(700));
        time.Advance(TimeSpan.FromMilliseconds(700));
        await call;
    }

    [Theory]
    [InlineData(StatusCode.Unavailable, "-1", null)]
    [InlineData(StatusCode.Unavailable, "soon", null)]
    [InlineData(StatusCode.Unavailable, null, 20.0)]
    [InlineData(StatusCode.ResourceExhausted, null, null)]
    [InlineData(StatusCode.Aborted, null, null)]
    [InlineData(StatusCode.Internal, null, null)]
    [InlineData(StatusCode.DeadlineExceeded, null, null)]
    public async Task A_failure_that_is_no_reason_to_try_again_is_told_at_once(
        StatusCode code, string? pushback, double? retrySeconds)
    {
        var client = await ClientAsync(options => options.TimeProvider = time);
        TimeSpan? retryAfter = retrySeconds is { } seconds ? TimeSpan.FromSeconds(seconds) : null;
        world.Log.Fail("GetAccount", int.MaxValue, () => Failure(code, pushback, retryAfter));
        var failure = await Assert.ThrowsAnyAsync<SquallException>(() => client.GetAccountAsync());
        Assert.Equal(code, failure.Code);
        Assert.Equal(1, world.Log.Count("GetAccount"));
    }

    [Fact]
    public async Task Retries_of_all_calls_together_are_bounded()
    {
        var client = await ClientAsync(options => options.TimeProvider = time);
        world.Log.Fail("GetAccount", int.MaxValue, () => Failure(StatusCode.Unavailable));
        await FailAsync(300);
        // A thousand that were saved up, and one for ten calls.
        Assert.InRange(world.Log.Count("GetAccount"), 1_300, 1_330);
        var before = world.Log.Count("GetAccount");
        time.Advance(TimeSpan.FromSeconds(2));
        await FailAsync(10);
        Assert.Equal(before + 10 + 21, world.Log.Count("GetAccount"));

        async Task FailAsync(int calls)
        {
            for (var call = 0; call < calls; call++)
            {
                await Assert.ThrowsAsync<SquallUnavailableException>(() => client.GetAccountAsync());
            }
        }
    }

    [Fact]
    public async Task A_callers_cancellation_ends_the_wait_before_a_retry()
    {
        var client = await ClientAsync(options => options.TimeProvider = time);
        world.Log.Fail("GetAccount", 1, () => Failure(StatusCode.Unavailable, retryAfter: TimeSpan.FromSeconds(3)));
        using var cancel = new CancellationTokenSource();
        var call = client.GetAccountAsync(cancellationToken: cancel.Token);
        await time.TimerSetAsync(TimeSpan.FromSeconds(3));
        await cancel.CancelAsync();
        var end = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
        Assert.Equal(cancel.Token, end.CancellationToken);
    }

    private static RpcException Failure(StatusCode code, string? pushback = null, TimeSpan? retryAfter = null)
    {
        var status = new Google.Rpc.Status { Code = (int)code, Message = "Made up." };
        if (retryAfter is { } delay)
        {
            status.Details.Add(Any.Pack(new RetryInfo { RetryDelay = delay.ToDuration() }));
        }

        var failure = status.ToRpcException();
        if (pushback is not null)
        {
            failure.Trailers.Add("grpc-retry-pushback-ms", pushback);
        }

        return failure;
    }

    private Task<SquallClient> ClientAsync(Action<SquallClientOptions>? adjust = null) => world.SignedInAsync(options =>
    {
        options.BackoffFirst = options.BackoffMax = TimeSpan.Zero;
        adjust?.Invoke(options);
    });
}

/// <summary>Stands before a client's handler, and looks at its requests; what it gives is thrown instead.</summary>
internal sealed class Interposed(Func<HttpRequestMessage, Exception?> look)
    : DelegatingHandler(new SocketsHttpHandler())
{
    protected override Task<HttpResponseMessage> SendAsync(
        HttpRequestMessage request, CancellationToken cancellationToken) =>
        look(request) is { } failure
            ? Task.FromException<HttpResponseMessage>(failure)
            : base.SendAsync(request, cancellationToken);
}
