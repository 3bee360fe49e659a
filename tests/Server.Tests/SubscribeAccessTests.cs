using Grpc.Core;
using Squall.V1;
using Case = Squall.V1.SubscribeResponse.MessageOneofCase;
using Event = Squall.V1.Notification.EventOneofCase;

namespace Squall.Server.Tests;

/// <summary>Who is told what, as of when it is delivered.</summary>
public sealed class SubscribeAccessTests
{
    [Fact]
    public async Task One_that_gains_a_list_is_told_so_first_and_of_nothing_before_it()
    {
        await using SubscribeWorld world = await SubscribeWorld.StartAsync();
        string ada = await world.AccountAsync();
        string bob = await world.AccountAsync();
        await using SubscribeCall call = world.Subscribe(bob);
        string start = (await call.NextAsync()).Synced.Cursor;
        string list = await world.CreateListAsync(ada);
        await world.CreateTaskAsync(list, "before");
        await world.SetMemberAsync(list, bob);
        await world.CreateTaskAsync(list, "after");
        await world.SetMemberAsync(list, bob, Role.Viewer);
        await world.CreateTaskAsync(list, "last");

        List<SubscribeResponse> live = await call.ThroughAsync(message => TitleOf(message) == "last");
        await world.RestartAsync();
        await using SubscribeCall resumed = world.Subscribe(bob, start);
        List<SubscribeResponse> again = await resumed.ThroughAsync(Case.Synced);

        Assert.Equal(
            [Event.MemberSet, Event.TaskCreated, Event.MemberSet, Event.TaskCreated],
            live.Select(SubscribeTests.EventOf));
        Assert.Equal(Role.Viewer, live[2].Notification.MemberSet.Member.Role);
        Assert.Equal(live, again.SkipLast(1));
    }

    [Fact]
    public async Task One_that_is_removed_is_told_so_last_also_when_it_resumes_and_those_that_stay_are_told_on()
    {
        await using SubscribeWorld world = await SubscribeWorld.StartAsync();
        string ada = await world.AccountAsync();
        string bob = await world.AccountAsync();
        string list = await world.CreateListAsync(ada);
        await world.SetMemberAsync(list, bob);
        await using SubscribeCall bobs = world.Subscribe(bob);
        await using SubscribeCall adas = world.Subscribe(ada);
        string start = (await bobs.NextAsync()).Synced.Cursor;
        await adas.NextAsync();

        await world.CreateTaskAsync(list, "seen");
        SubscribeResponse seen = await bobs.NextAsync();
        await world.RemoveMemberAsync(list, bob);
        await world.CreateTaskAsync(list, "unseen");
        string own = await world.CreateListAsync(bob);

        List<SubscribeResponse> live = [await bobs.NextAsync(), await bobs.NextAsync()];
        List<SubscribeResponse> stays = await adas.ThroughAsync(message => TitleOf(message) == "unseen");
        await world.RestartAsync();
        await using SubscribeCall resumed = world.Subscribe(bob, start);
        List<SubscribeResponse> again = await resumed.ThroughAsync(Case.Synced);

        Assert.Equal("seen", TitleOf(seen));
        Assert.Equal(bob, live[0].Notification.MemberRemoved.AccountId);
        Assert.Equal(own, live[1].Notification.TaskListId);
        Assert.Equal(
            [Event.TaskCreated, Event.MemberRemoved, Event.TaskCreated], stays.Select(SubscribeTests.EventOf));
        // What it missed of the list came before the end of its membership, but is delivered after it.
        Assert.Equal(live, again.SkipLast(1));
    }

    [Fact]
    public async Task A_slow_reader_that_is_removed_is_sent_nothing_more_of_the_list()
    {
        await using SubscribeWorld world = await SubscribeWorld.StartAsync();
        string ada = await world.AccountAsync();
        string bob = await world.AccountAsync();
        string list = await world.CreateListAsync(ada);
        await world.SetMemberAsync(list, bob);
        await using SubscribeCall call = world.Subscribe(bob);
        await call.NextAsync();
        call.StopReading();
        for (int task = 0; task < 10; task++)
        {
            await world.CreateTaskAsync(list, $"task {task}");
        }

        await world.RemoveMemberAsync(list, bob);
        call.ReadOn();

        List<SubscribeResponse> told = await call.ThroughAsync(
            message => SubscribeTests.EventOf(message) == Event.MemberRemoved);
        // The one whose write was under way when the membership ended.
        Assert.InRange(told.Count, 1, 2);
    }

    [Fact]
    public async Task One_that_is_removed_and_added_again_while_away_is_told_of_both()
    {
        await using SubscribeWorld world = await SubscribeWorld.StartAsync();
        string ada = await world.AccountAsync();
        string bob = await world.AccountAsync();
        string list = await world.CreateListAsync(ada);
        await world.SetMemberAsync(list, bob);
        string start = world.Tail.End.ToString();
        await world.CreateTaskAsync(list, "unseen");
        await world.RemoveMemberAsync(list, bob);
        await world.CreateTaskAsync(list, "unseen");
        await world.SetMemberAsync(list, bob);
        await world.CreateTaskAsync(list, "seen");

        await using SubscribeCall resumed = world.Subscribe(bob, start);
        List<SubscribeResponse> told = await resumed.ThroughAsync(Case.Synced);

        Assert.Equal(
            [Event.MemberRemoved, Event.MemberSet, Event.TaskCreated], told.SkipLast(1).Select(SubscribeTests.EventOf));
    }

    [Fact]
    public async Task All_who_were_members_are_told_that_the_list_is_deleted_and_nothing_after()
    {
        await using SubscribeWorld world = await SubscribeWorld.StartAsync();
        string ada = await world.AccountAsync();
        string bob = await world.AccountAsync();
        string list = await world.CreateListAsync(ada);
        string start = world.Tail.End.ToString();
        await world.SetMemberAsync(list, bob);
        TaskItem task = await world.CreateTaskAsync(list, "goes with it");
        await world.DeleteListAsync(list);
        await world.DeleteTaskAsync(task.Id);

        foreach (string account in new[] { ada, bob })
        {
            await using SubscribeCall resumed = world.Subscribe(account, start);
            List<SubscribeResponse> told = await resumed.ThroughAsync(Case.Synced);
            Assert.Equal([Event.TaskListDeleted], told.SkipLast(1).Select(SubscribeTests.EventOf));
        }
    }

    [Fact]
    public async Task The_stream_of_an_ended_session_ends_and_that_of_another_session_does_not()
    {
        await using SubscribeWorld world = await SubscribeWorld.StartAsync();
        string ada = await world.AccountAsync();
        string bob = await world.AccountAsync();
        string list = await world.CreateListAsync(ada);
        await world.SetMemberAsync(list, bob);
        await using SubscribeCall ends = world.Subscribe(ada);
        await using SubscribeCall stays = world.Subscribe(bob);
        await ends.NextAsync();
        await stays.NextAsync();

        await world.EndSessionAsync(ada);
        await world.CreateTaskAsync(list, "after");
        RpcException ended = await ends.FailureAsync();

        Assert.Equal(StatusCode.Unauthenticated, ended.StatusCode);
        Assert.Equal("SESSION_ENDED", Refusal.CauseOf(ended).Reason);
        Assert.False(ends.TryNext(out _));
        Assert.Equal("after", TitleOf(await stays.NextAsync()));
    }

    [Fact]
    public async Task A_session_that_ended_while_its_reader_did_not_read_is_sent_nothing_more()
    {
        await using SubscribeWorld world = await SubscribeWorld.StartAsync();
        string ada = await world.AccountAsync();
        string list = await world.CreateListAsync(ada);
        await using SubscribeCall call = world.Subscribe(ada);
        await call.NextAsync();
        call.StopReading();
        await world.CreateTaskAsync(list, "unseen");
        await world.CreateTaskAsync(list, "unseen");

        await call.WriteWaits;
        await world.EndSessionAsync(ada);
        world.Time.Advance(TimeSpan.FromSeconds(1));
        RpcException ended = await call.FailureAsync();

        Assert.Equal(StatusCode.Unauthenticated, ended.StatusCode);
        Assert.False(call.TryNext(out _));
    }

    private static string TitleOf(SubscribeResponse message) => message.Notification?.TaskCreated?.Task.Title ?? "";
}
