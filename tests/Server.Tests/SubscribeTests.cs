using Grpc.Core;
using Squall.V1;
using Case = Squall.V1.SubscribeResponse.MessageOneofCase;
using Event = Squall.V1.Notification.EventOneofCase;

namespace Squall.Server.Tests;

/// <summary>What a stream says, and to whom.</summary>
public sealed class SubscribeTests
{
    [Fact]
    public async Task A_stream_that_starts_now_is_synced_first_of_all_and_then_told_each_change()
    {
        await using SubscribeWorld world = await SubscribeWorld.StartAsync();
        string ada = await world.AccountAsync();
        string list = await world.CreateListAsync(ada);
        await world.CreateTaskAsync(list, "before");
        await using SubscribeCall call = world.Subscribe(ada);
        await call.Context.HeadersSent;

        SubscribeResponse first = await call.NextAsync();
        TaskItem task = await world.CreateTaskAsync(list, "after");
        SubscribeResponse second = await call.NextAsync();
        await world.RetitleAsync(task.Id, "renamed");
        SubscribeResponse third = await call.NextAsync();

        Assert.Equal(Case.Synced, first.MessageCase);
        Assert.Equal("after", second.Notification.TaskCreated.Task.Title);
        Assert.Equal("renamed", third.Notification.TaskUpdated.Task.Title);
        Assert.Equal(list, third.Notification.TaskListId);
        Assert.NotEqual(second.Notification.Cursor, third.Notification.Cursor);
        await call.HangUpAsync();
    }

    [Fact]
    public async Task A_task_that_leaves_the_filter_or_is_deleted_is_told_as_left_also_after_a_restart()
    {
        await using SubscribeWorld world = await SubscribeWorld.StartAsync();
        string ada = await world.AccountAsync();
        string list = await world.CreateListAsync(ada);
        string start;
        await using (SubscribeCall idle = world.Subscribe(ada))
        {
            start = (await idle.NextAsync()).Synced.Cursor;
        }

        await using SubscribeCall live = world.Subscribe(ada, filter: "title = \"mine\"");
        await live.NextAsync();
        TaskItem leaves = await world.CreateTaskAsync(list, "mine");
        TaskItem gone = await world.CreateTaskAsync(list, "mine");
        TaskItem comes = await world.CreateTaskAsync(list, "other");
        await world.RetitleAsync(leaves.Id, "not mine");
        await world.DeleteTaskAsync(gone.Id);
        await world.RetitleAsync(leaves.Id, "still not mine");
        await world.DeleteTaskAsync(leaves.Id);
        await world.CommentAsync(comes.Id, "unheard");
        await world.RetitleAsync(comes.Id, "mine");
        await world.CommentAsync(comes.Id, "heard");
        (Case, Event)[] expected =
        [
            (Case.Notification, Event.TaskCreated), (Case.Notification, Event.TaskCreated),
            (Case.Left, Event.TaskUpdated), (Case.Left, Event.TaskDeleted), (Case.Notification, Event.TaskUpdated),
            (Case.Notification, Event.CommentCreated),
        ];
        List<SubscribeResponse> told = await live.ThroughAsync(message => EventOf(message) == Event.CommentCreated);
        await live.DisposeAsync();

        await world.RestartAsync();
        await using SubscribeCall resumed = world.Subscribe(ada, start, "title = \"mine\"");
        List<SubscribeResponse> again = await resumed.ThroughAsync(Case.Synced);

        Assert.Equal(expected, told.Select(message => (message.MessageCase, EventOf(message))));
        Assert.Equal(told, again.SkipLast(1));
        Assert.Equal("heard", told[^1].Notification.CommentCreated.Comment.Text);
    }

    [Fact]
    public async Task Lists_and_members_are_told_of_whatever_the_filter()
    {
        await using SubscribeWorld world = await SubscribeWorld.StartAsync();
        string ada = await world.AccountAsync();
        string bob = await world.AccountAsync();
        await using SubscribeCall call = world.Subscribe(ada, filter: "title = \"nothing like it\"");
        await call.NextAsync();

        string list = await world.CreateListAsync(ada);
        await world.CreateTaskAsync(list, "unseen");
        await world.SetMemberAsync(list, bob);
        await world.RemoveMemberAsync(list, bob);
        await world.DeleteListAsync(list);

        List<SubscribeResponse> told = await call.ThroughAsync(message => EventOf(message) == Event.TaskListDeleted);
        Assert.Equal(
            [Event.TaskListCreated, Event.MemberSet, Event.MemberRemoved, Event.TaskListDeleted], told.Select(EventOf));
    }

    [Fact]
    public async Task A_task_that_moves_is_left_in_one_list_and_created_in_the_other()
    {
        await using SubscribeWorld world = await SubscribeWorld.StartAsync();
        string ada = await world.AccountAsync();
        string old = await world.CreateListAsync(ada);
        string other = await world.CreateListAsync(ada);
        TaskItem task = await world.CreateTaskAsync(old, "moves");
        await using SubscribeCall all = world.Subscribe(ada);
        await using SubscribeCall one = world.Subscribe(ada, filter: $"task_list_id = \"{old}\"");
        await all.NextAsync();
        await one.NextAsync();

        await world.MoveTaskAsync(task.Id, other);
        await world.CreateTaskAsync(old, "last");

        List<SubscribeResponse> ofAll = [await all.NextAsync(), await all.NextAsync(), await all.NextAsync()];
        List<SubscribeResponse> ofOne = [await one.NextAsync(), await one.NextAsync()];
        Assert.Equal(task.Id, ofAll[0].Left.TaskDeleted.TaskId);
        Assert.Equal(old, ofAll[0].Left.TaskListId);
        Assert.Equal(other, ofAll[1].Notification.TaskCreated.Task.TaskListId);
        Assert.Equal([ofAll[0], ofAll[2]], ofOne);
    }

    [Fact]
    public async Task The_hundred_and_first_subscription_of_an_account_is_refused_and_another_account_is_not()
    {
        await using SubscribeWorld world =
            await SubscribeWorld.StartAsync(limits => limits.AccountSubscriptionsMax = 2);
        string ada = await world.AccountAsync();
        await using SubscribeCall first = world.Subscribe(ada);
        await using SubscribeCall second = world.Subscribe(ada);
        await first.NextAsync();
        await second.NextAsync();

        await using SubscribeCall third = world.Subscribe(ada);
        await using SubscribeCall neighbour = world.Subscribe(await world.AccountAsync());
        RpcException refused = await third.FailureAsync();
        await neighbour.NextAsync();
        await first.HangUpAsync();
        await using SubscribeCall fourth = world.Subscribe(ada);

        Assert.Equal(StatusCode.ResourceExhausted, refused.StatusCode);
        Assert.Equal("TOO_MANY_SUBSCRIPTIONS", Refusal.CauseOf(refused).Reason);
        Assert.Equal(Case.Synced, (await fourth.NextAsync()).MessageCase);
    }

    [Fact]
    public async Task What_the_request_alone_shows_is_refused_with_the_field_named()
    {
        await using SubscribeWorld world = await SubscribeWorld.StartAsync();
        string ada = await world.AccountAsync();
        (string Field, SubscribeRequest Request)[] bad =
        [
            ("after", new() { After = "nonsense" }),
            ("after", new() { After = Garbled(world.Journal.End.ToString()) }),
            ("filter", new() { Filter = "title = = " }),
            ("snapshot", new() { Snapshot = true, After = world.Journal.End.ToString() }),
            ("heartbeat_interval", new() { HeartbeatInterval = new() { Seconds = -1 } }),
            ("heartbeat_interval", new() { HeartbeatInterval = new() { Nanos = 999_999_999 } }),
            ("heartbeat_interval", new() { HeartbeatInterval = new() { Seconds = 300, Nanos = 1 } }),
            ("heartbeat_interval",
                new() { HeartbeatInterval = new() { Seconds = long.MaxValue, Nanos = int.MinValue } }),
        ];

        foreach ((string field, SubscribeRequest request) in bad)
        {
            await using SubscribeCall call = world.Subscribe(ada, request);
            RpcException refused = await call.FailureAsync();
            Assert.Equal((field, StatusCode.InvalidArgument), (field, refused.StatusCode));
            Assert.Equal([field], Refusal.FieldsOf(refused));
            Assert.False(call.Context.HeadersSent.IsCompleted);
        }
    }

    private static string Garbled(string cursor) => cursor[..^1] + (cursor[^1] == 'A' ? 'B' : 'A');

    internal static Event EventOf(SubscribeResponse message) =>
        message.MessageCase == Case.Left ? message.Left.EventCase : message.Notification?.EventCase ?? Event.None;
}
