using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Grpc.Core;
using Squall.V1;

namespace Squall.Server.Tests;

/// <summary>Lists, as those who share them see them.</summary>
public sealed class TaskListTests : IClassFixture<ServerFixture>
{
    private readonly ServerFixture _server;

    public TaskListTests(ServerFixture server) => _server = server;

    [Fact]
    public async Task A_list_is_created_with_its_creator_as_owner()
    {
        using Client ada = await Client.SignInAsync(_server, "creator");
        string before = await ada.CursorAsync();
        TaskList list = await ada.CreateListAsync("Groceries 🛒");

        Assert.Equal(7, Guid.Parse(list.Id).Version);
        Assert.Equal(list.Id, list.Id.ToLowerInvariant());
        Assert.Equal(("Groceries 🛒", 1, Role.Owner), (list.Title, list.Version, list.Role));
        Assert.Equal(list.CreateTime, list.UpdateTime);
        Assert.Equal(list, await ada.GetAsync(list));
        Assert.Equal([list], await AllAsync(ada));
        Assert.Equal([Role.Owner], (await ada.MembersAsync(list)).Select(member => member.Role));

        Notification told = Assert.Single(await ada.ToldAsync(before));
        list.Role = Role.Unspecified;
        Assert.Equal(list, told.TaskListCreated.TaskList);
        Assert.Equal((ada.Account.Id, list.Id), (told.ActorId, told.TaskListId));
    }

    [Fact]
    public async Task What_the_server_sets_is_not_taken_from_a_request()
    {
        using Client ada = await Client.SignInAsync(_server, "presumptuous");
        var wanted = new TaskList { Id = "mine", Title = "x", Version = 9, Role = Role.Viewer };
        wanted.CreateTime = wanted.UpdateTime = new Timestamp { Seconds = 1 };
        TaskList list = (await ada.Lists.CreateTaskListAsync(new() { TaskList = wanted }, ada.Headers)).TaskList;
        Assert.NotEqual("mine", list.Id);
        Assert.Equal((1, Role.Owner), (list.Version, list.Role));
        Assert.True(list.CreateTime.Seconds > 1);
        Assert.True(list.UpdateTime.Seconds > 1);
    }

    [Fact]
    public async Task Lists_come_in_order_of_creation_a_page_at_a_time_and_a_new_one_comes_last()
    {
        using Client ada = await Client.SignInAsync(_server, "collector");
        using Client bob = await Client.SignInAsync(_server, "bystander");
        var mine = new List<TaskList>();
        for (int at = 0; at < 7; at++)
        {
            await bob.CreateListAsync("not hers");
            mine.Add(at == 3 ? await SharedAsync(bob, ada) : await ada.CreateListAsync($"list {7 - at}"));
        }

        var request = new ListTaskListsRequest { PageSize = 3 };
        ListTaskListsResponse first = await ada.Lists.ListTaskListsAsync(request, ada.Headers);
        mine.Add(await ada.CreateListAsync("made meanwhile"));
        request.PageToken = first.NextPageToken;
        ListTaskListsResponse second = await ada.Lists.ListTaskListsAsync(request, ada.Headers);
        request.PageToken = second.NextPageToken;
        ListTaskListsResponse third = await ada.Lists.ListTaskListsAsync(request, ada.Headers);

        Assert.Equal([3, 3, 2], [first.TaskLists.Count, second.TaskLists.Count, third.TaskLists.Count]);
        Assert.Empty(third.NextPageToken);
        Assert.Equal(mine, [.. first.TaskLists, .. second.TaskLists, .. third.TaskLists]);
        Assert.Equal(Role.Worker, mine[3].Role);
    }

    [Fact]
    public async Task A_page_of_lists_that_is_just_full_is_the_last()
    {
        using Client ada = await Client.SignInAsync(_server, "exact");
        await ada.CreateListAsync();
        await ada.CreateListAsync();
        ListTaskListsResponse page = await ada.Lists.ListTaskListsAsync(new() { PageSize = 2 }, ada.Headers);
        Assert.Equal(2, page.TaskLists.Count);
        Assert.Empty(page.NextPageToken);
    }

    [Fact]
    public async Task A_page_token_is_its_callers_own_and_of_this_call()
    {
        using Client ada = await Client.SignInAsync(_server, "token.ada");
        using Client bob = await Client.SignInAsync(_server, "token.bob");
        foreach (Client who in new[] { ada, bob })
        {
            await who.CreateListAsync();
            await who.CreateListAsync();
        }

        string token = (await ada.Lists.ListTaskListsAsync(new() { PageSize = 1 }, ada.Headers)).NextPageToken;
        await ada.Lists.ListTaskListsAsync(new() { PageSize = 2, PageToken = token }, ada.Headers);
        await Refusal.AssertAsync(StatusCode.InvalidArgument, "PAGE_TOKEN", "page_token", async () =>
            await bob.Lists.ListTaskListsAsync(new() { PageSize = 1, PageToken = token }, bob.Headers));
        await Refusal.AssertAsync(StatusCode.InvalidArgument, "PAGE_TOKEN", "page_token", async () =>
            await ada.Tasks.ListTasksAsync(new() { PageSize = 1, PageToken = token }, ada.Headers));
    }

    [Fact]
    public async Task An_update_changes_the_title_and_nothing_else()
    {
        using Client ada = await Client.SignInAsync(_server, "renamer");
        TaskList list = await ada.CreateListAsync("before");
        string before = await ada.CursorAsync();
        TaskList after = await UpdateAsync(ada, list, "after");

        Assert.True(after.UpdateTime.ToDateTime() > list.UpdateTime.ToDateTime());
        TaskList expected = list.Clone();
        (expected.Title, expected.Version, expected.UpdateTime) = ("after", 2, after.UpdateTime);
        Assert.Equal(expected, after);
        Assert.Equal(expected, await ada.GetAsync(list));

        expected.Role = Role.Unspecified;
        Assert.Equal(expected, Assert.Single(await ada.ToldAsync(before)).TaskListUpdated.TaskList);
    }

    [Fact]
    public async Task An_update_to_what_is_there_already_is_no_change()
    {
        using Client ada = await Client.SignInAsync(_server, "repeater");
        TaskList list = await ada.CreateListAsync("as it is");
        string before = await ada.CursorAsync();
        Assert.Equal(list, await UpdateAsync(ada, list, "as it is"));
        Assert.Empty(await ada.ToldAsync(before));
    }

    [Fact]
    public async Task An_expected_version_that_is_not_the_current_one_is_refused_and_told_the_current_one()
    {
        using Client ada = await Client.SignInAsync(_server, "versioned");
        TaskList list = await ada.CreateListAsync();
        await UpdateAsync(ada, list, "second", expectedVersion: 1);
        RpcException update = await Refusal.AssertAsync(StatusCode.Aborted, "VERSION_MISMATCH", async () =>
            await UpdateAsync(ada, list, "third", expectedVersion: 1));
        RpcException delete = await Refusal.AssertAsync(StatusCode.Aborted, "VERSION_MISMATCH", async () =>
            await ada.Lists.DeleteTaskListAsync(new() { TaskListId = list.Id, ExpectedVersion = 3 }, ada.Headers));
        Assert.Equal("2", Refusal.CauseOf(update).Metadata["version"]);
        Assert.Equal("2", Refusal.CauseOf(delete).Metadata["version"]);

        Assert.Equal(("second", 2), ((await ada.GetAsync(list)).Title, (await ada.GetAsync(list)).Version));
        await ada.Lists.DeleteTaskListAsync(new() { TaskListId = list.Id, ExpectedVersion = 2 }, ada.Headers);
    }

    [Fact]
    public async Task Tasks_and_members_do_not_change_a_lists_version()
    {
        using Client ada = await Client.SignInAsync(_server, "steady");
        using Client bob = await Client.SignInAsync(_server, "steady.bob");
        TaskList list = await ada.CreateListAsync();
        await ada.AddAsync(list);
        await ada.ShareAsync(list, bob, Role.Editor);
        await bob.AddAsync(list);
        Assert.Equal(list, await ada.GetAsync(list));
    }

    [Fact]
    public async Task A_deleted_list_is_gone_for_all_at_once_and_each_is_told()
    {
        using Client ada = await Client.SignInAsync(_server, "deleter");
        using Client bob = await Client.SignInAsync(_server, "bereft");
        TaskList list = await ada.CreateListAsync();
        TaskList kept = await ada.CreateListAsync("kept");
        await ada.ShareAsync(list, bob, Role.Viewer);
        TaskItem task = await ada.AddAsync(list);
        string before = await bob.CursorAsync();
        await ada.DeleteAsync(list);

        foreach (Client who in new[] { ada, bob })
        {
            RpcException refused =
                await Refusal.AssertAsync(StatusCode.NotFound, "NOT_FOUND", () => who.GetAsync(list));
            Assert.Equal("task list", Refusal.Detail<ResourceInfo>(refused)!.ResourceType);
            await Refusal.AssertAsync(StatusCode.NotFound, "NOT_FOUND", () => who.GetAsync(task));
            await Refusal.AssertAsync(StatusCode.NotFound, "NOT_FOUND", () => who.MembersAsync(list));
            Assert.Empty(await who.ListAsync());
            Assert.Equal(list.Id, (await who.ToldAsync(before)).Last().TaskListDeleted.TaskListId);
        }

        Assert.Equal([kept], await AllAsync(ada));
        Assert.Empty(await AllAsync(bob));
        await Refusal.AssertAsync(StatusCode.NotFound, "NOT_FOUND", () => ada.AddAsync(list));
        await Refusal.AssertAsync(StatusCode.NotFound, "NOT_FOUND", () => ada.DeleteAsync(list));
    }

    private static async Task<TaskList> SharedAsync(Client owner, Client with)
    {
        TaskList list = await owner.CreateListAsync("shared");
        await owner.ShareAsync(list, with, Role.Worker);
        return await with.GetAsync(list);
    }

    private static async Task<TaskList> UpdateAsync(Client who, TaskList list, string title, long expectedVersion = 0)
    {
        var request = new UpdateTaskListRequest
        {
            TaskList = new() { Id = list.Id, Title = title },
            UpdateMask = new FieldMask { Paths = { "title" } },
            ExpectedVersion = expectedVersion,
        };
        return (await who.Lists.UpdateTaskListAsync(request, who.Headers)).TaskList;
    }

    private static async Task<TaskList[]> AllAsync(Client who) =>
        [.. (await who.Lists.ListTaskListsAsync(new(), who.Headers)).TaskLists];
}
