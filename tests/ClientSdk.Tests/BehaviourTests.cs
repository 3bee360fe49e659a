using Google.Protobuf.WellKnownTypes;
using Squall.Client.Testing;
using Squall.V1;

namespace Squall.Client.Tests;

/// <summary>What an application relies on, in two worlds: the client with a server, and the fake.</summary>
public abstract class BehaviourTests
{
    private static readonly string Password = Secrets.Password();

    protected abstract Task<ISquallClient> ClientAsync();

    [Fact]
    public async Task An_account_registers_logs_in_and_out()
    {
        var client = await ClientAsync();
        Assert.Equal("Hello, world", (await client.ConnectAsync()).Message);
        await client.RegisterAsync("someone", Password, "Some One");
        var taken = await Assert.ThrowsAsync<SquallConflictException>(() => client.RegisterAsync("someone", Password));
        Assert.Equal(("username", "someone"), (taken.ResourceType, taken.ResourceName));
        var wrong = await Assert.ThrowsAsync<SquallUnauthenticatedException>(
            () => client.LoginAsync("someone", Secrets.Password()));
        Assert.Equal("CREDENTIALS_WRONG", wrong.Reason);
        await client.LoginAsync("someone", Password);
        Assert.Equal("Some One", (await client.GetAccountAsync()).DisplayName);
        await client.LogoutAsync();
        var missing = await Assert.ThrowsAsync<SquallUnauthenticatedException>(
            () => client.Lists.CreateAsync("a list"));
        Assert.Equal("TOKEN_MISSING", missing.Reason);
        await Assert.ThrowsAsync<SquallUnauthenticatedException>(() => client.Tasks.List().AllAsync());
    }

    [Fact]
    public async Task An_account_changes_its_name_and_password_and_goes()
    {
        var another = Secrets.Password();
        var client = await ClientAsync();
        await client.RegisterAsync("goes", Password);
        await client.LoginAsync("goes", Password);
        Assert.Equal("Someone", (await client.Access.RenameAsync("Someone")).DisplayName);
        Assert.Equal("Someone", (await client.GetAccountAsync()).DisplayName);
        await AssertWrongAsync(() => client.Access.ChangePasswordAsync(Secrets.Password(), another));
        await client.Access.ChangePasswordAsync(Password, another);
        await client.LoginAsync("goes", another);
        await AssertWrongAsync(() => client.Access.DeleteAccountAsync(Password));
        await client.Access.DeleteAccountAsync(another);
        var missing = await Assert.ThrowsAsync<SquallUnauthenticatedException>(() => client.GetAccountAsync());
        Assert.Equal("TOKEN_MISSING", missing.Reason);
        await Assert.ThrowsAsync<SquallUnauthenticatedException>(() => client.LoginAsync("goes", another));

        static async Task AssertWrongAsync(Func<Task> call) => Assert.Equal(
            "PASSWORD_WRONG", (await Assert.ThrowsAnyAsync<SquallException>(call)).Reason);
    }

    [Fact]
    public async Task Sessions_and_keys_are_listed_and_ended()
    {
        var client = await ClientAsync();
        var first = await client.Access.CreateKeyAsync(new ApiKey { Title = "first", Role = Role.Viewer });
        var second = await client.Access.CreateKeyAsync(new ApiKey { Title = "second", Role = Role.Editor });
        Assert.StartsWith("sqk_", first.Secret, StringComparison.Ordinal);
        Assert.Equal([second.ApiKey, first.ApiKey], await client.Access.ListKeysAsync());
        await client.Access.RevokeKeyAsync(second.ApiKey.Id);
        Assert.Equal([first.ApiKey], await client.Access.ListKeysAsync());
        var gone = await Assert.ThrowsAsync<SquallNotFoundException>(
            () => client.Access.RevokeKeyAsync(second.ApiKey.Id));
        Assert.Equal("API key", gone.ResourceType);
        await Assert.ThrowsAnyAsync<SquallException>(() => client.Access.CreateKeyAsync(new ApiKey()));

        var session = Assert.Single(await client.Access.ListSessionsAsync());
        Assert.True(session.Current);
        await Assert.ThrowsAsync<SquallNotFoundException>(() => client.Access.RevokeSessionAsync("none"));
        await client.Access.RevokeSessionAsync(session.Id);
        await Assert.ThrowsAsync<SquallUnauthenticatedException>(() => client.Access.ListSessionsAsync());
    }

    [Fact]
    public async Task Lists_are_made_renamed_and_deleted_with_their_tasks()
    {
        var client = await ClientAsync();
        var list = await client.Lists.CreateAsync("a list");
        Assert.Equal(("a list", 1L, Role.Owner), (list.Title, list.Version, list.Role));
        Assert.Equal(2, (await client.Lists.RenameAsync(list.Id, "another", expectedVersion: 1)).Version);
        var conflict = await Assert.ThrowsAsync<SquallConflictException>(
            () => client.Lists.RenameAsync(list.Id, "a third", expectedVersion: 1));
        Assert.Equal(("VERSION_MISMATCH", 2L), (conflict.Reason, conflict.CurrentVersion));
        Assert.Equal("another", (await client.Lists.GetAsync(list.Id)).Title);
        var member = Assert.Single(await client.Lists.ListMembersAsync(list.Id));
        Assert.Equal(((await client.GetAccountAsync()).Id, Role.Owner), (member.AccountId, member.Role));
        var task = await client.Tasks.CreateAsync(list.Id, "a task");
        await client.Lists.DeleteAsync(list.Id);
        var gone = await Assert.ThrowsAsync<SquallNotFoundException>(() => client.Lists.GetAsync(list.Id));
        Assert.Equal(("task list", list.Id), (gone.ResourceType, gone.ResourceName));
        await Assert.ThrowsAsync<SquallNotFoundException>(() => client.Tasks.GetAsync(task.Id));
        Assert.Empty(await client.Lists.List().AllAsync());
    }

    [Fact]
    public async Task A_task_goes_through_its_states()
    {
        var (client, list) = await WithListAsync();
        var task = await client.Tasks.CreateAsync(list.Id, "a task");
        Assert.Equal((TaskState.Open, 1L), (task.State, task.Version));
        var done = await client.Tasks.CompleteAsync(task.Id, expectedVersion: 1);
        Assert.Equal((TaskState.Done, 2L), (done.State, done.Version));
        Assert.NotNull(done.CompleteTime);
        var refused = await Assert.ThrowsAsync<SquallPreconditionException>(() => client.Tasks.CancelAsync(task.Id));
        Assert.Equal("TASK_DONE", refused.Reason);
        var open = await client.Tasks.ReopenAsync(task.Id);
        Assert.Null(open.CompleteTime);
        Assert.Equal(TaskState.Cancelled, (await client.Tasks.CancelAsync(task.Id)).State);
        await client.Tasks.DeleteAsync(task.Id);
        var gone = await Assert.ThrowsAsync<SquallNotFoundException>(() => client.Tasks.CompleteAsync(task.Id));
        Assert.Equal(("task", task.Id), (gone.ResourceType, gone.ResourceName));
    }

    [Fact]
    public async Task An_update_changes_what_its_mask_names()
    {
        var (client, list) = await WithListAsync();
        var task = await client.Tasks.CreateAsync(
            new TaskItem { TaskListId = list.Id, Title = "a task", Note = "a note", Labels = { "a", "b" } });
        var change = new TaskItem { Id = task.Id, Title = "renamed", Labels = { "c" }, Note = "not named" };
        var after = await client.Tasks.UpdateAsync(change, "title", "labels");
        Assert.Equal(("renamed", "a note", 2L), (after.Title, after.Note, after.Version));
        Assert.Equal(["c"], after.Labels);
        var through = await client.Tasks.UpdateAsync(task.Id, one => one.Note = "another");
        Assert.Equal(("renamed", "another", 3L), (through.Title, through.Note, through.Version));
        Assert.Equal(3, (await client.Tasks.UpdateAsync(task.Id, _ => { })).Version);
        await Assert.ThrowsAsync<SquallValidationException>(() => client.Tasks.UpdateAsync(change, new FieldMask()));
        var conflict = await Assert.ThrowsAsync<SquallConflictException>(
            () => client.Tasks.UpdateAsync(change, new FieldMask { Paths = { "title" } }, expectedVersion: 1));
        Assert.Equal(3, conflict.CurrentVersion);
    }

    [Fact]
    public async Task What_lacks_a_title_or_a_place_is_refused()
    {
        var (client, list) = await WithListAsync();
        var refused = await Assert.ThrowsAsync<SquallValidationException>(() => client.Tasks.CreateAsync(list.Id, ""));
        Assert.Equal("task.title", Assert.Single(refused.Violations).Field);
        await Assert.ThrowsAsync<SquallValidationException>(() => client.Lists.CreateAsync(""));
        await Assert.ThrowsAsync<SquallNotFoundException>(() => client.Tasks.CreateAsync("none", "a task"));
        await Assert.ThrowsAsync<SquallValidationException>(
            () => client.Tasks.CreateManyAsync(list.Id, [new TaskItem { Title = "one" }, new TaskItem()]));
        Assert.Empty(await client.Tasks.List().AllAsync());
    }

    [Fact]
    public async Task A_request_id_makes_a_repeated_change_one()
    {
        var (client, list) = await WithListAsync();
        var settings = CallSettings.ForRequest(Guid.NewGuid().ToString());
        var first = await client.Tasks.CreateAsync(list.Id, "once", settings);
        Assert.Equal(first, await client.Tasks.CreateAsync(list.Id, "once", settings));
        Assert.Single(await client.Tasks.List().AllAsync());
    }

    [Fact]
    public async Task Items_come_in_pages()
    {
        var (client, list) = await WithListAsync();
        await client.Tasks.CreateManyAsync(
            list.Id, Enumerable.Range(1, 5).Select(number => new TaskItem { Title = $"{number}" }));
        var pages = await client.Tasks.List(pageSize: 2).AsPages().AllAsync();
        Assert.Equal([2, 2, 1], pages.Select(page => page.Items.Count));
        var later = await client.Tasks.List(pageSize: 2).AsPages(pages[0].NextPageToken).AllAsync();
        Assert.Equal(["3", "4", "5"], later.SelectMany(page => page.Items).Select(task => task.Title));
        await Assert.ThrowsAsync<SquallValidationException>(() => client.Tasks.List().AsPages("nonsense").AllAsync());
    }

    [Fact]
    public async Task A_conversation_is_kept_with_its_task()
    {
        var (client, list) = await WithListAsync();
        var task = await client.Tasks.CreateAsync(list.Id, "a task");
        var comment = await client.Tasks.CommentAsync(task.Id, "a word");
        Assert.Equal((task.Id, (await client.GetAccountAsync()).Id), (comment.TaskId, comment.AuthorId));
        Assert.Equal(comment, Assert.Single(await client.Tasks.ListComments(task.Id).AllAsync()));
        await Assert.ThrowsAsync<SquallNotFoundException>(() => client.Tasks.CommentAsync("none", "a word"));
        await Assert.ThrowsAsync<SquallNotFoundException>(() => client.Tasks.ListComments("none").AllAsync());
        await Assert.ThrowsAsync<SquallValidationException>(() => client.Tasks.CommentAsync(task.Id, ""));
    }

    [Fact]
    public async Task Every_change_is_told_and_kept_in_the_history()
    {
        var client = await ClientAsync();
        await using var subscription = client.SubscribeAsync().GetAsyncEnumerator();
        Assert.True(await subscription.MoveNextAsync());
        var synced = Assert.IsType<SubscriptionEvent.Synced>(subscription.Current);
        var list = await client.Lists.CreateAsync("a list");
        var other = await client.Lists.CreateAsync("another");
        var task = await client.Tasks.CreateAsync(list.Id, "a task");
        await client.Tasks.UpdateAsync(new TaskItem { Id = task.Id, Title = "renamed" }, "title");
        await client.Tasks.UpdateAsync(new TaskItem { Id = task.Id, TaskListId = other.Id }, "task_list_id");
        await client.Tasks.CommentAsync(task.Id, "a word");
        await client.Tasks.CompleteAsync(task.Id);
        await client.Tasks.DeleteAsync(task.Id);
        var history = await client.ListNotifications(after: synced.Cursor!).AllAsync();
        Assert.Equal(
            [
                "Changed TaskListCreated", "Changed TaskListCreated", "Changed TaskCreated", "Changed TaskUpdated",
                "Left TaskDeleted", "Changed TaskCreated", "Changed CommentCreated", "Changed TaskCompleted",
                "Left TaskDeleted", "Synced",
            ],
            history.Select(NameOf));
        foreach (var told in history.SkipLast(1))
        {
            Assert.True(await subscription.MoveNextAsync());
            Assert.Equal(told, subscription.Current);
            Assert.NotEmpty(told.Cursor!);
        }

        // What happened in a list that is gone is told no more, but that it is gone.
        await client.Lists.DeleteAsync(other.Id);
        Assert.True(await subscription.MoveNextAsync());
        Assert.Equal("Changed TaskListDeleted", NameOf(subscription.Current));
        history = await client.ListNotifications(after: synced.Cursor!).AllAsync();
        Assert.Equal(
            [
                "Changed TaskListCreated", "Changed TaskCreated", "Changed TaskUpdated", "Left TaskDeleted",
                "Changed TaskListDeleted", "Synced",
            ],
            history.Select(NameOf));
    }

    [Fact]
    public async Task A_subscription_goes_on_after_a_cursor_or_from_a_snapshot()
    {
        var (client, list) = await WithListAsync();
        await client.Tasks.CreateAsync(list.Id, "one");
        var cursor = (await client.ListNotifications().AllAsync())[^1].Cursor!;
        await client.Tasks.CreateAsync(list.Id, "two");
        Assert.Equal(
            ["Changed TaskCreated", "Synced"], await TakeAsync(client, 2, new SubscribeSettings { After = cursor }));
        Assert.Equal(
            ["SnapshotTask", "SnapshotTask", "Synced"],
            await TakeAsync(client, 3, new SubscribeSettings { Snapshot = true }));
        await Assert.ThrowsAsync<SquallValidationException>(
            () => TakeAsync(client, 1, new SubscribeSettings { After = "nonsense" }));
    }

    [Fact]
    public async Task A_filter_tells_what_matches_and_what_no_longer_does()
    {
        var (client, list) = await WithListAsync();
        var settings = new SubscribeSettings { Filter = "state = OPEN" };
        await using var subscription = client.SubscribeAsync(settings).GetAsyncEnumerator();
        Assert.True(await subscription.MoveNextAsync());
        var task = await client.Tasks.CreateAsync(list.Id, "a task");
        await client.Tasks.CompleteAsync(task.Id);
        await client.Tasks.CommentAsync(task.Id, "told to nobody");
        await client.Tasks.ReopenAsync(task.Id);
        foreach (var name in (string[])["Changed TaskCreated", "Left TaskCompleted", "Changed TaskReopened"])
        {
            Assert.True(await subscription.MoveNextAsync());
            Assert.Equal(name, NameOf(subscription.Current));
        }

        Assert.Single(await client.Tasks.List("state = OPEN").AllAsync());
        await client.Tasks.CancelAsync(task.Id);
        Assert.Empty(await client.Tasks.List("state = OPEN").AllAsync());
    }

    [Fact]
    public async Task A_subscription_can_be_to_the_tasks_of_one_list()
    {
        var (client, list) = await WithListAsync();
        var other = await client.Lists.CreateAsync("another");
        await client.Tasks.CreateAsync(other.Id, "elsewhere");
        var task = await client.Tasks.CreateAsync(list.Id, "a task");
        var settings = new SubscribeSettings { Filter = "state = OPEN", TaskListId = list.Id, Snapshot = true };
        await using var subscription = client.SubscribeAsync(settings).GetAsyncEnumerator();
        Assert.True(await subscription.MoveNextAsync());
        Assert.Equal(new SubscriptionEvent.SnapshotTask(task), subscription.Current);
        Assert.True(await subscription.MoveNextAsync());
        Assert.IsType<SubscriptionEvent.Synced>(subscription.Current);
        await client.Tasks.CreateAsync(other.Id, "elsewhere too");
        await client.Lists.RenameAsync(other.Id, "renamed");
        await client.Tasks.CompleteAsync(task.Id);
        foreach (var name in (string[])["Changed TaskListUpdated", "Left TaskCompleted"])
        {
            Assert.True(await subscription.MoveNextAsync());
            Assert.Equal(name, NameOf(subscription.Current));
        }

        // What is no id is no filter either.
        var none = settings with { TaskListId = "\" OR state = \\OPEN" };
        Assert.Equal(["Synced"], await TakeAsync(client, 1, none));
    }

    [Fact]
    public async Task A_live_view_shows_what_matches_and_ends_with_its_session()
    {
        var (client, list) = await WithListAsync();
        var other = await client.Lists.CreateAsync("another");
        var task = await client.Tasks.CreateAsync(list.Id, "a task");
        await using var live = client.WatchTasks("state = OPEN", new LiveTasksSettings { OrderBy = "title desc" });
        var told = new List<string>();
        live.Changed += step => told.AddRange(
            step.Changes.Select(change => $"{change.Before?.Title} > {change.After?.Title}"));
        Assert.Equal([task], (await live.StartAsync()).Tasks);
        await client.Tasks.CreateAsync(other.Id, "b task");
        await client.Tasks.UpdateAsync(new TaskItem { Id = task.Id, TaskListId = other.Id }, "task_list_id");
        var view = await live.WhenAsync(now => now.Find(task.Id)?.TaskListId == other.Id);
        Assert.Equal(["b task", "a task"], view.Tasks.Select(one => one.Title));
        await client.Tasks.CompleteAsync(task.Id);
        await live.WhenAsync(now => now.Find(task.Id) is null);
        await client.Tasks.ReopenAsync(task.Id);
        await live.WhenAsync(now => now.Tasks.Count == 2);
        await client.Lists.DeleteAsync(other.Id);
        await live.WhenAsync(now => now.Tasks.Count == 0);
        Assert.Equal(
            [
                " > a task", " > b task", "a task > ", " > a task", "a task > ", " > a task", "a task > ", "b task > ",
            ],
            told.SkipLast(2).Concat(told.TakeLast(2).Order(StringComparer.Ordinal)));
        await client.LogoutAsync();
        await Assert.ThrowsAsync<SquallUnauthenticatedException>(() => live.Completion.WaitAsync(Net.TimeMax));
        Assert.False(live.View.IsLive);
    }

    [Fact]
    public async Task It_all_ends_by_cancellation_logout_and_disposal()
    {
        var client = await ClientAsync();
        using var cancel = new CancellationTokenSource();
        var cancelled = client.SubscribeAsync(cancellationToken: cancel.Token).GetAsyncEnumerator();
        Assert.True(await cancelled.MoveNextAsync());
        var next = cancelled.MoveNextAsync();
        await cancel.CancelAsync();
        var end = await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await next);
        Assert.Equal(cancel.Token, end.CancellationToken);
        end = await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => client.GetAccountAsync(cancellationToken: cancel.Token));
        Assert.Equal(cancel.Token, end.CancellationToken);

        var ended = client.SubscribeAsync().GetAsyncEnumerator();
        Assert.True(await ended.MoveNextAsync());
        next = ended.MoveNextAsync();
        await client.LogoutAsync();
        var over = await Assert.ThrowsAsync<SquallUnauthenticatedException>(async () => await next);
        Assert.Equal("SESSION_ENDED", over.Reason);
        await client.DisposeAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => client.SayHelloAsync());
    }

    private static string NameOf(SubscriptionEvent told) => told switch
    {
        SubscriptionEvent.Changed change => $"Changed {change.Notification.EventCase}",
        SubscriptionEvent.Left left => $"Left {left.Notification.EventCase}",
        _ => told.GetType().Name,
    };

    private static async Task<List<string>> TakeAsync(ISquallClient client, int count, SubscribeSettings settings)
    {
        var names = new List<string>();
        await foreach (var told in client.SubscribeAsync(settings))
        {
            names.Add(NameOf(told));
            if (names.Count == count)
            {
                break;
            }
        }

        return names;
    }

    private async Task<(ISquallClient Client, TaskList List)> WithListAsync()
    {
        var client = await ClientAsync();
        return (client, await client.Lists.CreateAsync("a list"));
    }
}

public sealed class ServerBehaviourTests : BehaviourTests, IAsyncLifetime
{
    private readonly World world = new();

    public Task InitializeAsync() => world.InitializeAsync();

    public Task DisposeAsync() => world.DisposeAsync();

    protected override async Task<ISquallClient> ClientAsync() => await world.SignedInAsync();
}

public sealed class FakeBehaviourTests : BehaviourTests
{
    protected override Task<ISquallClient> ClientAsync() => Task.FromResult<ISquallClient>(new FakeSquallClient
    {
        Matches = (filter, task) => filter != "state = OPEN" || task.State == TaskState.Open,
    });
}
