using Google.Protobuf;
using Grpc.Core;
using Squall.V1;

namespace Squall.Server.Tests;

/// <summary>Who may do what, beyond what matrix.txt says of each RPC and ForeignIds of each id.</summary>
public sealed class AccessTests : IClassFixture<FrozenServer>
{
    private static readonly Role[] Roles =
        [Role.Viewer, Role.Worker, Role.Editor, Role.Owner];

    /// <summary>
    /// The second list or task of a request, whose first is the caller's own: the role that its list asks for, and what
    /// is answered to whoever has it. A parent is to be seen, and is of another list.
    /// </summary>
    private static readonly (string Rpc, string Field, Role Needs, StatusCode Answer)[] Table =
    [
        ("TaskService/UpdateTask", "task.task_list_id", Role.Editor, StatusCode.OK),
        ("TaskService/UpdateTask", "task.parent_id", Role.Viewer, StatusCode.FailedPrecondition),
        ("TaskService/CreateTask", "task.parent_id", Role.Viewer, StatusCode.FailedPrecondition),
        ("TaskService/BatchCreateTasks", "tasks.parent_id", Role.Viewer, StatusCode.FailedPrecondition),
    ];

    private readonly ServerFixture _server;

    public AccessTests(FrozenServer frozen) => _server = frozen.Server;

    public static TheoryData<string, string> Rows()
    {
        var rows = new TheoryData<string, string>();
        Array.ForEach(Table, row => rows.Add(row.Rpc, row.Field));
        return rows;
    }

    [Theory]
    [MemberData(nameof(Rows))]
    public async Task A_second_list_is_reached_with_the_role_that_it_asks_for_and_no_lower_one(string rpc, string field)
    {
        (_, _, Role needs, StatusCode answer) = Table.Single(row => (row.Rpc, row.Field) == (rpc, field));
        foreach (Role role in Roles)
        {
            using Client ada = await SignInAsync();
            using Client caller = await SignInAsync();
            Place place = await Place.MakeAsync(_server, ada);
            await ada.ShareAsync(place.List, caller, role);
            IMessage request = await (await Place.MakeAsync(_server, caller)).RequestAsync(rpc);
            bool isList = field.EndsWith("list_id", StringComparison.Ordinal);
            Contract.Set(request, field, isList ? place.List.Id : await place.AddTaskAsync());
            string before = await _server.DumpAsync();
            Assert.Equal(
                (role, role < needs ? StatusCode.PermissionDenied : answer),
                (role, await AnswerAsync(caller, rpc, request)));
            bool changes = role >= needs && answer == StatusCode.OK;
            Assert.Equal((role, changes), (role, before != await _server.DumpAsync()));
        }
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
