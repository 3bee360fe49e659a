using Squall.V1;

namespace Squall.Client.Tests;

/// <summary>Sequences that come a page at a time.</summary>
public sealed class PageTests : IAsyncLifetime
{
    private readonly World world = new();

    public Task InitializeAsync() => world.InitializeAsync();

    public Task DisposeAsync() => world.DisposeAsync();

    [Fact]
    public async Task Items_come_in_order_over_all_pages_and_are_asked_for_as_they_are_needed()
    {
        var (client, titles) = await WithTasksAsync(7);
        var tasks = client.Tasks.List(orderBy: "create_time", pageSize: 3);
        Assert.Equal(0, world.Log.Count("ListTasks"));
        var seen = new List<string>();
        await foreach (var task in tasks)
        {
            seen.Add(task.Title);
            Assert.Equal((seen.Count + 2) / 3, world.Log.Count("ListTasks"));
        }

        Assert.Equal(titles, seen);
        Assert.Equal(titles, (await tasks.AllAsync()).Select(task => task.Title));
    }

    [Fact]
    public async Task Pages_come_as_the_server_gives_them_and_from_any_on()
    {
        var (client, titles) = await WithTasksAsync(7);
        var tasks = client.Tasks.List(orderBy: "create_time", pageSize: 3);
        var pages = await tasks.AsPages().AllAsync();
        Assert.Equal([3, 3, 1], pages.Select(page => page.Items.Count));
        Assert.Equal([false, false, true], pages.Select(page => page.NextPageToken.Length == 0));
        var later = await tasks.AsPages(pages[0].NextPageToken).AllAsync();
        Assert.Equal(titles.Skip(3), later.SelectMany(page => page.Items).Select(task => task.Title));
    }

    [Fact]
    public async Task A_sequence_without_items_has_one_page()
    {
        var client = await world.SignedInAsync();
        Assert.Empty(await client.Lists.List().AllAsync());
        Assert.Equal("", Assert.Single(await client.Lists.List().AsPages().AllAsync()).NextPageToken);
    }

    [Fact]
    public async Task Lists_and_comments_come_in_pages_too()
    {
        var (client, _) = await WithTasksAsync(1);
        await client.Lists.CreateAsync("another");
        await client.Lists.CreateAsync("a third");
        var lists = await client.Lists.List(pageSize: 2).AllAsync();
        Assert.Equal(["a list", "another", "a third"], lists.Select(list => list.Title));
        var task = (await client.Tasks.List().AllAsync())[0];
        foreach (var text in (string[])["a", "b", "c"])
        {
            await client.Tasks.CommentAsync(task.Id, text);
        }

        var comments = await client.Tasks.ListComments(task.Id, pageSize: 2).AllAsync();
        Assert.Equal(["a", "b", "c"], comments.Select(comment => comment.Text));
    }

    [Fact]
    public async Task Cancelling_ends_it_between_pages_and_within_one()
    {
        var (client, _) = await WithTasksAsync(3);
        using var cancel = new CancellationTokenSource();
        await using var tasks = client.Tasks.List(pageSize: 1).GetAsyncEnumerator(cancel.Token);
        Assert.True(await tasks.MoveNextAsync());
        world.Log.Before("ListTasks", _ => cancel.CancelAsync());
        var end = await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await tasks.MoveNextAsync());
        Assert.Equal(cancel.Token, end.CancellationToken);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (var page in client.Tasks.List(pageSize: 1).AsPages().WithCancellation(cancel.Token))
            {
                Assert.Fail($"There is a page of {page.Items.Count}.");
            }
        });
        Assert.Equal(2, world.Log.Count("ListTasks"));
    }

    [Fact]
    public async Task A_page_that_fails_is_told_as_any_call_that_fails()
    {
        var client = await world.SignedInAsync();
        await Assert.ThrowsAsync<SquallValidationException>(() => client.Tasks.List("state =").AllAsync());
        await Assert.ThrowsAsync<SquallValidationException>(() => client.Tasks.List().AsPages("nonsense").AllAsync());
        await Assert.ThrowsAsync<SquallNotFoundException>(() => client.Tasks.ListComments("none").AllAsync());
    }

    private async Task<(SquallClient Client, string[] Titles)> WithTasksAsync(int count)
    {
        var client = await world.SignedInAsync();
        var list = await client.Lists.CreateAsync("a list");
        string[] titles = [.. Enumerable.Range(1, count).Select(number => $"task {number}")];
        foreach (var title in titles)
        {
            await client.Tasks.CreateAsync(list.Id, title);
        }

        return (client, titles);
    }
}

/// <summary>Reads a sequence that ends by itself.</summary>
internal static class Sequences
{
    public static async Task<List<T>> AllAsync<T>(this IAsyncEnumerable<T> items)
    {
        var all = new List<T>();
        await foreach (var item in items)
        {
            all.Add(item);
        }

        return all;
    }
}
