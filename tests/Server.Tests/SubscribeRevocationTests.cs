using System.Threading.Channels;
using Grpc.Core;
using Squall.V1;
using Case = Squall.V1.SubscribeResponse.MessageOneofCase;

namespace Squall.Server.Tests;

/// <summary>
/// A change of a list against the loss of the access to it, again and again: nothing is delivered whose place in the
/// journal lies behind that of the loss.
/// </summary>
public sealed class SubscribeRevocationTests
{
    private const int Races = 500;
    private static readonly TimeSpan Net = TimeSpan.FromSeconds(30);

    private enum Loss
    {
        OfMembership,
        OfSession,
        OfKey,
        OfList,
    }

    [Fact]
    public async Task Nothing_behind_the_loss_is_delivered()
    {
        await using SubscribeWorld world = await SubscribeWorld.StartAsync();
        Tally tally = await RaceAsync(world, Races);
        Assert.Equal(0, tally.Behind);
        Assert.InRange(tally.ChangeFirst, Races / 10, Races * 9 / 10);
    }

    [Fact]
    public async Task A_memory_that_does_not_learn_of_losses_is_caught()
    {
        ChangeKind[] ends = [ChangeKind.SessionEnded, ChangeKind.KeyEnded];
        Notification.EventOneofCase[] losses =
            [Notification.EventOneofCase.MemberRemoved, Notification.EventOneofCase.TaskListDeleted];
        await using SubscribeWorld world = await SubscribeWorld.StartAsync(learns: rows =>
            [.. rows.Where(row => !ends.Contains((ChangeKind)row.Kind)
                && !losses.Contains((Notification.EventOneofCase)row.Kind))]);
        Tally tally = await RaceAsync(world, 60);
        Assert.InRange(tally.Behind, 60 / 4, int.MaxValue);
    }

    [Fact]
    public async Task Whoever_read_slowly_is_told_nothing_behind_the_end_of_the_session()
    {
        await using SubscribeWorld world = await SubscribeWorld.StartAsync();
        for (int round = 0; round < 20; round++)
        {
            string ada = await world.AccountAsync();
            string list = await world.CreateListAsync(ada);
            await using SubscribeCall slow = world.Subscribe(ada);
            await slow.ThroughAsync(Case.Synced);
            slow.StopReading();
            await world.CreateTaskAsync(list, "before");
            await slow.WriteWaits.WaitAsync(Net);
            await world.EndSessionAsync(ada);
            await world.CreateTaskAsync(list, "behind");
            slow.ReadOn();
            await slow.FailureAsync();
            Assert.True(slow.TryNext(out SubscribeResponse? told));
            Assert.Equal("before", told!.Notification.TaskCreated.Task.Title);
            Assert.False(slow.TryNext(out _));
        }
    }

    [Fact]
    public async Task A_write_that_waits_as_the_session_ends_is_cut_after_half_a_second()
    {
        await using SubscribeWorld world = await SubscribeWorld.StartAsync();
        string ada = await world.AccountAsync();
        string list = await world.CreateListAsync(ada);
        var stream = new EndsMeanwhile(() => world.LearnSessionEnded(ada));
        Task ended = Task.Run(() => world.Rpcs.Subscribe(
            new SubscribeRequest(), stream,
            DirectCall.Of(ada, SubscribeWorld.SessionOf(ada), CancellationToken.None)));
        await stream.Synced.Task.WaitAsync(Net);
        await world.CreateTaskAsync(list, "a task");
        await stream.Writing.Task.WaitAsync(Net);
        world.Time.Advance(TimeSpan.FromMilliseconds(500));
        RpcException failure = await Assert.ThrowsAsync<RpcException>(() => ended.WaitAsync(Net));
        Assert.Equal("SESSION_ENDED", Refusal.Of(failure).Reason);
        Assert.True(stream.Token.IsCancellationRequested);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Whoever_loses_access_while_the_stream_begins_is_told_nothing_at_all(bool snapshot)
    {
        await using SubscribeWorld world = await SubscribeWorld.StartAsync();
        string ada = await world.AccountAsync();
        await using SubscribeCall stream = world.Subscribe(
            ada, new SubscribeRequest { Snapshot = snapshot }, beforeHeaders: () =>
            {
                world.LearnSessionEnded(ada);
                return Task.CompletedTask;
            });
        Assert.Equal("SESSION_ENDED", Refusal.Of(await stream.FailureAsync()).Reason);
        Assert.False(stream.TryNext(out _));
    }

    private static async Task<Tally> RaceAsync(SubscribeWorld world, int races)
    {
        string ada = await world.AccountAsync();
        var tally = new Tally();
        for (int race = 0; race < races; race++)
        {
            string bob = await world.AccountAsync();
            string list = await world.CreateListAsync(ada);
            await world.SetMemberAsync(list, bob);

            // Each kind of loss, before and after the change, in its commit and in one of its own.
            var loss = (Loss)(race % 4);
            bool changeFirst = race / 4 % 2 == 0;
            await using SubscribeCall stream = loss == Loss.OfKey
                ? world.SubscribeByKey(bob, await world.AddKeyAsync(bob))
                : world.Subscribe(bob);
            await stream.ThroughAsync(Case.Synced);
            using WriterHold? hold = race / 8 % 2 == 0 ? await WriterHold.StartAsync(world.Journal) : null;
            Task<TaskItem>? change = changeFirst ? world.CreateTaskAsync(list, "raced") : null;
            Task lost = LoseAsync(world, loss, list, bob);
            change ??= world.CreateTaskAsync(list, "raced");
            hold?.Release();
            await Task.WhenAll(change, lost);
            long lostSeq = await SeqOfAsync(world, loss, list, bob);
            string sentinel = await world.CreateListAsync(bob);
            await tally.ReadAsync(stream, loss, list, lostSeq, sentinel);
            tally.ChangeFirst += await IsBeforeAsync(world, (await change).Id, lostSeq) ? 1 : 0;
        }

        return tally;
    }

    private static Task LoseAsync(SubscribeWorld world, Loss loss, string list, string account) => loss switch
    {
        Loss.OfMembership => world.RemoveMemberAsync(list, account),
        Loss.OfSession => world.EndSessionAsync(account),
        Loss.OfKey => world.EndKeysAsync(account),
        _ => world.DeleteListAsync(list),
    };

    private static bool EndsStream(Loss loss) => loss is Loss.OfSession or Loss.OfKey;

    private static Task<bool> IsBeforeAsync(SubscribeWorld world, string taskId, long seq) => world.Store.ReadAsync(
        db => db.Changes.Any(row => row.TaskId == taskId && row.Seq < seq), CancellationToken.None);

    private static Task<long> SeqOfAsync(SubscribeWorld world, Loss loss, string list, string account)
    {
        int kind = loss switch
        {
            Loss.OfMembership => (int)Notification.EventOneofCase.MemberRemoved,
            Loss.OfSession => (int)ChangeKind.SessionEnded,
            Loss.OfKey => (int)ChangeKind.KeyEnded,
            _ => (int)Notification.EventOneofCase.TaskListDeleted,
        };
        return world.Store.ReadAsync(
            db => db.Changes.Single(row => row.Kind == kind
                && (EndsStream(loss) ? row.AccountId == account : row.ListId == list)).Seq,
            CancellationToken.None);
    }

    private sealed class Tally
    {
        public int ChangeFirst { get; set; }

        public int Behind { get; private set; }

        /// <summary>Reads to the sentinel, which came last, or to the stream's end.</summary>
        public async Task ReadAsync(
            SubscribeCall stream, Loss loss, string list, long lostSeq, string sentinel)
        {
            try
            {
                string told = "";
                while (told != sentinel)
                {
                    Notification next = (await stream.NextAsync()).Notification;
                    told = next.TaskListId;
                    Assert.True(Cursor.TryParse(next.Cursor, out Cursor place));
                    bool concerns = EndsStream(loss) || told == list;
                    Behind += concerns && place.Seq > lostSeq ? 1 : 0;
                }
            }
            catch (ChannelClosedException) when (EndsStream(loss))
            {
                // That is how a stream ends whose session or key did.
            }
        }
    }

    /// <summary>A stream whose reader stops after the first message, and then loses access while it is written to.
    /// </summary>
    private sealed class EndsMeanwhile(Action end) : IServerStreamWriter<SubscribeResponse>
    {
        public TaskCompletionSource Synced { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource Writing { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public CancellationToken Token { get; private set; }

        public WriteOptions? WriteOptions { get; set; }

        public Task WriteAsync(SubscribeResponse message) => WriteAsync(message, CancellationToken.None);

        public Task WriteAsync(SubscribeResponse message, CancellationToken cancellationToken)
        {
            if (Synced.TrySetResult())
            {
                return Task.CompletedTask;
            }

            // Before its loop can know of the write.
            end();
            Token = cancellationToken;
            Writing.TrySetResult();
            return Task.Delay(Timeout.Infinite, cancellationToken);
        }
    }
}
