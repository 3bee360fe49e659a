using Grpc.Core;
using Squall.Client.Testing;
using Squall.V1;

namespace Squall.Client.Tests;

/// <summary>An application's own tests, as its authors would write them with the fake.</summary>
public sealed class SampleApplicationTests
{
    private readonly FakeSquallClient client = new();

    [Fact]
    public async Task The_board_shows_what_is_open_and_follows_changes()
    {
        var list = await client.Lists.CreateAsync("Groceries");
        await client.Tasks.CreateAsync(list.Id, "Buy milk");
        var board = new Board(client);
        var following = board.FollowAsync();
        await board.ShowsAsync("Buy milk");

        var bread = await client.Tasks.CreateAsync(list.Id, "Buy bread");
        await board.ShowsAsync("Buy bread", "Buy milk");
        await client.Tasks.DeleteAsync(bread.Id);
        await board.ShowsAsync("Buy milk");

        client.EndSubscriptions(FakeSquallClient.Failure(StatusCode.Unauthenticated));
        await Assert.ThrowsAsync<SquallUnauthenticatedException>(() => following);
    }

    [Fact]
    public async Task The_board_begins_anew_after_a_gap()
    {
        var list = await client.Lists.CreateAsync("Groceries");
        var cursor = (await client.ListNotifications().AllAsync())[^1].Cursor!;
        await client.Tasks.CreateAsync(list.Id, "Buy milk");
        client.ForgetHistory();
        await Assert.ThrowsAsync<SquallGapException>(
            () => client.ListNotifications(after: cursor).AllAsync());
        var board = new Board(client, cursor);
        _ = board.FollowAsync();
        await board.ShowsAsync("Buy milk");
        await client.DisposeAsync();
    }

    [Fact]
    public async Task A_failure_of_the_server_is_one_call_long()
    {
        client.FailNext(FakeSquallClient.Failure(StatusCode.Unavailable));
        await Assert.ThrowsAsync<SquallUnavailableException>(() => client.Lists.CreateAsync("Groceries"));
        await client.Lists.CreateAsync("Groceries");
        Assert.Single(await client.Lists.List().AllAsync());
    }

    [Fact]
    public async Task What_others_do_is_told_as_a_test_says()
    {
        var board = new Board(client);
        _ = board.FollowAsync();
        await board.ShowsAsync();
        var task = new TaskItem { Id = "elsewhere", Title = "By someone else" };
        var notification = new Notification { TaskCreated = new TaskCreated { Task = task } };
        client.Tell(new SubscriptionEvent.Changed(notification));
        await board.ShowsAsync("By someone else");
        await client.DisposeAsync();
    }

    /// <summary>The application: keeps the titles of all tasks, by their ids.</summary>
    private sealed class Board(ISquallClient client, string after = "")
    {
        private readonly Lock gate = new();
        private readonly Dictionary<string, string> titles = [];
        private TaskCompletionSource changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public async Task FollowAsync()
        {
            var settings = new SubscribeSettings
            {
                After = after,
                Snapshot = after.Length == 0,
                OnGap = OnGap.Resnapshot,
            };
            await foreach (var told in client.SubscribeAsync(settings))
            {
                lock (gate)
                {
                    Apply(told);
                    changed.TrySetResult();
                    changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                }
            }
        }

        public async Task ShowsAsync(params string[] expected)
        {
            while (true)
            {
                Task next;
                lock (gate)
                {
                    if (titles.Values.Order(StringComparer.Ordinal).SequenceEqual(expected))
                    {
                        return;
                    }

                    next = changed.Task;
                }

                await next.WaitAsync(Net.TimeMax);
            }
        }

        private void Apply(SubscriptionEvent told)
        {
            switch (told)
            {
                case SubscriptionEvent.Gap:
                    titles.Clear();
                    break;
                case SubscriptionEvent.SnapshotTask snapshot:
                    titles[snapshot.Task.Id] = snapshot.Task.Title;
                    break;
                case SubscriptionEvent.Changed { Notification.TaskCreated: { } created }:
                    titles[created.Task.Id] = created.Task.Title;
                    break;
                case SubscriptionEvent.Left { Notification.TaskDeleted: { } deleted }:
                    titles.Remove(deleted.TaskId);
                    break;
            }
        }
    }
}
