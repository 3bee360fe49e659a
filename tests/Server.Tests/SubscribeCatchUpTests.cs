using Squall.V1;
using Case = Squall.V1.SubscribeResponse.MessageOneofCase;

namespace Squall.Server.Tests;

/// <summary>Many who are far behind catch up in turns.</summary>
public sealed class SubscribeCatchUpTests
{
    private static readonly TimeSpan Net = TimeSpan.FromSeconds(30);
    private static readonly int TurnsAtOnce = Math.Max(1, Environment.ProcessorCount / 2);

    [Fact]
    public async Task A_turn_is_followed_by_the_next_at_once_where_nothing_is_written()
    {
        var time = new FakeTime();
        using var turns = new CatchUp(time);
        long[] began = await TakeAllAsync(turns);
        Task<long> next = turns.EnterAsync(default).AsTask();
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.False(next.IsCompleted);
        turns.Leave(began[0]);
        await next.WaitAsync(Net);
    }

    [Fact]
    public async Task While_something_is_written_it_is_followed_by_a_rest_four_times_as_long()
    {
        var time = new FakeTime();
        using var turns = new CatchUp(time);
        long[] began = await TakeAllAsync(turns);
        Task<long> next = turns.EnterAsync(default).AsTask();
        time.Advance(TimeSpan.FromMilliseconds(10));
        turns.Follow([]);
        turns.Leave(began[0]);
        time.Advance(TimeSpan.FromMilliseconds(39));
        Assert.False(next.IsCompleted);
        time.Advance(TimeSpan.FromMilliseconds(1));
        await next.WaitAsync(Net);
    }

    [Fact]
    public async Task Who_does_not_read_keeps_nobody_from_catching_up()
    {
        const int Tasks = CatchUp.FreeChanges + (3 * CatchUp.TurnChanges);
        await using SubscribeWorld world = await SubscribeWorld.StartAsync();
        string ada = await world.AccountAsync();
        string list = await world.CreateListAsync(ada);
        var request = new SubscribeRequest { After = world.Tail.End.ToString() };
        await TellAsync(world, ada, list, Tasks);
        var stalled = new List<SubscribeCall>();
        for (int reader = 0; reader < TurnsAtOnce + 3; reader++)
        {
            stalled.Add(world.Subscribe(ada, request, inStep: true));
            await stalled[^1].NextAsync();
        }

        await using SubscribeCall stream = world.Subscribe(ada, request);
        await ReadAsync(stream, from: 0);
        foreach (SubscribeCall reader in stalled)
        {
            await ReadAsync(reader, from: 1);
            await reader.DisposeAsync();
        }

        static async Task ReadAsync(SubscribeCall reader, int from)
        {
            for (int task = from; task < Tasks; task++)
            {
                SubscribeResponse next = await reader.NextAsync();
                Assert.Equal($"task {task}", next.Notification.TaskCreated.Task.Title);
            }

            Assert.Equal(Case.Synced, (await reader.NextAsync()).MessageCase);
        }
    }

    [Fact]
    public async Task Whoever_loses_access_waits_for_no_turn_to_be_told_so()
    {
        await using SubscribeWorld world = await SubscribeWorld.StartAsync();
        string ada = await world.AccountAsync();
        string list = await world.CreateListAsync(ada);
        string after = world.Tail.End.ToString();
        await TellAsync(world, ada, list, CatchUp.FreeChanges + 1);
        await TakeAllAsync(world.Turns);
        await using SubscribeCall stream = world.Subscribe(ada, after);
        await stream.Context.HeadersSent.WaitAsync(Net);
        await world.EndSessionAsync(ada);
        world.Time.Advance(TimeSpan.FromMilliseconds(500));
        Assert.Equal("SESSION_ENDED", Refusal.Of(await stream.FailureAsync()).Reason);
        Assert.False(stream.TryNext(out _));
    }

    private static Task TellAsync(SubscribeWorld world, string account, string list, int tasks) =>
        world.ChangeAsync(change =>
        {
            for (int at = 0; at < tasks; at++)
            {
                var task = new TaskItem { Id = $"{at}", TaskListId = list, Title = $"task {at}" };
                change.Tell(
                    account, list, new Notification { TaskCreated = new TaskCreated { Task = task } }, task.Id);
            }

            return 0;
        });

    private static Task<long[]> TakeAllAsync(CatchUp turns) =>
        Task.WhenAll(Enumerable.Range(0, TurnsAtOnce).Select(_ => turns.EnterAsync(default).AsTask()));
}
