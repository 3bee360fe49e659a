using Grpc.Core;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;

namespace Squall.Server.Tests;

/// <summary>What is committed together, what is undone alone, and who learns of it when.</summary>
public sealed class JournalCommitTests
{
    private static readonly TimeSpan Net = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task What_waits_is_committed_together()
    {
        await using Ground ground = await Ground.StartAsync();
        Assert.Equal([50], await CommitsOfAsync(ground, 50, _ => 0));
    }

    [Fact]
    public async Task A_commit_takes_no_more_changes_than_its_limit()
    {
        await using Ground ground = await Ground.StartAsync(new Limits { CommitChangesMax = 3 });
        // The change that holds the writer is one of the first commit's, and tells nothing.
        Assert.Equal([2, 3, 3], await CommitsOfAsync(ground, 8, _ => 0));
    }

    [Fact]
    public async Task A_commit_takes_no_more_bytes_than_its_limit()
    {
        long[] bytes = [60, 60, 100, 500, 99, 1];
        await using Ground ground = await Ground.StartAsync(new Limits { CommitBytesMax = 100 });
        Assert.Equal([2, 1, 1, 2], await CommitsOfAsync(ground, bytes.Length, at => bytes[at]));
    }

    [Fact]
    public async Task A_commit_takes_no_longer_than_its_limit()
    {
        await using Ground ground = await Ground.StartAsync();
        Assert.Equal([2, 2, 2], await CommitsOfAsync(
            ground, 6, _ => 0, () => ground.Time.Advance(TimeSpan.FromMilliseconds(15))));
    }

    [Fact]
    public async Task A_change_that_fails_is_undone_alone()
    {
        await using Ground ground = await Ground.StartAsync();
        var commits = new List<int>();
        ground.Journal.Committed += rows => commits.Add(rows.Count);
        using WriterHold hold = await WriterHold.StartAsync(ground.Journal);
        Task<bool> first = RunAsync(ground, scope => Add(scope, "first"));
        Task<bool>[] failing =
        [
            RunAsync(ground, scope => Add(scope, "refused") ? throw Fault.NotFound("task", "x") : true),
            RunAsync(ground, scope =>
            {
                Add(scope, "partly");
                scope.Db.SaveChanges();
                scope.Db.Accounts.ExecuteUpdate(set => set.SetProperty(row => row.DisplayName, "changed"));
                throw new InvalidOperationException("after partial writes");
            }),
            RunAsync(ground, scope => Add(scope, "first")),
            RunAsync(ground, scope => scope.Db.Database.ExecuteSqlRaw(
                "INSERT INTO accounts SELECT * FROM accounts") > 0),
        ];
        Task<bool> last = RunAsync(ground, scope => Add(scope, "last"));
        hold.Release();

        Assert.True(await first.WaitAsync(Net));
        Assert.True(await last.WaitAsync(Net));
        await Refusal.AssertAsync(StatusCode.NotFound, "NOT_FOUND", () => failing[0].WaitAsync(Net));
        await Assert.ThrowsAsync<InvalidOperationException>(() => failing[1].WaitAsync(Net));
        await Refusal.AssertAsync(StatusCode.Unavailable, "STORAGE_FAILED", () => failing[2].WaitAsync(Net));
        await Refusal.AssertAsync(StatusCode.Unavailable, "STORAGE_FAILED", () => failing[3].WaitAsync(Net));
        Assert.Equal([2], commits);
        Assert.Equal(
            ["first", "last"], await ground.ReadAsync(db => db.Accounts.Select(row => row.Username).ToArray()));
        Assert.Equal((2, 2L), await ground.ReadAsync(db => (db.Changes.Count(), db.Changes.Max(row => row.Seq))));
        Assert.False(await ground.ReadAsync(db => db.Accounts.Any(row => row.DisplayName != "")));
    }

    [Fact]
    public async Task A_lost_transaction_refuses_all_that_ran_in_it_and_the_next_one_goes_on()
    {
        await using Ground ground = await Ground.StartAsync();
        await ground.RunAsync(scope => Add(scope, "before"));
        using WriterHold hold = await WriterHold.StartAsync(ground.Journal);
        Task<bool> ran = RunAsync(ground, scope => Add(scope, "ran"));
        Task<bool> refused = RunAsync(ground, scope =>
            scope.Db.Accounts.Any(row => row.Username == "ran") ? throw Fault.Taken("username", "ran") : true);
        Task<bool> loses = RunAsync(ground, scope =>
        {
            StorageFaults.LoseTransaction(scope);
            return true;
        });
        Task<bool> next = RunAsync(ground, scope => Add(scope, "next"));
        hold.Release();

        // Also the one that was refused: what it was refused for is not there.
        foreach (Task lost in (Task[])[hold.Done, ran, refused, loses])
        {
            RpcException told = await Refusal.AssertAsync(
                StatusCode.Unavailable, "STORAGE_FAILED", () => lost.WaitAsync(Net));
            Assert.NotNull(Refusal.Detail<Google.Rpc.RetryInfo>(told));
        }

        Assert.True(await next.WaitAsync(Net));
        Assert.Equal(
            ["before", "next"],
            await ground.ReadAsync(db => db.Accounts.OrderBy(row => row.Id).Select(row => row.Username).ToArray()));
        Assert.Equal((2, 2L), await ground.ReadAsync(db => (db.Changes.Count(), db.Changes.Max(row => row.Seq))));
        Assert.Equal(2, ground.Journal.End.Seq);
    }

    [Fact]
    public async Task A_refusal_is_told_no_sooner_than_what_it_rests_on_is_durable()
    {
        await using Ground ground = await Ground.StartAsync();
        using WriterHold hold = await WriterHold.StartAsync(ground.Journal);
        Task<bool> adds = RunAsync(ground, scope => Add(scope, "taken"));
        Task<bool> refused = RunAsync(ground, scope =>
            scope.Db.Accounts.Any(row => row.Username == "taken") ? throw Fault.Taken("username", "taken") : true);
        var toldAt = new List<bool>();
        ground.Journal.Committed += _ => toldAt.Add(refused.IsCompleted || adds.IsCompleted);
        hold.Release();

        await Refusal.AssertAsync(StatusCode.AlreadyExists, "ALREADY_EXISTS", () => refused.WaitAsync(Net));
        Assert.True(await adds);
        Assert.Equal([false], toldAt);
        Assert.True(await ground.ReadAsync(db => db.Accounts.Any(row => row.Username == "taken")));
    }

    [Fact]
    public async Task The_file_is_flushed_at_each_commit_and_only_the_writer_checkpoints()
    {
        await using Ground ground = await Ground.StartAsync();
        Assert.Equal(
            ["wal", "2", "1", "0", "3000"],
            await ground.RunAsync(scope => Pragmas(
                scope.Db, "journal_mode", "synchronous", "foreign_keys", "mmap_size", "busy_timeout")));
        Assert.Equal(
            ["0", "1", "0", "3000"],
            await ground.ReadAsync(db => Pragmas(
                db, "wal_autocheckpoint", "foreign_keys", "mmap_size", "busy_timeout")));
        Assert.Equal(8, await ground.ReadAsync(db => Assert.Throws<SqliteException>(
            () => db.Database.ExecuteSqlRaw("DELETE FROM accounts")).SqliteErrorCode));
    }

    private static string[] Pragmas(SquallDb db, params string[] names) =>
    [
        .. names.Select(name =>
        {
            using var command = db.Database.GetDbConnection().CreateCommand();
            command.Transaction = (SqliteTransaction?)Microsoft.EntityFrameworkCore.Storage
                .DbContextTransactionExtensions.GetDbTransaction(db.Database.CurrentTransaction!);
            command.CommandText = $"PRAGMA {name}";
            return command.ExecuteScalar()?.ToString() ?? "";
        }),
    ];

    /// <summary>How many changes each commit had, of those that waited together.</summary>
    private static async Task<List<int>> CommitsOfAsync(
        Ground ground, int changes, Func<int, long> bytes, Action? run = null)
    {
        var commits = new List<int>();
        ground.Journal.Committed += rows => commits.Add(rows.Count);
        using WriterHold hold = await WriterHold.StartAsync(ground.Journal);
        Task[] waiting =
        [
            .. Enumerable.Range(0, changes).Select(at => ground.Journal.RunAsync(
                scope =>
                {
                    run?.Invoke();
                    return scope.Note(ChangeKind.TokensVoided, "someone", "x").Seq;
                },
                "someone", bytes(at), CancellationToken.None)),
        ];
        hold.Release();
        await Task.WhenAll(waiting).WaitAsync(Net);
        return commits;
    }

    private static Task<bool> RunAsync(Ground ground, Func<ChangeScope, bool> change) =>
        ground.Journal.RunAsync(change, "someone", 0, CancellationToken.None);

    private static bool Add(ChangeScope scope, string username)
    {
        scope.Db.Accounts.Add(new AccountRow { Id = Ids.New(scope.NowMicros), Username = username });
        scope.Note(ChangeKind.TokensVoided, "someone", username);
        return true;
    }
}
