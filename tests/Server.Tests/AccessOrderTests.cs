using Google.Protobuf;
using Grpc.Core;
using Squall.V1;

namespace Squall.Server.Tests;

/// <summary>
/// With two faults at once, the one is told that comes first: UNAUTHENTICATED, UNIMPLEMENTED, INVALID_ARGUMENT, the
/// answer to an earlier request_id, NOT_FOUND, PERMISSION_DENIED, ABORTED, FAILED_PRECONDITION.
/// </summary>
public sealed class AccessOrderTests : IClassFixture<FrozenServer>
{
    private const string None = "01890000-0000-7000-8000-000000000000";
    private readonly ServerFixture _server;

    public AccessOrderTests(FrozenServer frozen) => _server = frozen.Server;

    /// <summary>Every RPC that takes an expected_version, and the task's or the list's place in its request.</summary>
    public static TheoryData<string> Versioned() => Of(
        method => method.InputType.FindFieldByName("expected_version") is not null);

    /// <summary>Every RPC that takes a request_id.</summary>
    public static TheoryData<string> Repeatable() => Of(
        method => method.InputType.FindFieldByName("request_id") is not null);

    [Fact]
    public async Task Who_is_not_logged_in_is_told_so_whatever_else_is_wrong()
    {
        foreach (var method in Contract.Methods.Where(method => Contract.NeedOf(method).Proof != Proof.Nothing))
        {
            await AssertAsync(StatusCode.Unauthenticated, "TOKEN_MISSING", "", () =>
                _server.Channel.CallAsync(method, Array.Empty<byte>(), []));
        }
    }

    [Fact]
    public async Task What_is_of_a_later_version_is_told_ahead_of_what_is_wrong_with_the_request()
    {
        using Client ada = await SignInAsync();
        foreach (var method in Contract.Methods.Where(Contract.IsLater))
        {
            await AssertAsync(StatusCode.Unimplemented, "NOT_YET_SUPPORTED", "", () =>
                _server.Channel.CallAsync(method, Array.Empty<byte>(), ada.Headers));
        }
    }

    [Theory]
    [MemberData(nameof(Repeatable))]
    public async Task What_the_request_alone_shows_is_told_ahead_of_the_earlier_answer(string rpc)
    {
        using Client ada = await SignInAsync();
        Place place = await Place.MakeAsync(_server, ada);
        IMessage request = await place.RequestAsync(rpc);
        Contract.Set(request, "request_id", Guid.NewGuid().ToString());
        await CallAsync(ada, rpc, request);
        (string field, object value) = Fault(rpc);
        Contract.Set(request, field, value);
        await AssertAsync(StatusCode.InvalidArgument, null, field, () => CallAsync(ada, rpc, request));
    }

    [Theory]
    [MemberData(nameof(Repeatable))]
    public async Task The_earlier_answer_is_told_though_the_list_is_gone_by_now(string rpc)
    {
        using Client ada = await SignInAsync();
        Place place = await Place.MakeAsync(_server, ada);
        IMessage request = await place.RequestAsync(rpc);
        Contract.Set(request, "request_id", Guid.NewGuid().ToString());
        IMessage? first = await CallAsync(ada, rpc, request);
        if (rpc != "TaskListService/DeleteTaskList")
        {
            await ada.Lists.DeleteTaskListAsync(new() { TaskListId = place.List.Id }, ada.Headers);
        }

        Assert.Equal(first, await CallAsync(ada, rpc, request));

        // Another request under the same id is no retry, whatever has become of the list.
        IMessage other = request.Descriptor.Parser.ParseFrom(request.ToByteArray());
        Contract.Set(other, Text(rpc).Field, Text(rpc).Value);
        await AssertAsync(
            StatusCode.InvalidArgument, "REQUEST_ID_REUSED", "request_id", () => CallAsync(ada, rpc, other));
    }

    [Fact]
    public async Task What_is_not_there_is_told_ahead_of_a_role_that_is_too_low()
    {
        using Client ada = await SignInAsync();
        using Client bob = await SignInAsync();
        Place place = await Place.MakeAsync(_server, ada);
        await ada.ShareAsync(place.List, bob, Role.Viewer);
        foreach ((string rpc, string field) in ((string, string)[])
            [
                ("TaskService/CreateTask", "task.parent_id"), ("TaskService/BatchCreateTasks", "tasks.parent_id"),
                ("TaskService/UpdateTask", "task.parent_id"), ("TaskService/UpdateTask", "task.task_list_id"),
                ("TaskListService/RemoveMember", "account_id"),
            ])
        {
            IMessage request = await place.RequestAsync(rpc);
            await AssertAsync(
                StatusCode.PermissionDenied, "ROLE_TOO_LOW", "", () => CallAsync(bob, rpc, request));
            Contract.Set(request, field, None);
            await AssertAsync(StatusCode.NotFound, "NOT_FOUND", "", () => CallAsync(bob, rpc, request));
        }
    }

    [Fact]
    public async Task That_there_is_no_such_account_is_told_to_owners_only()
    {
        using Client ada = await SignInAsync();
        using Client bob = await SignInAsync();
        Place place = await Place.MakeAsync(_server, ada);
        await ada.ShareAsync(place.List, bob, Role.Editor);
        var request = new SetMemberRequest { TaskListId = place.List.Id, Username = "no.one", Role = Role.Viewer };
        await AssertAsync(StatusCode.PermissionDenied, "ROLE_TOO_LOW", "", async () =>
            await bob.Lists.SetMemberAsync(request, bob.Headers));
        await AssertAsync(StatusCode.NotFound, "NOT_FOUND", "", async () =>
            await ada.Lists.SetMemberAsync(request, ada.Headers));
    }

    [Theory]
    [MemberData(nameof(Versioned))]
    public async Task A_role_that_is_too_low_is_told_ahead_of_a_wrong_version(string rpc)
    {
        using Client ada = await SignInAsync();
        using Client bob = await SignInAsync();
        Place place = await Place.MakeAsync(_server, ada);
        await ada.ShareAsync(place.List, bob, Role.Viewer);
        IMessage request = await place.RequestAsync(rpc);
        Contract.Set(request, "expected_version", 99L);
        await AssertAsync(StatusCode.PermissionDenied, "ROLE_TOO_LOW", "", () => CallAsync(bob, rpc, request));
        RpcException aborted =
            await AssertAsync(StatusCode.Aborted, "VERSION_MISMATCH", "", () => CallAsync(ada, rpc, request));
        long version = rpc == "TaskService/ReopenTask" ? 2 : 1;
        Assert.Equal($"{version}", Refusal.CauseOf(aborted).Metadata["version"]);
        Contract.Set(request, "expected_version", version);
        Assert.NotNull(await CallAsync(ada, rpc, request));
    }

    [Theory]
    [InlineData("TaskService/CompleteTask", "TASK_DONE")]
    [InlineData("TaskService/CancelTask", "TASK_DONE")]
    [InlineData("TaskService/ReopenTask", "TASK_OPEN")]
    [InlineData("TaskService/UpdateTask", "ASSIGNEE_NOT_MEMBER")]
    public async Task A_wrong_version_is_told_ahead_of_a_state_that_does_not_allow_it(string rpc, string reason)
    {
        using Client ada = await SignInAsync();
        Place place = await Place.MakeAsync(_server, ada);
        IMessage request = await place.RequestAsync(rpc);
        if (request is UpdateTaskRequest update)
        {
            update.Task.AssigneeId = None;
            update.UpdateMask.Paths.Add("assignee_id");
        }
        else
        {
            Contract.Set(request, "task_id", await place.AddTaskAsync(done: reason == "TASK_DONE"));
        }

        Contract.Set(request, "expected_version", 99L);
        await AssertAsync(StatusCode.Aborted, "VERSION_MISMATCH", "", () => CallAsync(ada, rpc, request));
        Contract.Set(request, "expected_version", 0L);
        await AssertAsync(StatusCode.FailedPrecondition, reason, "", () => CallAsync(ada, rpc, request));
    }

    private static TheoryData<string> Of(Func<Google.Protobuf.Reflection.MethodDescriptor, bool> which)
    {
        var rpcs = new TheoryData<string>();
        foreach (var method in Contract.Methods.Where(method => !Contract.IsLater(method) && which(method)))
        {
            rpcs.Add(Contract.NameOf(method));
        }

        return rpcs;
    }

    /// <summary>Something that a request of the RPC shows to be wrong by itself.</summary>
    private static (string Field, object Value) Fault(string rpc) => Contract.Method(rpc).InputType
        .FindFieldByName("expected_version") is not null
            ? ("expected_version", -1L)
            : (Text(rpc).Field, "");

    /// <summary>A field of the RPC's request that must be given, and that may be another.</summary>
    private static (string Field, object Value) Text(string rpc) => rpc switch
    {
        "TaskListService/CreateTaskList" or "TaskListService/UpdateTaskList" => ("task_list.title", "another title"),
        "TaskListService/SetMember" => ("username", "another.name"),
        "TaskListService/RemoveMember" => ("account_id", None),
        "TaskListService/DeleteTaskList" => ("task_list_id", None),
        "TaskService/CreateTask" => ("task.title", "another title"),
        "TaskService/UpdateTask" => ("task.title", "another title"),
        "TaskService/BatchCreateTasks" => ("task_list_id", None),
        "TaskService/CreateComment" => ("comment.text", "another text"),
        _ => ("task_id", None),
    };

    private static Task<RpcException> AssertAsync(
        StatusCode code, string? reason, string field, Func<Task> call) =>
        reason is null ? AssertFieldAsync(code, field, call) : Refusal.AssertAsync(code, reason, field, call);

    private static async Task<RpcException> AssertFieldAsync(StatusCode code, string field, Func<Task> call)
    {
        RpcException refused = await Assert.ThrowsAsync<RpcException>(call);
        Assert.Equal((code, field), (refused.StatusCode, Refusal.Of(refused).Field));
        return refused;
    }

    private Task<IMessage?> CallAsync(Client caller, string rpc, IMessage request) =>
        _server.Channel.CallAsync(Contract.Method(rpc), request, caller.Headers);

    private Task<Client> SignInAsync() => Client.SignInAsync(_server, $"u{Guid.NewGuid():N}"[..32]);
}
