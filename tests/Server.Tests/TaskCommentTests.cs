using Grpc.Core;
using Squall.V1;

namespace Squall.Server.Tests;

/// <summary>A task's conversation, of which there may be five comments in these tests.</summary>
public sealed class TaskCommentTests : IAsyncLifetime
{
    private readonly ServerFixture _server = new(options => options.Limits.TaskCommentsMax = 5);
    private Client _ada = null!;
    private TaskItem _task = null!;

    public async Task InitializeAsync()
    {
        await _server.InitializeAsync();
        _ada = await Client.SignInAsync(_server, "ada");
        _task = await _ada.AddAsync(await _ada.CreateListAsync(), "talked about", it => it.Labels.Add("x"));
    }

    public async Task DisposeAsync()
    {
        _ada.Dispose();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task A_comment_is_kept_and_told_and_does_not_change_its_task()
    {
        string before = await _ada.CursorAsync();
        Comment comment = await _ada.CommentAsync(_task, "It *works* 🎉\r\n\tfor me");
        Assert.Equal(
            new Comment
            {
                Id = comment.Id, TaskId = _task.Id, AuthorId = _ada.Account.Id, Text = "It *works* 🎉\r\n\tfor me",
                CreateTime = comment.CreateTime,
            },
            comment);
        Assert.Equal(7, Guid.Parse(comment.Id).Version);
        Assert.Equal([comment], await ReadAsync(0));
        Assert.Equal(_task, await _ada.GetAsync(_task));
        Notification told = Assert.Single(await _ada.ToldAsync(before));
        Assert.Equal((comment, _ada.Account.Id), (told.CommentCreated.Comment, told.ActorId));
        Assert.Equal(comment.CreateTime, told.Time);
    }

    [Fact]
    public async Task What_the_server_sets_is_not_taken_from_a_request()
    {
        Comment said = new() { Id = "mine", TaskId = _task.Id, AuthorId = "someone", Text = "x" };
        said.CreateTime = new() { Seconds = 1 };
        Comment comment = (await _ada.Tasks.CreateCommentAsync(new() { Comment = said }, _ada.Headers)).Comment;
        Assert.NotEqual("mine", comment.Id);
        Assert.Equal(_ada.Account.Id, comment.AuthorId);
        Assert.NotEqual(1, comment.CreateTime.Seconds);
    }

    [Fact]
    public async Task They_come_oldest_first_a_page_at_a_time_and_a_new_one_comes_last()
    {
        using Client bob = await Client.SignInAsync(_server, "bob");
        await _ada.ShareAsync(new TaskList { Id = _task.TaskListId }, bob, Role.Worker);
        TaskItem other = await _ada.AddAsync(new TaskList { Id = _task.TaskListId }, "other");
        var said = new List<Comment>();
        for (int at = 0; at < 4; at++)
        {
            await _ada.CommentAsync(other, "elsewhere");
            said.Add(await (at % 2 == 0 ? _ada : bob).CommentAsync(_task, $"{9 - at}"));
        }

        ListCommentsResponse first = await PageAsync(3, "");
        said.Add(await bob.CommentAsync(_task, "meanwhile"));
        ListCommentsResponse second = await PageAsync(3, first.NextPageToken);
        Assert.Equal((3, 2, ""), (first.Comments.Count, second.Comments.Count, second.NextPageToken));
        Assert.Equal(said, [.. first.Comments, .. second.Comments]);
        foreach (int size in new[] { 0, 1, 2, 5, 1_001 })
        {
            Assert.Equal(said, await ReadAsync(size));
        }
    }

    [Fact]
    public async Task A_page_token_is_of_one_task_and_one_caller()
    {
        TaskItem other = await _ada.AddAsync(new TaskList { Id = _task.TaskListId }, "other");
        using Client bob = await Client.SignInAsync(_server, "bob");
        await _ada.ShareAsync(new TaskList { Id = _task.TaskListId }, bob, Role.Viewer);
        await _ada.CommentAsync(_task, "one");
        await _ada.CommentAsync(_task, "two");
        string token = (await PageAsync(1, "")).NextPageToken;
        Assert.NotEmpty((await PageAsync(5, token)).Comments);
        foreach ((Client who, TaskItem task) in new[] { (_ada, other), (bob, _task) })
        {
            await Refusal.AssertAsync(StatusCode.InvalidArgument, "PAGE_TOKEN", "page_token", async () =>
                await who.Tasks.ListCommentsAsync(new() { TaskId = task.Id, PageToken = token }, who.Headers));
        }
    }

    [Fact]
    public async Task A_task_has_so_many()
    {
        for (int at = 0; at < 5; at++)
        {
            await _ada.CommentAsync(_task, "x");
        }

        await Refusal.AssertAsync(StatusCode.ResourceExhausted, "COMMENTS_LIMIT", () => _ada.CommentAsync(_task, "x"));
        Assert.Equal(5, (await ReadAsync(0)).Count);
        await _ada.CommentAsync(await _ada.AddAsync(new TaskList { Id = _task.TaskListId }, "other"), "x");
    }

    [Fact]
    public async Task A_page_ends_early_where_its_answer_would_be_too_large()
    {
        string text = new('c', 16 << 10);
        for (int at = 0; at < 5; at++)
        {
            await _ada.CommentAsync(_task, text);
        }

        _server.Get<Limits>().AnswerBytesMax = 40 << 10;
        ListCommentsResponse first = await PageAsync(5, "");
        Assert.Equal(2, first.Comments.Count);
        Assert.Equal(5, (await ReadAsync(5)).Count);
    }

    [Fact]
    public async Task A_text_has_so_many_bytes_and_at_least_one_character()
    {
        string longest = new('é', 8 << 10);
        Assert.Equal(longest, (await _ada.CommentAsync(_task, longest)).Text);
        await Refusal.AssertAsync(StatusCode.InvalidArgument, "FIELD_TOO_LONG", "comment.text", () =>
            _ada.CommentAsync(_task, longest + "x"));
        await Refusal.AssertAsync(StatusCode.InvalidArgument, "FIELD_REQUIRED", "comment.text", () =>
            _ada.CommentAsync(_task, ""));
        Assert.Single(await ReadAsync(0));
    }

    private async Task<ListCommentsResponse> PageAsync(int size, string token) => await _ada.Tasks.ListCommentsAsync(
        new() { TaskId = _task.Id, PageSize = size, PageToken = token }, _ada.Headers);

    private async Task<List<Comment>> ReadAsync(int size)
    {
        var comments = new List<Comment>();
        string token = "";
        do
        {
            ListCommentsResponse page = await PageAsync(size, token);
            comments.AddRange(page.Comments);
            token = page.NextPageToken;
        }
        while (token.Length > 0);

        return comments;
    }
}
