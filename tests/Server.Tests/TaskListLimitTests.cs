using Grpc.Core;
using Squall.V1;

namespace Squall.Server.Tests;

/// <summary>How many there may be, with limits small enough to be reached, and how long a title.</summary>
public sealed class TaskListLimitTests : IAsyncLifetime
{
    private readonly ServerFixture _server = new(options =>
    {
        options.Limits.AccountListsMax = 3;
        options.Limits.ListMembersMax = 2;
        options.Limits.ListTasksMax = 4;
        options.Limits.PageSizeDefault = 1;
        options.Limits.PageSizeMax = 2;
        options.Limits.AnswerBytesMax = 300;
    });

    private Client _ada = null!;
    private Client _bob = null!;

    public async Task InitializeAsync()
    {
        await _server.InitializeAsync();
        _ada = await Client.SignInAsync(_server, "ada");
        _bob = await Client.SignInAsync(_server, "bob");
    }

    public async Task DisposeAsync()
    {
        _ada.Dispose();
        _bob.Dispose();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task An_account_has_so_many_lists_its_own_and_shared_ones_alike()
    {
        await _bob.CreateListAsync();
        TaskList second = await _bob.CreateListAsync();
        await _bob.CreateListAsync();
        await RefusedAsync("LIST_LIMIT", () => _bob.CreateListAsync());
        TaskList shared = await _ada.CreateListAsync();
        await RefusedAsync("LIST_LIMIT", () => _ada.ShareAsync(shared, _bob, Role.Viewer));
        Assert.Single(await _ada.MembersAsync(shared));

        await _bob.DeleteAsync(second);
        await _ada.ShareAsync(shared, _bob, Role.Viewer);
        await RefusedAsync("LIST_LIMIT", () => _bob.CreateListAsync());
        await _ada.ShareAsync(shared, _bob, Role.Editor);
        await RemoveAsync(shared, _bob);
        await _bob.CreateListAsync();
        await RefusedAsync("LIST_LIMIT", () => _bob.CreateListAsync());
    }

    [Fact]
    public async Task A_list_that_is_deleted_is_one_less_for_all_its_members()
    {
        TaskList shared = await _ada.CreateListAsync();
        await _ada.ShareAsync(shared, _bob, Role.Viewer);
        await _bob.CreateListAsync();
        await _bob.CreateListAsync();
        await RefusedAsync("LIST_LIMIT", () => _bob.CreateListAsync());
        await _ada.DeleteAsync(shared);
        await _bob.CreateListAsync();
        await RefusedAsync("LIST_LIMIT", () => _bob.CreateListAsync());
    }

    [Fact]
    public async Task A_list_has_so_many_members()
    {
        using Client eve = await Client.SignInAsync(_server, "eve");
        TaskList list = await _ada.CreateListAsync();
        await _ada.ShareAsync(list, _bob, Role.Viewer);
        await RefusedAsync("MEMBER_LIMIT", () => _ada.ShareAsync(list, eve, Role.Viewer));
        await _ada.ShareAsync(list, _bob, Role.Editor);
        await RemoveAsync(list, _bob);
        await _ada.ShareAsync(list, eve, Role.Viewer);
        await RefusedAsync("MEMBER_LIMIT", () => _ada.ShareAsync(list, _bob, Role.Viewer));
    }

    [Fact]
    public async Task A_list_has_so_many_tasks_whether_created_or_moved_there()
    {
        TaskList list = await _ada.CreateListAsync();
        TaskList other = await _ada.CreateListAsync();
        var batch = new BatchCreateTasksRequest { TaskListId = list.Id };
        for (int at = 0; at < 3; at++)
        {
            batch.Tasks.Add(new TaskItem { Title = "x" });
        }

        _server.Get<Limits>().AnswerBytesMax = 1 << 20;
        await _ada.Tasks.BatchCreateTasksAsync(batch, _ada.Headers);
        await RefusedAsync("TASKS_LIMIT", async () => await _ada.Tasks.BatchCreateTasksAsync(batch, _ada.Headers));
        TaskItem last = await _ada.AddAsync(list);
        await RefusedAsync("TASKS_LIMIT", () => _ada.AddAsync(list));
        TaskItem moving = await _ada.AddAsync(other);
        await RefusedAsync("TASKS_LIMIT", () =>
            _ada.UpdateAsync(moving, task => task.TaskListId = list.Id, "task_list_id"));
        Assert.Equal(moving, await _ada.GetAsync(moving));

        await _ada.DeleteAsync(last);
        await _ada.UpdateAsync(moving, task => task.TaskListId = list.Id, "task_list_id");
        await RefusedAsync("TASKS_LIMIT", () => _ada.AddAsync(list));
        await _ada.UpdateAsync(moving, task => task.TaskListId = other.Id, "task_list_id");
        await _ada.AddAsync(list);
        Assert.Equal(4, (await _ada.ListAsync(list)).Count);
    }

    [Fact]
    public async Task A_title_has_so_many_characters_which_are_code_points()
    {
        string longest = string.Concat(Enumerable.Repeat("😀", 200));
        TaskList list = await _ada.CreateListAsync(longest);
        Assert.Equal(longest, (await _ada.GetAsync(list)).Title);
        await Refusal.AssertAsync(StatusCode.InvalidArgument, "FIELD_TOO_LONG", "task_list.title", () =>
            _ada.CreateListAsync(longest + "x"));
        await Refusal.AssertAsync(StatusCode.InvalidArgument, "FIELD_TOO_LONG", "task_list.title", async () =>
            await _ada.Lists.UpdateTaskListAsync(
                new()
                {
                    TaskList = new() { Id = list.Id, Title = longest + "x" },
                    UpdateMask = new() { Paths = { "title" } },
                },
                _ada.Headers));
        await Refusal.AssertAsync(StatusCode.InvalidArgument, "FIELD_REQUIRED", "task_list.title", () =>
            _ada.CreateListAsync(""));
    }

    [Fact]
    public async Task A_page_has_as_many_as_is_usual_or_at_most_what_is_allowed()
    {
        await _ada.CreateListAsync();
        await _ada.CreateListAsync();
        await _ada.CreateListAsync();
        Assert.Single((await _ada.Lists.ListTaskListsAsync(new(), _ada.Headers)).TaskLists);
        ListTaskListsResponse most = await _ada.Lists.ListTaskListsAsync(new() { PageSize = 1_001 }, _ada.Headers);
        Assert.Equal(2, most.TaskLists.Count);
        Assert.NotEmpty(most.NextPageToken);
    }

    [Fact]
    public async Task A_page_of_lists_ends_early_where_its_answer_would_be_too_large()
    {
        string title = new('t', 190);
        await _ada.CreateListAsync(title);
        await _ada.CreateListAsync(title);
        ListTaskListsResponse page = await _ada.Lists.ListTaskListsAsync(new() { PageSize = 2 }, _ada.Headers);
        Assert.Single(page.TaskLists);
        ListTaskListsResponse rest = await _ada.Lists.ListTaskListsAsync(
            new() { PageSize = 2, PageToken = page.NextPageToken }, _ada.Headers);
        Assert.Single(rest.TaskLists);
        Assert.Empty(rest.NextPageToken);
    }

    private async Task RemoveAsync(TaskList list, Client member) => await _ada.Lists.RemoveMemberAsync(
        new() { TaskListId = list.Id, AccountId = member.Account.Id }, _ada.Headers);

    private static Task<RpcException> RefusedAsync(string reason, Func<Task> call) =>
        Refusal.AssertAsync(StatusCode.ResourceExhausted, reason, call);
}
