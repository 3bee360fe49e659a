using Microsoft.EntityFrameworkCore;

namespace Squall.Server.Tests;

/// <summary>What the journal keeps, and how what it does not keep is removed.</summary>
public sealed class JournalRetentionTests
{
    private static readonly TimeSpan Net = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task What_is_older_than_its_age_is_removed_and_nothing_else()
    {
        await using SubscribeWorld world = await SubscribeWorld.StartAsync();
        await TellAsync(world, 3);
        world.Time.Advance(TimeSpan.FromDays(1));
        await TellAsync(world, 2);
        world.Time.Advance(TimeSpan.FromDays(6) + TimeSpan.FromSeconds(1));
        await world.Retention.TrimAsync(CancellationToken.None);
        Assert.Equal((long[])[4, 5], await SeqsAsync(world));
        world.Time.Advance(TimeSpan.FromDays(1) - TimeSpan.FromSeconds(2));
        await world.Retention.TrimAsync(CancellationToken.None);
        Assert.Equal((long[])[4, 5], await SeqsAsync(world));
        world.Time.Advance(TimeSpan.FromSeconds(2));
        await world.Retention.TrimAsync(CancellationToken.None);
        Assert.Empty(await SeqsAsync(world));
    }

    [Fact]
    public async Task What_is_too_much_is_removed_in_steps_of_500()
    {
        await using SubscribeWorld world = await SubscribeWorld.StartAsync(limits => limits.JournalChangesMax = 100);
        await TellAsync(world, 1_300);
        var steps = new List<int>();
        do
        {
            steps.Add(await world.Retention.TrimOnceAsync(CancellationToken.None));
        }
        while (steps[^1] > 0);

        Assert.Equal([500, 500, 200, 0], steps);
        Assert.Equal(Enumerable.Range(1_201, 100).Select(seq => (long)seq), await SeqsAsync(world));
    }

    [Fact]
    public async Task Bytes_are_kept_within_their_limit_and_count_what_is_there_whatever_fails()
    {
        await using SubscribeWorld world = await SubscribeWorld.StartAsync();
        string ada = await world.AccountAsync();
        string list = await world.CreateListAsync(ada);
        for (int task = 0; task < 20; task++)
        {
            await world.RetitleAsync((await world.CreateTaskAsync(list, $"task {task}")).Id, "another title");
        }

        Assert.True(await AssertBytesAsync(world) > 40 * ChangeRow.OverheadBytes);
        await Assert.ThrowsAsync<InvalidOperationException>(() => world.ChangeAsync<bool>(change =>
        {
            change.Note(ChangeKind.TokensVoided, ada, "x");
            throw new InvalidOperationException("undone alone");
        }));
        await AssertBytesAsync(world);
        await Refusal.AssertAsync(Grpc.Core.StatusCode.Unavailable, "STORAGE_FAILED", () => world.ChangeAsync(change =>
        {
            change.Note(ChangeKind.TokensVoided, ada, "x");
            StorageFaults.LoseTransaction(change);
            return true;
        }));
        await AssertBytesAsync(world);

        world.Limits.JournalBytesMax = 5_000;
        await world.Retention.TrimAsync(CancellationToken.None);
        long kept = await AssertBytesAsync(world);
        Assert.InRange(kept, 4_000, 5_000);
        await world.RestartAsync();
        await world.CreateTaskAsync(list, "after");
        Assert.True(await AssertBytesAsync(world) > kept);
    }

    [Fact]
    public async Task After_all_was_removed_a_restart_goes_on_from_its_place_and_its_time()
    {
        await using SubscribeWorld world = await SubscribeWorld.StartAsync();
        string ada = await world.AccountAsync();
        string list = await world.CreateListAsync(ada);
        long time = (await world.ChangeAsync(change => change.Note(ChangeKind.TokensVoided, ada, "x"))).TimeMicros;
        string last = world.Tail.End.ToString();
        world.Time.Advance(TimeSpan.FromDays(8));
        await world.Retention.TrimAsync(CancellationToken.None);
        Assert.Empty(await SeqsAsync(world));
        Cursor end = world.Journal.End;

        // The clock is set back meanwhile.
        world.Time.Advance(TimeSpan.FromDays(-30));
        await world.RestartAsync();
        Assert.Equal(end, world.Journal.End);
        await using SubscribeCall call = world.Subscribe(ada, last);
        await world.CreateTaskAsync(list, "after");
        Assert.Equal("after", (await call.ThroughAsync(message => message.Notification is not null))[^1]
            .Notification.TaskCreated.Task.Title);
        Assert.Equal(end.Seq + 1, Assert.Single(await SeqsAsync(world)));
        Assert.True(await world.Store.ReadAsync(db => db.Changes.Single().TimeMicros > time, CancellationToken.None));
    }

    /// <summary>
    /// Callers wait, as many as 20 commits of two take, and more than 20 steps are due: as each step is queued once the
    /// one before it is done, every commit has room for a caller, but for the first, which the hold shares with a step.
    /// </summary>
    [Fact]
    public async Task Steps_that_are_due_keep_no_caller_waiting()
    {
        const int Callers = 20;
        await using SubscribeWorld world = await SubscribeWorld.StartAsync();
        await TellAsync(world, Retention.RowsMax * (Callers + 5));
        (world.Limits.JournalChangesMax, world.Limits.CommitChangesMax) = (1, 2);
        using WriterHold hold = await WriterHold.StartAsync(world.Journal);
        Task trims = world.Retention.TrimAsync(CancellationToken.None);
        Task<long>[] callers =
        [
            .. Enumerable.Range(0, Callers).Select(_ => world.Journal.RunAsync(
                change => change.Db.Journals.AsNoTracking().Single().FloorSeq, "someone", 0, CancellationToken.None)),
        ];
        hold.Release();
        long[] floors = await Task.WhenAll(callers).WaitAsync(Net);
        Assert.All(floors, (floor, at) => Assert.InRange(floor, 0, Retention.RowsMax * (at + 2)));
        Assert.True(floors[^1] >= Retention.RowsMax, "No step was made while callers waited.");
        await trims.WaitAsync(Net);
        Assert.Equal(0, await world.Retention.TrimOnceAsync(CancellationToken.None));
    }

    [Fact]
    public async Task A_server_removes_by_itself_what_is_too_much_while_it_is_written()
    {
        const int Written = 20 * Retention.RowsMax;
        await using ServerFixture server = await ServerFixture.StartAsync(
            options => options.Limits.JournalChangesMax = 100);
        Journal journal = server.Get<Journal>();
        for (int row = 0; row < Written; row += 100)
        {
            await journal.RunAsync(change => Tell(change, 100), null, 0, CancellationToken.None);
        }

        // Once no more is written, there is no more than what did not yet call for another look.
        using var net = new CancellationTokenSource(Net);
        const int Most = 100 + Retention.RowsMax;
        while (await journal.RunAsync(change => change.Db.Changes.Count(), null, 0, net.Token) > Most)
        {
        }
    }

    [Fact]
    public async Task The_journal_of_an_earlier_version_is_counted_once_it_is_migrated()
    {
        await using SubscribeWorld world = await SubscribeWorld.StartAsync();
        string list = await world.CreateListAsync(await world.AccountAsync());
        await world.RetitleAsync((await world.CreateTaskAsync(list, "before")).Id, "after");
        await world.RestartAsync(file =>
        {
            using var old = new Microsoft.Data.Sqlite.SqliteConnection($"Data Source={file};Pooling=False");
            old.Open();
            using Microsoft.Data.Sqlite.SqliteCommand command = old.CreateCommand();
            command.CommandText = """
                ALTER TABLE journal DROP COLUMN "Bytes";
                ALTER TABLE journal DROP COLUMN "FloorTimeMicros";
                DELETE FROM migrations WHERE "MigrationId" LIKE '%AddJournalBytes';
                """;
            command.ExecuteNonQuery();
        });
        Assert.True(await AssertBytesAsync(world) > 3 * ChangeRow.OverheadBytes);
    }

    private static Task<int> TellAsync(SubscribeWorld world, int rows) =>
        world.ChangeAsync(change => Tell(change, rows));

    private static int Tell(ChangeScope change, int rows)
    {
        for (int row = 0; row < rows; row++)
        {
            change.Note(ChangeKind.TokensVoided, "someone", "x");
        }

        return rows;
    }

    private static Task<long[]> SeqsAsync(SubscribeWorld world) => world.Store.ReadAsync(
        db => db.Changes.OrderBy(row => row.Seq).Select(row => row.Seq).ToArray(), CancellationToken.None);

    /// <summary>The count, which is to be what a sum over the rows gives.</summary>
    private static async Task<long> AssertBytesAsync(SubscribeWorld world)
    {
        (long counted, long summed) = await world.Store.ReadAsync(
            db => (db.Journals.Single().Bytes, db.Changes.AsEnumerable().Sum(row => row.Bytes)),
            CancellationToken.None);
        Assert.Equal(summed, counted);
        return counted;
    }
}
