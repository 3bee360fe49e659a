using Google.Protobuf;
using Grpc.Core;
using Squall.V1;

namespace Squall.Server.Tests;

/// <summary>What a key reaches of what its account does, beyond what matrix.txt says of each RPC.</summary>
public sealed class ApiKeyReachTests : IClassFixture<FrozenServer>
{
    private static readonly Role[] Roles = [Role.Viewer, Role.Worker, Role.Editor, Role.Owner];

    private readonly ServerFixture _server;

    public ApiKeyReachTests(FrozenServer frozen) => _server = frozen.Server;

    [Fact]
    public async Task The_lower_of_the_members_and_the_keys_role_is_given_and_told()
    {
        using Client ada = await SignInAsync();
        using Client bob = await SignInAsync();
        Place place = await Place.MakeAsync(_server, ada);
        foreach (Role member in Roles)
        {
            await ada.ShareAsync(place.List, bob, member);
            foreach (Role role in Roles)
            {
                (ApiKey made, Metadata key) = await bob.AddKeyAsync(role);
                Role lower = member < role ? member : role;
                Assert.Equal((member, role, lower), (member, role, (await bob.Lists.GetTaskListAsync(
                    new() { TaskListId = place.List.Id }, key)).TaskList.Role));
                Assert.Equal(lower, (await bob.Lists.ListTaskListsAsync(new(), key)).TaskLists.Single().Role);
                Assert.Equal(
                    (member, role, lower >= Role.Editor),
                    (member, role, await CallAsync(
                        "TaskService/CreateTask", await place.RequestAsync("TaskService/CreateTask"), key) is null));
                await bob.Accounts.RevokeApiKeyAsync(new() { ApiKeyId = made.Id }, bob.Headers);
            }
        }
    }

    [Fact]
    public async Task A_key_goes_with_its_accounts_membership_and_comes_back_with_it()
    {
        using Client ada = await SignInAsync();
        using Client bob = await SignInAsync();
        Place place = await Place.MakeAsync(_server, ada);
        await ada.ShareAsync(place.List, bob, Role.Editor);
        (_, Metadata key) = await bob.AddKeyAsync(lists: place.List);
        await ada.Lists.RemoveMemberAsync(
            new() { TaskListId = place.List.Id, AccountId = bob.Account.Id }, ada.Headers);
        var get = new GetTaskListRequest { TaskListId = place.List.Id };
        await Refusal.AssertAsync(
            StatusCode.NotFound, "NOT_FOUND", async () => await bob.Lists.GetTaskListAsync(get, key));
        await ada.ShareAsync(place.List, bob, Role.Viewer);
        Assert.Equal(Role.Viewer, (await bob.Lists.GetTaskListAsync(get, key)).TaskList.Role);
    }

    [Fact]
    public async Task Lists_and_tasks_are_those_of_the_lists_that_it_names_on_every_page_and_in_every_order()
    {
        using Client ada = await SignInAsync();
        var lists = new List<TaskList>();
        for (int at = 0; at < 5; at++)
        {
            TaskList list = await ada.CreateListAsync();
            lists.Add(list);
            for (int task = 0; task < 3; task++)
            {
                await ada.AddAsync(list, $"a task {task}");
            }
        }

        (_, Metadata key) = await ada.AddKeyAsync(Role.Viewer, null, lists[1], lists[3]);
        Assert.Equal([lists[1].Id, lists[3].Id], await PageAsync());
        foreach (string order in (string[])["", "title desc", "due_time", "create_time"])
        {
            Assert.Equal((order, 6), (order, (await TasksAsync("", order)).Count));
            Assert.All(
                await TasksAsync("", order),
                task => Assert.True(task.TaskListId == lists[1].Id || task.TaskListId == lists[3].Id));
        }

        Assert.Equal(2, (await TasksAsync("\"task 1\"", "")).Count);
        Assert.Empty(await TasksAsync($"task_list_id = \"{lists[0].Id}\"", ""));
        Assert.Equal(3, (await TasksAsync($"task_list_id = \"{lists[1].Id}\"", "")).Count);

        async Task<string[]> PageAsync()
        {
            var ids = new List<string>();
            var request = new ListTaskListsRequest { PageSize = 1 };
            do
            {
                ListTaskListsResponse page = await ada.Lists.ListTaskListsAsync(request, key);
                ids.AddRange(page.TaskLists.Select(list => list.Id));
                request.PageToken = page.NextPageToken;
            }
            while (request.PageToken.Length > 0);

            return [.. ids];
        }

        async Task<List<TaskItem>> TasksAsync(string filter, string order)
        {
            var tasks = new List<TaskItem>();
            var request = new ListTasksRequest { PageSize = 2, Filter = filter, OrderBy = order };
            do
            {
                ListTasksResponse page = await ada.Tasks.ListTasksAsync(request, key);
                tasks.AddRange(page.Tasks);
                request.PageToken = page.NextPageToken;
            }
            while (request.PageToken.Length > 0);

            return tasks;
        }
    }

    private async Task<Refusal?> CallAsync(string rpc, IMessage request, Metadata headers)
    {
        try
        {
            await _server.Channel.CallAsync(Contract.Method(rpc), request, headers);
            return null;
        }
        catch (RpcException refused)
        {
            return Refusal.Of(refused);
        }
    }

    private Task<Client> SignInAsync() => Client.SignInAsync(_server, $"u{Guid.NewGuid():N}"[..32]);
}
