using Google.Protobuf;
using Grpc.Core;
using Squall.V1;

namespace Squall.Server.Tests;

/// <summary>What a page token is good for, and how much a page holds.</summary>
public sealed class PageTokenTests : IClassFixture<TaskWorld>
{
    private readonly TaskWorld _world;

    public PageTokenTests(TaskWorld world) => _world = world;

    private Client Ada => _world.Ada;

    [Fact]
    public async Task A_token_is_of_one_caller_one_call_one_filter_and_one_order()
    {
        TaskList list = await _world.SharedListAsync(Role.Viewer);
        TaskItem task = await Ada.AddAsync(list);
        await Ada.AddAsync(list);
        var asked = new ListTasksRequest
        {
            Filter = $"task_list_id = {list.Id}", OrderBy = "title, create_time desc", PageSize = 1,
        };
        ListTasksResponse first = await Ada.Tasks.ListTasksAsync(asked, Ada.Headers);
        asked.PageToken = first.NextPageToken;

        asked.PageSize = 5;
        Assert.Single((await Ada.Tasks.ListTasksAsync(asked, Ada.Headers)).Tasks);
        await RefusedAsync(_world.Bob, asked);
        foreach (Action<ListTasksRequest> change in new Action<ListTasksRequest>[]
        {
            it => it.Filter = "",
            it => it.Filter += " ",
            it => it.Filter += " AND state = OPEN",
            it => it.OrderBy = "title, create_time",
            it => it.OrderBy = "title",
            it => it.OrderBy = "",
        })
        {
            ListTasksRequest other = asked.Clone();
            change(other);
            await RefusedAsync(Ada, other);
        }

        await Refusal.AssertAsync(StatusCode.InvalidArgument, "PAGE_TOKEN", "page_token", async () =>
            await Ada.Tasks.ListCommentsAsync(new() { TaskId = task.Id, PageToken = asked.PageToken }, Ada.Headers));
        await Refusal.AssertAsync(StatusCode.InvalidArgument, "PAGE_TOKEN", "page_token", async () =>
            await Ada.Lists.ListTaskListsAsync(new() { PageToken = asked.PageToken }, Ada.Headers));
    }

    [Fact]
    public async Task A_token_that_was_changed_anywhere_is_refused()
    {
        TaskList list = await Ada.CreateListAsync();
        await Ada.AddAsync(list);
        await Ada.AddAsync(list);
        var asked = new ListTasksRequest { Filter = $"task_list_id = {list.Id}", PageSize = 1 };
        string token = (await Ada.Tasks.ListTasksAsync(asked, Ada.Headers)).NextPageToken;
        for (int at = 0; at < token.Length - 1; at++)
        {
            asked.PageToken = token[..at] + (token[at] == 'A' ? 'B' : 'A') + token[(at + 1)..];
            await RefusedAsync(Ada, asked);
        }

        string[] others = [token[..^4], token + "AAAA", token + token, "AAAA", "%", "é", new('A', 70_000)];
        foreach (string other in others)
        {
            asked.PageToken = other;
            await RefusedAsync(Ada, asked);
        }
    }

    [Fact]
    public async Task A_token_holds_the_longest_title_and_is_good_after_a_restart()
    {
        var server = new ServerFixture(options => options.Limits.TaskTitleCharactersMax = 10_000);
        await server.InitializeAsync();
        using Client ada = await Client.SignInAsync(server, "ada");
        TaskList list = await ada.CreateListAsync();
        string title = string.Concat(Enumerable.Repeat("😀", 10_000));
        TaskItem[] tasks = [await ada.AddAsync(list, title), await ada.AddAsync(list, title)];
        var asked = new ListTasksRequest { OrderBy = "title, rank", PageSize = 1 };
        asked.PageToken = (await ada.Tasks.ListTasksAsync(asked, ada.Headers)).NextPageToken;
        await server.RestartAsync();
        using Client again = ada.On(server.Address);
        Assert.Equal([tasks[1]], (await again.Tasks.ListTasksAsync(asked, again.Headers)).Tasks);
        await server.DisposeAsync();
    }

    [Fact]
    public async Task A_page_has_fifty_unless_told_and_a_thousand_at_most()
    {
        TaskList list = await Ada.CreateListAsync();
        var batch = new BatchCreateTasksRequest { TaskListId = list.Id };
        batch.Tasks.AddRange(Enumerable.Range(0, 1_000).Select(at => new TaskItem { Title = $"{at}" }));
        await Ada.Tasks.BatchCreateTasksAsync(batch, Ada.Headers);
        await Ada.AddAsync(list, "1000");
        (int, int)[] sizes = [(0, 50), (1, 1), (1_000, 1_000), (1_001, 1_000), (int.MaxValue, 1_000)];
        foreach ((int asked, int given) in sizes)
        {
            ListTasksResponse page = await Ada.Tasks.ListTasksAsync(
                new() { Filter = $"task_list_id = {list.Id}", PageSize = asked }, Ada.Headers);
            Assert.Equal(given, page.Tasks.Count);
            Assert.NotEmpty(page.NextPageToken);
        }

        Assert.Equal(
            Enumerable.Range(0, 1_001).Select(at => $"{at}"), (await Ada.ListAsync(list)).Select(task => task.Title));
    }

    [Fact]
    public async Task A_page_ends_early_where_its_answer_would_pass_three_megabytes()
    {
        TaskList list = await Ada.CreateListAsync();
        for (int at = 0; at < 60; at++)
        {
            await Ada.AddAsync(list, $"{at}", task => task.Note = new string('n', 64 << 10));
        }

        var asked = new ListTasksRequest { Filter = $"task_list_id = {list.Id}", PageSize = 1_000 };
        ListTasksResponse first = await Ada.Tasks.ListTasksAsync(asked, Ada.Headers);
        Assert.InRange(first.CalculateSize(), (3 << 20) - (66 << 10), (3 << 20) + 1_000);
        asked.PageToken = first.NextPageToken;
        ListTasksResponse second = await Ada.Tasks.ListTasksAsync(asked, Ada.Headers);
        Assert.Empty(second.NextPageToken);
        Assert.Equal(
            Enumerable.Range(0, 60).Select(at => $"{at}"),
            first.Tasks.Concat(second.Tasks).Select(task => task.Title));
    }

    [Fact]
    public async Task A_page_of_a_list_that_one_may_not_see_or_does_not_see_any_more_is_empty()
    {
        TaskList list = await _world.SharedListAsync(Role.Viewer);
        await Ada.AddAsync(list);
        await Ada.AddAsync(list);
        Client bob = _world.Bob;
        var named = new ListTasksRequest { Filter = $"task_list_id = {list.Id}", PageSize = 1 };
        var all = new ListTasksRequest { Filter = "title = \"a task\"", PageSize = 1 };
        foreach (ListTasksRequest asked in new[] { named, all })
        {
            asked.PageToken = (await bob.Tasks.ListTasksAsync(asked, bob.Headers)).NextPageToken;
            Assert.NotEmpty(asked.PageToken);
        }

        await Ada.Lists.RemoveMemberAsync(new() { TaskListId = list.Id, AccountId = bob.Account.Id }, Ada.Headers);
        foreach (ListTasksRequest asked in new[] { named, all })
        {
            ListTasksResponse page = await bob.Tasks.ListTasksAsync(asked, bob.Headers);
            Assert.DoesNotContain(page.Tasks, task => task.TaskListId == list.Id);
            asked.PageToken = "";
            Assert.DoesNotContain(
                (await bob.Tasks.ListTasksAsync(asked, bob.Headers)).Tasks, task => task.TaskListId == list.Id);
        }
    }

    private static Task<RpcException> RefusedAsync(Client who, ListTasksRequest asked) =>
        Refusal.AssertAsync(StatusCode.InvalidArgument, "PAGE_TOKEN", "page_token", async () =>
            await who.Tasks.ListTasksAsync(asked, who.Headers));
}
