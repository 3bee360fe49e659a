using Squall.V1;

namespace Squall.Client.Tests;

/// <summary>What happened, asked for a page at a time.</summary>
public sealed class HistoryTests : IAsyncLifetime
{
    private readonly World world = new();

    public Task InitializeAsync() => world.InitializeAsync();

    public Task DisposeAsync() => world.DisposeAsync();

    [Fact]
    public async Task The_history_is_told_in_order_and_ends_with_the_place_to_go_on_from()
    {
        var (client, list) = await WithListAsync();
        var task = await client.Tasks.CreateAsync(list.Id, "a task");
        await client.Tasks.CompleteAsync(task.Id);
        await client.Tasks.DeleteAsync(task.Id);
        var told = await client.ListNotifications(pageSize: 2).AllAsync();
        Assert.Collection(
            told,
            one => Assert.NotNull(Assert.IsType<SubscriptionEvent.Changed>(one).Notification.TaskListCreated),
            one => Assert.NotNull(Assert.IsType<SubscriptionEvent.Changed>(one).Notification.TaskCreated),
            one => Assert.NotNull(Assert.IsType<SubscriptionEvent.Changed>(one).Notification.TaskCompleted),
            one => Assert.NotNull(Assert.IsType<SubscriptionEvent.Left>(one).Notification.TaskDeleted),
            one => Assert.IsType<SubscriptionEvent.Synced>(one));

        await client.Lists.RenameAsync(list.Id, "another");
        await using var later = client.SubscribeAsync(new SubscribeSettings { After = told[^1].Cursor! })
            .GetAsyncEnumerator();
        Assert.True(await later.MoveNextAsync());
        var change = Assert.IsType<SubscriptionEvent.Changed>(later.Current);
        Assert.Equal("another", change.Notification.TaskListUpdated.TaskList.Title);
    }

    [Fact]
    public async Task A_page_that_is_empty_though_there_is_more_does_not_end_it()
    {
        var (client, list) = await WithListAsync();
        await client.Tasks.CreateManyAsync(
            list.Id, Enumerable.Range(1, 5).Select(number => new TaskItem { Title = $"{number}" }));
        // As the server does when it has looked at 20,000 changes, and none of them is one to tell.
        world.Log.Alter<ListNotificationsResponse>((count, answer) =>
        {
            if (count <= 2)
            {
                answer.NextCursor = answer.Messages[0].Notification.Cursor;
                answer.Messages.Clear();
            }
        });
        var told = await client.ListNotifications().AllAsync();
        Assert.Equal(["2", "3", "4", "5"], Titles(told));
        Assert.Equal(4, world.Log.Count("ListNotifications"));
    }

    [Fact]
    public async Task It_starts_after_a_cursor_and_tells_what_a_filter_lets_through()
    {
        var (client, list) = await WithListAsync();
        await client.Tasks.CreateAsync(list.Id, "one");
        var cursor = (await client.ListNotifications().AllAsync())[^1].Cursor!;
        await client.Tasks.CreateAsync(list.Id, "two");
        await client.Tasks.CreateAsync(list.Id, "three");
        Assert.Equal(["two", "three"], Titles(await client.ListNotifications(after: cursor).AllAsync()));
        Assert.Equal(
            ["three"], Titles(await client.ListNotifications("title = \"three\"", after: cursor).AllAsync()));
    }

    [Fact]
    public async Task Pages_are_continued_from_their_tokens()
    {
        var (client, list) = await WithListAsync();
        await client.Tasks.CreateManyAsync(
            list.Id, Enumerable.Range(1, 5).Select(number => new TaskItem { Title = $"{number}" }));
        var history = client.ListNotifications(pageSize: 2);
        var pages = await history.AsPages().AllAsync();
        Assert.Equal([2, 2, 2, 1], pages.Select(page => page.Items.Count));
        var later = await history.AsPages(pages[1].NextPageToken).AllAsync();
        Assert.Equal(["4", "5"], Titles(later.SelectMany(page => page.Items)));
    }

    [Fact]
    public async Task A_cursor_that_the_server_does_not_continue_from_is_a_gap()
    {
        var (client, _) = await WithListAsync();
        await using var other = await World.StartAsync();
        var stranger = await other.SignedInAsync();
        var cursor = (await stranger.ListNotifications().AllAsync())[^1].Cursor!;
        var gap = await Assert.ThrowsAsync<SquallGapException>(
            () => client.ListNotifications(after: cursor).AllAsync());
        Assert.Equal((cursor, "CURSOR_EXPIRED"), (gap.Cursor, gap.Reason));
        await Assert.ThrowsAsync<SquallValidationException>(
            () => client.ListNotifications(after: "nonsense").AllAsync());
    }

    private static IEnumerable<string> Titles(IEnumerable<SubscriptionEvent> told) => told
        .OfType<SubscriptionEvent.Changed>()
        .Select(change => change.Notification.TaskCreated?.Task.Title).OfType<string>();

    private async Task<(SquallClient Client, TaskList List)> WithListAsync()
    {
        var client = await world.SignedInAsync();
        return (client, await client.Lists.CreateAsync("a list"));
    }
}
