using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Grpc.Core;
using Squall.V1;
using Status = Grpc.Core.Status;

namespace Squall.Client.Tests;

/// <summary>What failed calls throw, and what is told with it.</summary>
public sealed class ErrorTests(World world) : IClassFixture<World>
{
    private const string Unknown = "019aa000-0000-7000-8000-000000000000";

    public static TheoryData<StatusCode, System.Type> Codes => new()
    {
        { StatusCode.Cancelled, typeof(SquallException) },
        { StatusCode.Unknown, typeof(SquallException) },
        { StatusCode.InvalidArgument, typeof(SquallValidationException) },
        { StatusCode.DeadlineExceeded, typeof(SquallTimeoutException) },
        { StatusCode.NotFound, typeof(SquallNotFoundException) },
        { StatusCode.AlreadyExists, typeof(SquallConflictException) },
        { StatusCode.PermissionDenied, typeof(SquallPermissionException) },
        { StatusCode.ResourceExhausted, typeof(SquallRateLimitedException) },
        { StatusCode.FailedPrecondition, typeof(SquallPreconditionException) },
        { StatusCode.Aborted, typeof(SquallConflictException) },
        { StatusCode.OutOfRange, typeof(SquallGapException) },
        { StatusCode.Unimplemented, typeof(SquallException) },
        { StatusCode.Internal, typeof(SquallException) },
        { StatusCode.Unavailable, typeof(SquallUnavailableException) },
        { StatusCode.DataLoss, typeof(SquallException) },
        { StatusCode.Unauthenticated, typeof(SquallUnauthenticatedException) },
    };

    [Theory, MemberData(nameof(Codes))]
    public async Task Every_code_has_its_exception(StatusCode code, System.Type type)
    {
        world.Log.Fail("SayHello", int.MaxValue, () => new RpcException(new Status(code, "Made up.")));
        var client = world.Client(options => options.AttemptsMax = 1);
        var failure = await Assert.ThrowsAnyAsync<SquallException>(() => client.SayHelloAsync());
        Assert.IsType(type, failure);
        Assert.Equal(code, failure.Code);
        Assert.Equal("Made up.", failure.Message);
        Assert.Equal(code, Assert.IsType<RpcException>(failure.InnerException).StatusCode);
        Assert.Equal("", failure.Reason);
        Assert.Empty(failure.Metadata);
        Assert.Null(failure.RetryAfter);
    }

    [Fact]
    public async Task What_was_not_found_is_named()
    {
        var client = await world.SignedInAsync();
        var failure = await Assert.ThrowsAsync<SquallNotFoundException>(() => client.Tasks.GetAsync(Unknown));
        Assert.Equal(("task", Unknown, "NOT_FOUND"), (failure.ResourceType, failure.ResourceName, failure.Reason));
    }

    [Fact]
    public async Task A_conflict_tells_the_current_version()
    {
        var client = await world.SignedInAsync();
        var list = await client.Lists.CreateAsync("a list");
        var task = await client.Tasks.CreateAsync(list.Id, "a task");
        await client.Tasks.UpdateAsync(new TaskItem { Id = task.Id, Title = "another" }, "title");
        var failure = await Assert.ThrowsAsync<SquallConflictException>(
            () => client.Tasks.CompleteAsync(task.Id, expectedVersion: 1));
        Assert.Equal(("VERSION_MISMATCH", 2L), (failure.Reason, failure.CurrentVersion));
        Assert.Equal("2", failure.Metadata["version"]);
    }

    [Fact]
    public async Task A_name_that_is_taken_is_named()
    {
        var client = world.Client();
        await client.RegisterAsync("taken", World.Password);
        var failure = await Assert.ThrowsAsync<SquallConflictException>(
            () => client.RegisterAsync("taken", World.Password));
        Assert.Equal(("username", "taken"), (failure.ResourceType, failure.ResourceName));
        Assert.Null(failure.CurrentVersion);
    }

    [Fact]
    public async Task A_state_that_forbids_it_is_told()
    {
        var client = await world.SignedInAsync();
        var list = await client.Lists.CreateAsync("a list");
        var task = await client.Tasks.CreateAsync(list.Id, "a task");
        await client.Tasks.CompleteAsync(task.Id);
        var failure = await Assert.ThrowsAsync<SquallPreconditionException>(() => client.Tasks.CompleteAsync(task.Id));
        Assert.Equal("TASK_DONE", failure.Reason);
    }

    [Fact]
    public async Task Fields_at_fault_are_named_and_the_place_of_a_filters_fault()
    {
        var client = await world.SignedInAsync();
        var list = await client.Lists.CreateAsync("a list");
        var failure = await Assert.ThrowsAsync<SquallValidationException>(() => client.Tasks.CreateAsync(list.Id, ""));
        Assert.Equal("task.title", Assert.Single(failure.Violations).Field);

        failure = await Assert.ThrowsAsync<SquallValidationException>(
            async () => await client.Tasks.List("state = OPEN AND (").AsPages().GetAsyncEnumerator().MoveNextAsync());
        Assert.Equal("filter", Assert.Single(failure.Violations).Field);
        Assert.NotEmpty(failure.Metadata["position"]);
    }

    [Fact]
    public async Task A_role_that_is_too_low_is_told()
    {
        var owner = await world.SignedInAsync();
        var viewer = await world.SignedInAsync();
        var list = await owner.Lists.CreateAsync("a list");
        await owner.Lists.SetMemberAsync(list.Id, (await viewer.GetAccountAsync()).Username, Role.Viewer);
        var failure = await Assert.ThrowsAsync<SquallPermissionException>(
            () => viewer.Tasks.CreateAsync(list.Id, "a task"));
        Assert.Equal("ROLE_TOO_LOW", failure.Reason);
    }

    [Fact]
    public async Task Who_is_not_logged_in_is_told_how_to()
    {
        var failure = await Assert.ThrowsAsync<SquallUnauthenticatedException>(() => world.Client().GetAccountAsync());
        Assert.Equal("TOKEN_MISSING", failure.Reason);
        Assert.Contains("Login", failure.Message, StringComparison.Ordinal);
        failure = await Assert.ThrowsAsync<SquallUnauthenticatedException>(
            () => world.Client().LoginAsync("nobody", World.Password));
        Assert.Equal("CREDENTIALS_WRONG", failure.Reason);
    }

    [Fact]
    public async Task A_limit_tells_when_to_try_again()
    {
        var failure = await FailAsync(StatusCode.ResourceExhausted, new RetryInfo
        {
            RetryDelay = Duration.FromTimeSpan(TimeSpan.FromSeconds(1.5)),
        });
        Assert.Equal(TimeSpan.FromSeconds(1.5), Assert.IsType<SquallRateLimitedException>(failure).RetryAfter);
    }

    [Fact]
    public async Task Details_that_are_out_of_all_bounds_are_held_to_some()
    {
        var failure = await FailAsync(StatusCode.Unavailable, new RetryInfo
        {
            RetryDelay = new Duration { Seconds = long.MaxValue, Nanos = -5 },
        });
        Assert.Equal(TimeSpan.FromDays(1), failure.RetryAfter);
        failure = await FailAsync(StatusCode.Unavailable, new RetryInfo
        {
            RetryDelay = new Duration { Seconds = -1, Nanos = int.MinValue },
        });
        Assert.Equal(TimeSpan.Zero, failure.RetryAfter);
    }

    [Fact]
    public async Task Reasons_of_another_domain_are_not_taken_for_Squalls()
    {
        var failure = await FailAsync(
            StatusCode.Aborted, new ErrorInfo { Domain = "proxy.example", Reason = "VERSION_MISMATCH" });
        Assert.Equal("", failure.Reason);
    }

    [Fact]
    public async Task Details_that_cannot_be_read_do_not_hide_the_failure()
    {
        var broken = Any.Pack(new BadRequest());
        broken.Value = ByteString.CopyFrom(255);
        var failure = await FailAsync(StatusCode.InvalidArgument, new Google.Rpc.Status { Details = { broken } });
        Assert.Empty(Assert.IsType<SquallValidationException>(failure).Violations);

        var trailers = new Metadata { { "grpc-status-details-bin", [255, 255] } };
        world.Log.Fail(
            "SayHello", int.MaxValue, () => new RpcException(new Status(StatusCode.NotFound, "Made up."), trailers));
        await Assert.ThrowsAsync<SquallNotFoundException>(() => world.Client().SayHelloAsync());
    }

    private Task<SquallException> FailAsync(StatusCode code, IMessage detail) =>
        FailAsync(code, new Google.Rpc.Status { Details = { Any.Pack(detail) } });

    private async Task<SquallException> FailAsync(StatusCode code, Google.Rpc.Status status)
    {
        (status.Code, status.Message) = ((int)code, "Made up.");
        world.Log.Fail("SayHello", int.MaxValue, status.ToRpcException);
        var client = world.Client(options => options.AttemptsMax = 1);
        return await Assert.ThrowsAnyAsync<SquallException>(() => client.SayHelloAsync());
    }
}
