using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Squall.V1;
using Case = Squall.V1.SubscribeResponse.MessageOneofCase;

namespace Squall.Server.Tests;

/// <summary>Heartbeats, readers that do not read, and streams without end.</summary>
public sealed class SubscribeLifeTests
{
    [Theory]
    [InlineData(0, 15)]
    [InlineData(1, 1)]
    [InlineData(300, 300)]
    public async Task A_heartbeat_comes_after_the_interval_without_a_message_and_no_sooner(int asked, int seconds)
    {
        await using SubscribeWorld world = await SubscribeWorld.StartAsync();
        string ada = await world.AccountAsync();
        await using SubscribeCall call = world.Subscribe(
            ada, new SubscribeRequest { HeartbeatInterval = new Duration { Seconds = asked } });
        await call.NextAsync();
        await world.Time.TimerSetAsync();

        world.Time.Advance(TimeSpan.FromSeconds(seconds) - TimeSpan.FromTicks(1));
        bool early = call.TryNext(out _);
        world.Time.Advance(TimeSpan.FromTicks(1));
        SubscribeResponse first = await call.NextAsync();
        await world.Time.TimerSetAsync();
        world.Time.Advance(TimeSpan.FromSeconds(seconds));
        SubscribeResponse second = await call.NextAsync();

        Assert.False(early);
        Assert.Equal([Case.Heartbeat, Case.Heartbeat], [first.MessageCase, second.MessageCase]);
    }

    [Fact]
    public async Task A_heartbeats_cursor_covers_what_the_subscriber_was_not_told_of()
    {
        await using SubscribeWorld world = await SubscribeWorld.StartAsync();
        string ada = await world.AccountAsync();
        string bob = await world.AccountAsync();
        await using SubscribeCall call = world.Subscribe(bob);
        string start = (await call.NextAsync()).Synced.Cursor;
        string list = await world.CreateListAsync(ada);
        await world.CreateTaskAsync(list, "unseen");
        string end = world.Tail.End.ToString();

        world.Time.Advance(TimeSpan.FromSeconds(15));
        List<SubscribeResponse> told = await call.ThroughAsync(
            message => message.MessageCase != Case.Heartbeat || message.Heartbeat.Cursor == end
                || AdvanceAgain(world));

        Assert.All(told, message => Assert.Equal(Case.Heartbeat, message.MessageCase));
        Assert.NotEqual(start, told[^1].Heartbeat.Cursor);
        await using SubscribeCall resumed = world.Subscribe(bob, told[^1].Heartbeat.Cursor);
        await resumed.ThroughAsync(Case.Synced);
    }

    [Fact]
    public async Task A_reader_that_does_not_read_is_reset_after_its_time_and_its_neighbours_live()
    {
        await using SubscribeWorld world = await SubscribeWorld.StartAsync();
        string ada = await world.AccountAsync();
        string list = await world.CreateListAsync(ada);
        await using SubscribeCall stalled = world.Subscribe(ada);
        await using SubscribeCall neighbour = world.Subscribe(ada);
        await stalled.NextAsync();
        await neighbour.NextAsync();
        stalled.StopReading();
        await world.CreateTaskAsync(list, "one");
        await neighbour.NextAsync();
        await stalled.WriteWaits.WaitAsync(TimeSpan.FromSeconds(30));
        await world.Time.TimerSetAsync(TimeSpan.FromSeconds(30));

        world.Time.Advance(TimeSpan.FromSeconds(29.9));
        bool early = stalled.Ended.IsCompleted;
        world.Time.Advance(TimeSpan.FromSeconds(0.1));
        RpcException cut = await stalled.FailureAsync();
        await world.CreateTaskAsync(list, "two");

        Assert.False(early);
        Assert.Equal(new Refusal(StatusCode.Unavailable, "READER_STALLED"), Refusal.Of(cut));
        await neighbour.ThroughAsync(message => message.Notification?.TaskCreated?.Task.Title == "two");
    }

    [Fact]
    public async Task A_call_that_ends_leaves_its_place_to_another()
    {
        await using SubscribeWorld world =
            await SubscribeWorld.StartAsync(limits => limits.AccountSubscriptionsMax = 1);
        string ada = await world.AccountAsync();
        for (int round = 0; round < 3; round++)
        {
            await using SubscribeCall call = world.Subscribe(ada);
            Assert.Equal(Case.Synced, (await call.NextAsync()).MessageCase);
            await call.HangUpAsync();
        }
    }

    private static bool AdvanceAgain(SubscribeWorld world)
    {
        world.Time.Advance(TimeSpan.FromSeconds(15));
        return false;
    }
}
