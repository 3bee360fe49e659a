using Grpc.Core;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using SQLitePCL;
using Squall.V1;

namespace Squall.Server.Tests;

/// <summary>What the audit trail costs, keeps and loses, in counts.</summary>
public sealed class AuditBoundTests
{
    private const string Wrong = "not the password at all";
    private static readonly TimeSpan Net = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Three_thousand_failed_logins_of_a_second_are_one_commit_of_bounded_rows_and_no_more_lines()
    {
        const int Pending = 50;
        const int Attempts = 3_000;
        await using AuditWorld world = await AuditWorld.StartAsync(options =>
        {
            options.Limits.AuditPendingMax = Pending;
            options.Limits.AccountFailuresMax = 1;
        });
        AuditPerson ada = await world.JoinAsync("ada");
        await Assert.ThrowsAsync<RpcException>(() => TryAsync(world, "ada", AuditWorld.Elsewhere));
        await world.MarkAsync();
        var commits = await Commits.CountAsync(world.Server.Get<Journal>());

        // Of 100 addresses, 30 times each: unhashed, since the account has had as many as strangers may have.
        await Task.WhenAll(Enumerable.Range(0, Attempts).Select(at => Refusal.AssertAsync(
            StatusCode.ResourceExhausted, "TOO_MANY_ATTEMPTS", () => TryAsync(world, "ada", $"203.0.113.{at % 100}"))));
        Assert.Equal(0, commits.Count);
        Assert.Equal(Pending, world.Lines.All.Length);

        AuditRow[] rows = await world.NewRowsAsync();
        Assert.Equal(1, commits.Count);
        Assert.Equal(Pending + 1, rows.Length);
        AuditRow[] told = [.. rows.Where(row => row.Event == (int)AuditEvent.LoginLimited)];
        Assert.Equal(Pending, told.Length);
        Assert.All(told, row => Assert.Equal((ada.Account.Id, 30), (row.AccountId, row.Count)));
        AuditRow lost = Assert.Single(rows, row => row.Event == (int)AuditEvent.NotRecorded);
        Assert.Equal(Attempts, told.Sum(row => row.Count) + lost.Count);

        // A line at once for the first of each, one later for the rest of them, and one for what is told of nowhere.
        Assert.Equal((2 * Pending) + 1, world.Lines.All.Length);
        Assert.Equal(Attempts, world.Lines.All.Sum(line => (long)(line.Fields.GetValueOrDefault("Count") ?? 1L)));
    }

    /// <summary>The fault: each refusal is a change of its own.</summary>
    [Fact]
    public async Task A_trail_that_writes_each_refusal_by_itself_is_caught()
    {
        await using AuditWorld world = await AuditWorld.StartAsync();
        var commits = await Commits.CountAsync(world.Server.Get<Journal>());
        for (int at = 0; at < 3; at++)
        {
            await Assert.ThrowsAsync<RpcException>(() => BadTokenAsync(world));
            await world.Server.Get<AuditTrail>().FlushAsync(CancellationToken.None);
        }

        Assert.Equal(3, commits.Count);
    }

    [Fact]
    public async Task What_is_noted_is_written_a_second_later_by_itself()
    {
        await using AuditWorld world = await AuditWorld.StartAsync();
        StorageFaults faults = await StorageFaults.OfAsync(world.Server.Get<Journal>());
        Task written = faults.ChangedAsync("audit");
        await Assert.ThrowsAsync<RpcException>(() => BadTokenAsync(world));
        await world.Time.TimerSetAsync(AuditTrail.Interval);
        Assert.False(written.IsCompleted);
        Assert.Single(world.Lines.All);
        world.Time.Advance(AuditTrail.Interval);
        await written.WaitAsync(Net);
    }

    [Fact]
    public async Task A_clean_stop_writes_what_was_noted_and_a_restart_has_it_all()
    {
        await using AuditWorld world = await AuditWorld.StartAsync();
        await world.JoinAsync("ada");
        await Assert.ThrowsAsync<RpcException>(() => BadTokenAsync(world));
        await world.RestartAsync();
        AuditRow[] rows = await world.Server.Get<Store>().ReadAsync(
            db => db.Audit.OrderBy(row => row.Num).ToArray(), CancellationToken.None);
        Assert.Equal(
            [(int)AuditEvent.Registered, (int)AuditEvent.LoginSucceeded, (int)AuditEvent.TokenRefused],
            rows.Select(row => row.Event));
    }

    [Fact]
    public async Task What_cannot_be_written_stays_noted_and_is_written_with_its_counts_once_it_can()
    {
        await using AuditWorld world = await AuditWorld.StartAsync();
        await world.MarkAsync();
        StorageFaults disk = await StorageFaults.OfAsync(world.Server.Get<Journal>());
        disk.RefuseWrites();
        for (int at = 0; at < 4; at++)
        {
            await Assert.ThrowsAsync<RpcException>(() => BadTokenAsync(world));
            await Refusal.AssertAsync(StatusCode.Unavailable, "STORAGE_FAILED", () =>
                world.Server.Get<AuditTrail>().FlushAsync(CancellationToken.None));
        }

        disk.TakeWrites();
        Assert.Equal(4, Assert.Single(await world.NewRowsAsync()).Count);
    }

    [Fact]
    public async Task A_key_is_told_of_once_an_interval_and_address_and_from_so_many_addresses()
    {
        await using AuditWorld world = await AuditWorld.StartAsync(options => options.Limits.KeyUsePlacesMax = 3);
        AuditPerson ada = await world.JoinAsync("ada");
        string key = (await world.Anyone.Accounts.CreateApiKeyAsync(
            new() { ApiKey = new() { Role = Role.Viewer } }, ada.Headers)).Secret;
        await world.MarkAsync();
        await Task.WhenAll(Enumerable.Range(0, 200).Select(at => UseAsync($"192.0.2.{at % 2}")));
        Assert.Equal(2, (await UsesAsync()).Length);

        // The key has got elsewhere, and is used from everywhere: a first few of those show.
        await Task.WhenAll(Enumerable.Range(0, 200).Select(at => UseAsync($"203.0.113.{at}")));
        Assert.Equal(3, (await UsesAsync()).Length);

        world.Time.Advance(TimeSpan.FromHours(1));
        await UseAsync("192.0.2.0");
        await UseAsync("192.0.2.0");
        AuditRow[] uses = await UsesAsync();
        Assert.Equal(4, uses.Length);
        Assert.Equal((1, "192.0.2.0"), (uses[^1].Count, uses[^1].Address));

        Task UseAsync(string address) =>
            world.Anyone.Lists.ListTaskListsAsync(new(), AuditWorld.From(address, key)).ResponseAsync;

        async Task<AuditRow[]> UsesAsync() =>
            [.. (await world.NewRowsAsync()).Where(row => row.Event == (int)AuditEvent.ApiKeyUsed)];
    }

    [Fact]
    public async Task The_trail_is_kept_within_its_age_in_steps()
    {
        await using AuditWorld world = await AuditWorld.StartAsync();
        await FillAsync(world, AuditEvent.LoginFailed, 1_200, TimeSpan.FromDays(91));
        await FillAsync(world, AuditEvent.LoginSucceeded, 3, TimeSpan.FromDays(89));
        var commits = await Commits.CountAsync(world.Server.Get<Journal>());
        await world.Server.Get<SessionUpkeep>().RunOnceAsync(CancellationToken.None);
        AuditRow[] rows = await world.RowsAsync();
        Assert.Equal(3, rows.Length);
        Assert.Equal(3, commits.Count);
        Assert.InRange(commits.LargestChange, 1, 500);
    }

    [Fact]
    public async Task Refusals_push_out_no_more_than_refusals_and_the_newest_of_each_stay()
    {
        await using AuditWorld world = await AuditWorld.StartAsync(options =>
        {
            options.Limits.AuditRowsMax = 20;
            options.Limits.AuditRefusedRowsMax = 100;
        });
        await FillAsync(world, AuditEvent.LoginSucceeded, 20);
        await FillAsync(world, AuditEvent.LoginFailed, 1_300);
        var commits = await Commits.CountAsync(world.Server.Get<Journal>());
        await world.Server.Get<AuditRetention>().TrimAsync(CancellationToken.None);
        AuditRow[] rows = await world.RowsAsync();
        Assert.Equal((20, 100), (rows.Count(row => !row.IsRefusal), rows.Count(row => row.IsRefusal)));
        Assert.Equal(1_320, rows[^1].Num);
        Assert.Equal(1_221, rows.First(row => row.IsRefusal).Num);
        Assert.InRange(commits.LargestChange, 1, 500);

        await FillAsync(world, AuditEvent.LoginSucceeded, 5);
        await world.Server.Get<AuditRetention>().TrimAsync(CancellationToken.None);
        rows = await world.RowsAsync();
        Assert.Equal((20, 100), (rows.Count(row => !row.IsRefusal), rows.Count(row => row.IsRefusal)));
        Assert.Equal(6, rows[0].Num);
    }

    private static Task FillAsync(AuditWorld world, AuditEvent what, int rows, TimeSpan ago = default) =>
        world.Server.Get<Journal>().RunAsync(
            scope =>
            {
                for (int at = 0; at < rows; at++)
                {
                    scope.Record(new AuditEntry(what), scope.NowMicros - (long)ago.TotalMicroseconds, 1);
                }

                return 0;
            },
            null, 0, CancellationToken.None);

    private static Task TryAsync(AuditWorld world, string username, string address) =>
        world.Anyone.Auth.LoginAsync(
            new() { Username = username, Password = Wrong }, AuditWorld.From(address)).ResponseAsync;

    private static Task BadTokenAsync(AuditWorld world) => world.Anyone.Accounts.GetAccountAsync(
        new(), AuditWorld.From(AuditWorld.Here, Token.New(Token.Access))).ResponseAsync;

    /// <summary>Counts the commits of a journal that wrote to the trail, and their rows.</summary>
    private sealed class Commits
    {
        private int _rows;
        private bool _begun;

        public int Count { get; private set; }

        /// <summary>Rows of the trail that one commit wrote or removed, at most.</summary>
        public int LargestChange { get; private set; }

        public static async Task<Commits> CountAsync(Journal journal)
        {
            var commits = new Commits();
            await journal.RunAsync(
                scope =>
                {
                    var connection = (SqliteConnection)scope.Db.Database.GetDbConnection();
                    raw.sqlite3_update_hook(
                        connection.Handle, (_, _, _, table, _) => commits.Changed(table.utf8_to_string()), null);
                    raw.sqlite3_commit_hook(connection.Handle, _ => commits.Committed(), null);
                    return 0;
                },
                null, 0, CancellationToken.None);
            commits._begun = true;
            return commits;
        }

        private void Changed(string table) => _rows += table == "audit" ? 1 : 0;

        private int Committed()
        {
            if (_begun && _rows > 0)
            {
                Count++;
                LargestChange = Math.Max(LargestChange, _rows);
            }

            _rows = 0;
            return 0;
        }
    }
}
