using Grpc.Core;
using Squall.V1;
using Case = Squall.V1.SubscribeResponse.MessageOneofCase;

namespace Squall.Server.Tests;

/// <summary>What ListNotifications gives page by page is what Subscribe sends.</summary>
public sealed class SubscribePageTests
{
    [Theory]
    [InlineData("", 1)]
    [InlineData("", 2)]
    [InlineData("", 7)]
    [InlineData("", 0)]
    [InlineData("title = \"mine\"", 1)]
    [InlineData("title = \"mine\"", 3)]
    [InlineData("title = \"mine\"", 1_000)]
    [InlineData("state = DONE", 2)]
    public async Task Pages_hold_what_a_stream_sends(string filter, int size)
    {
        await using SubscribeWorld world = await SubscribeWorld.StartAsync();
        (string start, string bob) = await LiveAsync(world);
        await using SubscribeCall stream = world.Subscribe(bob, start, filter);
        List<SubscribeResponse> sent = await stream.ThroughAsync(Case.Synced);
        string synced = sent[^1].Synced.Cursor;
        sent.RemoveAt(sent.Count - 1);

        foreach (bool fromFile in (bool[])[false, true])
        {
            (List<SubscribeResponse> listed, string end) = await ListAllAsync(world, bob, filter, start, size);
            Assert.Equal(sent, listed);
            Assert.Equal(synced, end);
            (listed, end) = await ListAllAsync(world, bob, filter, "", size);
            Assert.Equal(sent, listed);
            Assert.Equal(synced, end);
            await world.RestartAsync();
            Assert.True(fromFile || world.Tail.At(1) is null);
        }
    }

    [Fact]
    public async Task Where_a_page_ends_a_stream_goes_on()
    {
        await using SubscribeWorld world = await SubscribeWorld.StartAsync();
        (string start, string bob) = await LiveAsync(world);
        (List<SubscribeResponse> all, _) = await ListAllAsync(world, bob, "", start, 1_000);
        for (int size = 1; size < all.Count; size += 3)
        {
            ListNotificationsResponse page = await world.ListAsync(
                bob, new ListNotificationsRequest { After = start, PageSize = size });
            await using SubscribeCall stream = world.Subscribe(bob, page.NextCursor);
            List<SubscribeResponse> rest = await stream.ThroughAsync(Case.Synced);
            Assert.Equal(all, [.. page.Messages, .. rest.SkipLast(1)]);
        }
    }

    [Fact]
    public async Task When_there_is_nothing_newer_the_cursor_stays()
    {
        await using SubscribeWorld world = await SubscribeWorld.StartAsync();
        (_, string bob) = await LiveAsync(world);
        string end = world.Tail.End.ToString();
        ListNotificationsResponse page = await world.ListAsync(bob, new ListNotificationsRequest { After = end });
        Assert.Empty(page.Messages);
        Assert.Equal(end, page.NextCursor);
    }

    [Fact]
    public async Task A_page_ends_where_the_answer_would_be_too_large_and_never_empty()
    {
        await using SubscribeWorld world = await SubscribeWorld.StartAsync(limits => limits.AnswerBytesMax = 100_000);
        string ada = await world.AccountAsync();
        string list = await world.CreateListAsync(ada);
        for (int task = 0; task < 10; task++)
        {
            await world.CreateTaskAsync(list, $"task {task}", new string('n', task == 5 ? 110_000 : 30_000));
        }

        var sizes = new List<int>();
        string after = "";
        do
        {
            ListNotificationsResponse page = await world.ListAsync(ada, new ListNotificationsRequest { After = after });
            Assert.True(page.CalculateSize() < 101_000 || page.Messages.Count == 1);
            sizes.Add(page.Messages.Count);
            after = page.NextCursor;
        }
        while (after != world.Tail.End.ToString());

        // The list's own change is the first.
        Assert.Equal([4, 2, 1, 3, 1], sizes);
    }

    [Fact]
    public async Task Access_is_as_it_is_when_a_page_is_read()
    {
        await using SubscribeWorld world = await SubscribeWorld.StartAsync();
        string ada = await world.AccountAsync();
        string bob = await world.AccountAsync();
        string list = await world.CreateListAsync(ada);
        await world.SetMemberAsync(list, bob);
        await world.CreateTaskAsync(list, "one");
        await world.CreateTaskAsync(list, "two");
        ListNotificationsResponse first = await world.ListAsync(bob, new ListNotificationsRequest { PageSize = 2 });
        await world.RemoveMemberAsync(list, bob);
        ListNotificationsResponse rest = await world.ListAsync(
            bob, new ListNotificationsRequest { After = first.NextCursor });

        Assert.Equal("one", first.Messages[1].Notification.TaskCreated.Task.Title);
        Assert.Equal(bob, Assert.Single(rest.Messages).Notification.MemberRemoved.AccountId);
    }

    /// <summary>Changes of all kinds, some of them hidden from the account that is told of.</summary>
    private static async Task<(string Start, string Account)> LiveAsync(SubscribeWorld world)
    {
        string start = world.Tail.End.ToString();
        string ada = await world.AccountAsync();
        string bob = await world.AccountAsync();
        string list = await world.CreateListAsync(ada);
        string hidden = await world.CreateListAsync(ada);
        string own = await world.CreateListAsync(bob);
        await world.CreateTaskAsync(list, "before");
        await world.SetMemberAsync(list, bob);
        TaskItem leaves = await world.CreateTaskAsync(list, "mine");
        TaskItem gone = await world.CreateTaskAsync(list, "mine");
        TaskItem moves = await world.CreateTaskAsync(own, "mine");
        await world.CreateTaskAsync(hidden, "mine");
        await world.CommentAsync(gone.Id, "heard");
        await world.RetitleAsync(leaves.Id, "yours");
        await world.UpdateTaskAsync(gone.Id, row => row.State = (int)TaskState.Done);
        await world.MoveTaskAsync(moves.Id, list);
        await world.MoveTaskAsync(leaves.Id, hidden);
        await world.DeleteTaskAsync(gone.Id);
        await world.EndSessionAsync(ada);
        await world.SetMemberAsync(list, bob, Role.Viewer);
        await world.DeleteListAsync(own);
        return (start, bob);
    }

    private static async Task<(List<SubscribeResponse> Messages, string End)> ListAllAsync(
        SubscribeWorld world, string account, string filter, string after, int size)
    {
        var messages = new List<SubscribeResponse>();
        while (true)
        {
            ListNotificationsResponse page = await world.ListAsync(
                account, new ListNotificationsRequest { Filter = filter, After = after, PageSize = size });
            Assert.InRange(page.Messages.Count, 0, size == 0 ? 50 : size);
            messages.AddRange(page.Messages);
            if (page.Messages.Count == 0)
            {
                return (messages, page.NextCursor);
            }

            after = page.NextCursor;
        }
    }
}
