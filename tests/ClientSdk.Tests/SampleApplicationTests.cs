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

    [Fact]
    public async Task A_live_board_needs_no_events_of_its_own()
    {
        var list = await client.Lists.CreateAsync("Groceries");
        var milk = await client.Tasks.CreateAsync(list.Id, "Buy milk");
        await using var board = client.WatchTasks();
        await board.StartAsync();
        await client.Tasks.CreateAsync(list.Id, "Buy bread");
        await board.WhenAsync(now => now.Tasks.Count == 2);

        // The connection is lost, and what happened meanwhile with it: the differences are told, and no emptied board.
        var told = new List<LiveTasksChange>();
        board.Changed += told.Add;
        board.Changed += step =>
        {
            if (!step.View.IsLive)
            {
                _ = client.Tasks.DeleteAsync(milk.Id);
                client.ForgetHistory();
            }
        };
        client.EndSubscriptions(FakeSquallClient.Failure(StatusCode.Unavailable));
        await board.WhenAsync(now => now is { IsLive: true, Tasks.Count: 1 });
        Assert.Equal(milk, Assert.Single(told.SelectMany(step => step.Changes)).Before);
        await client.DisposeAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => board.Completion.WaitAsync(Net.TimeMax));
    }

    [Fact]
    public async Task A_live_board_keeps_the_higher_version_whatever_it_is_told()
    {
        await using var board = client.WatchTasks();
        await board.StartAsync();
        var newer = new TaskItem { Id = "a", TaskListId = "list-1", Title = "newer", Version = 2 };
        var older = new TaskItem(newer) { Title = "older", Version = 1 };
        Tell(new Notification { TaskUpdated = new TaskUpdated { Task = newer } });
        Tell(new Notification { TaskUpdated = new TaskUpdated { Task = older } });
        Tell(new Notification { TaskCompleted = new TaskCompleted { Task = older } }, hasLeft: true);
        Tell(new Notification { TaskDeleted = new TaskDeleted { TaskId = "a" }, TaskListId = "list-2" }, hasLeft: true);
        Tell(new Notification { TaskCreated = new TaskCreated { Task = new TaskItem { Id = "b" } } });
        var view = await board.WhenAsync(now => now.Find("b") is not null);
        Assert.Equal(newer, view.Find("a"));
        Tell(new Notification { TaskReminder = new TaskReminder { Task = new TaskItem(newer) { Note = "later" } } });
        await board.WhenAsync(now => now.Find("a")?.Note == "later");
        Tell(new Notification { TaskDeleted = new TaskDeleted { TaskId = "a" }, TaskListId = "list-1" }, hasLeft: true);
        await board.WhenAsync(now => now.Find("a") is null);

        void Tell(Notification told, bool hasLeft = false) => client.Tell(
            hasLeft ? new SubscriptionEvent.Left(told) : new SubscriptionEvent.Changed(told));
    }

    [Fact]
    public async Task A_list_that_someone_shares_is_read_as_a_test_says()
    {
        client.Matches = (filter, task) => filter == "mine" && task.Title != "hidden";
        var list = await client.Lists.CreateAsync("Groceries");
        await using var board = client.WatchTasks("mine");
        await board.StartAsync();
        await client.Tasks.CreateAsync(list.Id, "shown");
        await client.Tasks.CreateAsync(list.Id, "hidden");
        await client.Tasks.CreateAsync((await client.Lists.CreateAsync("another")).Id, "elsewhere");
        await board.WhenAsync(now => now.Tasks.Count == 2);
        var me = new Member { AccountId = client.Account!.Id };
        Tell(new Notification { MemberRemoved = new MemberRemoved { AccountId = me.AccountId } });
        await board.WhenAsync(now => now.Tasks.Count == 1);
        Tell(new Notification { MemberSet = new MemberSet { Member = me } });
        await board.WhenAsync(now => now is { IsLive: true, Tasks.Count: 2 });

        void Tell(Notification told)
        {
            told.TaskListId = list.Id;
            client.Tell(new SubscriptionEvent.Changed(told));
        }
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
