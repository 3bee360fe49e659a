using System.Text;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Grpc.Core;
using Squall.V1;

namespace Squall.Server.Tests;

/// <summary>
/// Who may do what: for each RPC, and each field of its request that names a list or a task, what a stranger, a viewer,
/// a worker, an editor and an owner are answered.
/// </summary>
public sealed class AccessTests : IClassFixture<FrozenServer>
{
    private static readonly Role[] Roles =
        [Role.Unspecified, Role.Viewer, Role.Worker, Role.Editor, Role.Owner];

    /// <summary>
    /// The role that the list asks for which the field names, and what is answered to whoever has it.
    /// </summary>
    private static readonly (string Rpc, string Field, Role Needs, StatusCode Answer)[] Table =
    [
        ("TaskListService/GetTaskList", "task_list_id", Role.Viewer, StatusCode.OK),
        ("TaskListService/UpdateTaskList", "task_list.id", Role.Owner, StatusCode.OK),
        ("TaskListService/DeleteTaskList", "task_list_id", Role.Owner, StatusCode.OK),
        ("TaskListService/ListMembers", "task_list_id", Role.Viewer, StatusCode.OK),
        ("TaskListService/SetMember", "task_list_id", Role.Owner, StatusCode.OK),
        ("TaskListService/RemoveMember", "task_list_id", Role.Owner, StatusCode.OK),
        ("TaskService/CreateTask", "task.task_list_id", Role.Editor, StatusCode.OK),
        ("TaskService/BatchCreateTasks", "task_list_id", Role.Editor, StatusCode.OK),
        ("TaskService/GetTask", "task_id", Role.Viewer, StatusCode.OK),
        ("TaskService/UpdateTask", "task.id", Role.Editor, StatusCode.OK),
        ("TaskService/CompleteTask", "task_id", Role.Worker, StatusCode.OK),
        ("TaskService/CancelTask", "task_id", Role.Editor, StatusCode.OK),
        ("TaskService/ReopenTask", "task_id", Role.Editor, StatusCode.OK),
        ("TaskService/DeleteTask", "task_id", Role.Editor, StatusCode.OK),
        ("TaskService/CreateComment", "comment.task_id", Role.Worker, StatusCode.OK),
        ("TaskService/ListComments", "task_id", Role.Viewer, StatusCode.OK),
        ("AccountService/CreateApiKey", "api_key.task_list_ids", Role.Viewer, StatusCode.OK),

        // The second list or task of a request, whose first is the caller's own. A parent is to be seen, and is of
        // another list.
        ("TaskService/UpdateTask", "task.task_list_id", Role.Editor, StatusCode.OK),
        ("TaskService/UpdateTask", "task.parent_id", Role.Viewer, StatusCode.FailedPrecondition),
        ("TaskService/CreateTask", "task.parent_id", Role.Viewer, StatusCode.FailedPrecondition),
        ("TaskService/BatchCreateTasks", "tasks.parent_id", Role.Viewer, StatusCode.FailedPrecondition),
    ];

    /// <summary>Fields that name a list or a task, and let nobody reach one.</summary>
    private static readonly (string Field, string Why)[] Harmless =
    [
        ("TaskListService/CreateTaskList task_list.id", "set by the server"),
        ("TaskService/CreateTask task.id", "set by the server"),
        ("TaskService/BatchCreateTasks tasks.id", "set by the server"),
        ("TaskService/CreateComment comment.id", "set by the server"),
        ("TaskService/BatchCreateTasks tasks.task_list_id", "empty or the batch's own, else INVALID_ARGUMENT"),
    ];

    private readonly ServerFixture _server;

    public AccessTests(FrozenServer frozen) => _server = frozen.Server;

    public static TheoryData<string, string> Rows()
    {
        var rows = new TheoryData<string, string>();
        Array.ForEach(Table, row => rows.Add(row.Rpc, row.Field));
        return rows;
    }

    [Fact]
    public void Each_field_of_the_contract_that_names_a_list_or_a_task_has_its_row()
    {
        var named =
            from method in Contract.Methods
            where !Contract.IsLater(method)
            from field in Contract.FieldsOf(method.InputType)
            where NamesSomething(field.Field)
            select $"{Contract.NameOf(method)} {field.Path}";
        Assert.Equal(
            named.Order(StringComparer.Ordinal),
            Table.Select(row => $"{row.Rpc} {row.Field}").Concat(Harmless.Select(row => row.Field))
                .Order(StringComparer.Ordinal));
    }

    [Fact]
    public void The_table_asks_for_the_roles_that_the_gate_asks_for()
    {
        // RemoveMember asks for an owner itself, where it is not oneself that is removed. A key may name a list.
        foreach (var row in Table.Where(row => row.Answer == StatusCode.OK
            && !row.Rpc.EndsWith("RemoveMember") && !row.Rpc.EndsWith("CreateApiKey")))
        {
            Assert.Equal((row.Rpc, row.Needs), (row.Rpc, Contract.NeedOf(Contract.Method(row.Rpc)).Role));
        }
    }

    [Theory]
    [MemberData(nameof(Rows))]
    public async Task A_stranger_is_told_nothing_a_low_role_is_refused_and_a_member_with_the_role_succeeds(
        string rpc, string field)
    {
        (_, _, Role needs, StatusCode answer) = Table.Single(row => (row.Rpc, row.Field) == (rpc, field));
        foreach (Role role in Roles)
        {
            using Client ada = await SignInAsync();
            using Client caller = await SignInAsync();
            Place place = await Place.MakeAsync(_server, ada);
            if (role != Role.Unspecified)
            {
                await ada.ShareAsync(place.List, caller, role);
            }

            (IMessage request, string id) = await RequestAsync(place, caller, rpc, field);
            if (role == Role.Unspecified)
            {
                await AssertUnseenAsync(caller, rpc, field, request, id);
            }
            else if (role < needs)
            {
                await AssertUnchangedAsync(() => Refusal.AssertAsync(
                    StatusCode.PermissionDenied, "ROLE_TOO_LOW", () => CallAsync(caller, rpc, request)));
            }
            else
            {
                Assert.Equal((role, answer), (role, await AnswerAsync(caller, rpc, request)));
            }
        }
    }

    [Theory]
    [InlineData(Role.Viewer)]
    [InlineData(Role.Worker)]
    [InlineData(Role.Editor)]
    [InlineData(Role.Owner)]
    public async Task Anyone_may_leave_a_list(Role role)
    {
        using Client ada = await SignInAsync();
        using Client bob = await SignInAsync();
        TaskList list = await ada.CreateListAsync();
        await ada.ShareAsync(list, bob, role);
        await bob.Lists.RemoveMemberAsync(new() { TaskListId = list.Id, AccountId = bob.Account.Id }, bob.Headers);
        await Refusal.AssertAsync(StatusCode.NotFound, "NOT_FOUND", async () =>
            await bob.Lists.GetTaskListAsync(new() { TaskListId = list.Id }, bob.Headers));
    }

    [Fact]
    public async Task A_role_is_as_it_is_when_the_call_is_made()
    {
        using Client ada = await SignInAsync();
        using Client bob = await SignInAsync();
        Place place = await Place.MakeAsync(_server, ada);
        foreach ((Role role, StatusCode answer) in ((Role, StatusCode)[])
            [
                (Role.Editor, StatusCode.OK), (Role.Viewer, StatusCode.PermissionDenied),
                (Role.Owner, StatusCode.OK), (Role.Worker, StatusCode.PermissionDenied),
            ])
        {
            await ada.ShareAsync(place.List, bob, role);
            IMessage request = await place.RequestAsync("TaskService/CreateTask");
            Assert.Equal((role, answer), (role, await AnswerAsync(bob, "TaskService/CreateTask", request)));
        }
    }

    [Fact]
    public async Task A_filter_finds_nothing_in_a_list_of_others_as_if_it_were_not_there()
    {
        Assert.Equal(
            ["TaskService/ListTasks", "NotificationService/Subscribe", "NotificationService/ListNotifications"],
            Contract.Methods.Where(method => !Contract.IsLater(method)
                && method.InputType.FindFieldByName("filter") is not null).Select(Contract.NameOf));
        using Client ada = await SignInAsync();
        using Client eve = await SignInAsync();
        using Client bob = await SignInAsync();
        Place place = await Place.MakeAsync(_server, ada);
        await ada.ShareAsync(place.List, bob, Role.Viewer);
        string task = await place.AddTaskAsync();
        string none = Guid.CreateVersion7().ToString();
        foreach (string filter in (string[])["", $"task_list_id = \"{place.List.Id}\"", $"id = \"{task}\""])
        {
            string absent = filter.Replace(task, none, StringComparison.Ordinal)
                .Replace(place.List.Id, none, StringComparison.Ordinal);
            Assert.Equal((1, 1), await FindAsync(bob, filter));
            Assert.Equal((0, 0), await FindAsync(eve, filter));
            Assert.Equal((0, 0), await FindAsync(eve, absent));
        }
    }

    private static bool NamesSomething(FieldDescriptor field) => field.Name switch
    {
        "id" => field.ContainingType.Name is "TaskItem" or "TaskList" or "Comment",
        var name => name.EndsWith("task_list_id", StringComparison.Ordinal)
            || name.EndsWith("task_list_ids", StringComparison.Ordinal)
            || name.EndsWith("task_id", StringComparison.Ordinal)
            || name.EndsWith("parent_id", StringComparison.Ordinal)
            || name.EndsWith("comment_id", StringComparison.Ordinal),
    };

    private static string IdIn(IMessage request, string field)
    {
        object? at = request;
        foreach (string name in field.Split('.'))
        {
            at = ((IMessage)at!).Descriptor.FindFieldByName(name).Accessor.GetValue((IMessage)at);
            at = at is System.Collections.IList list ? list[0] : at;
        }

        return (string)at!;
    }

    /// <summary>How many tasks a filter finds, in a page and in a snapshot, and that their changes are told alike.
    /// </summary>
    private async Task<(int Listed, int InSnapshot)> FindAsync(Client caller, string filter)
    {
        ListTasksResponse page = await caller.Tasks.ListTasksAsync(new() { Filter = filter }, caller.Headers);
        using var stream = new Subscriber(caller, new() { Filter = filter, Snapshot = true });
        List<SubscribeResponse> snapshot = await stream.ThroughAsync(SubscribeResponse.MessageOneofCase.Synced);
        ListNotificationsResponse past = await new NotificationService.NotificationServiceClient(_server.Channel)
            .ListNotificationsAsync(new() { Filter = filter, PageSize = 1_000 }, caller.Headers);
        Assert.Equal(
            page.Tasks.Count, past.Messages.Count(message => message.Notification?.TaskCreated is not null));
        return (page.Tasks.Count, snapshot.Count - 1);
    }

    /// <summary>The request, and the id in it that names what the caller is to have a role in.</summary>
    private async Task<(IMessage Request, string Id)> RequestAsync(
        Place place, Client caller, string rpc, string field)
    {
        int first = Array.FindIndex(Table, row => row.Rpc == rpc);
        if (Table[first].Field == field)
        {
            IMessage own = await place.RequestAsync(rpc);
            return (own, IdIn(own, field));
        }

        IMessage request = await (await Place.MakeAsync(_server, caller)).RequestAsync(rpc);
        string id = field.EndsWith("list_id", StringComparison.Ordinal) ? place.List.Id : await place.AddTaskAsync();
        Contract.Set(request, field, id);
        return (request, id);
    }

    /// <summary>The answer is that for what does not exist, byte for byte, save the id.</summary>
    private async Task AssertUnseenAsync(Client caller, string rpc, string field, IMessage request, string id)
    {
        RpcException unseen = await AssertUnchangedAsync(() => Refusal.AssertAsync(
            StatusCode.NotFound, "NOT_FOUND", () => CallAsync(caller, rpc, request)));
        string none = Guid.CreateVersion7().ToString();
        Contract.Set(request, field, none);
        RpcException absent = await Refusal.AssertAsync(
            StatusCode.NotFound, "NOT_FOUND", () => CallAsync(caller, rpc, request));
        Assert.Equal(absent.Status.Detail, unseen.Status.Detail);
        Assert.Equal(Trailers(absent, none), Trailers(unseen, id));
    }

    private static IEnumerable<(string Key, string Value)> Trailers(RpcException refused, string id) =>
        refused.Trailers.Where(entry => entry.Key != "date").Select(entry => (
            entry.Key,
            (entry.IsBinary ? Encoding.Latin1.GetString(entry.ValueBytes) : entry.Value)
                .Replace(id, "the id", StringComparison.Ordinal)));

    private async Task<RpcException> AssertUnchangedAsync(Func<Task<RpcException>> refused)
    {
        string before = await _server.DumpAsync();
        RpcException refusal = await refused();
        Assert.Equal(before, await _server.DumpAsync());
        return refusal;
    }

    private Task<IMessage?> CallAsync(Client caller, string rpc, IMessage request) =>
        _server.Channel.CallAsync(Contract.Method(rpc), request, caller.Headers);

    private async Task<StatusCode> AnswerAsync(Client caller, string rpc, IMessage request)
    {
        try
        {
            await CallAsync(caller, rpc, request);
            return StatusCode.OK;
        }
        catch (RpcException refused)
        {
            return refused.StatusCode;
        }
    }

    private Task<Client> SignInAsync() => Client.SignInAsync(_server, $"u{Guid.NewGuid():N}"[..32]);
}
