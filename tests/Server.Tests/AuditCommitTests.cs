using Grpc.Core;
using Grpc.Core.Interceptors;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using SQLitePCL;
using Squall.V1;

namespace Squall.Server.Tests;

/// <summary>What was done and its row are of one commit: both are there, or neither; the line comes after.</summary>
public sealed class AuditCommitTests
{
    [Fact]
    public async Task A_login_that_cannot_be_stored_leaves_neither_session_nor_row_nor_line()
    {
        await using AuditWorld world = await AuditWorld.StartAsync();
        AuditPerson ada = await world.JoinAsync("ada");
        await world.MarkAsync();
        await AssertAgreeAsync(world);

        StorageFaults disk = await StorageFaults.OfAsync(world.Server.Get<Journal>());
        disk.RefuseWrites();
        await Refusal.AssertAsync(StatusCode.Unavailable, "STORAGE_FAILED", () => world.LoginAsync(ada.Account));
        await Refusal.AssertAsync(StatusCode.Unavailable, "STORAGE_FAILED", async () =>
            await world.Anyone.Auth.LogoutAsync(new(), ada.Headers));
        Assert.Empty(world.Lines.All);
        disk.TakeWrites();
        Assert.Empty(await world.NewRowsAsync());
        await AssertAgreeAsync(world);

        await world.LoginAsync(ada.Account);
        await world.Anyone.Auth.LogoutAsync(new(), ada.Headers);
        Assert.Equal(
            [(int)AuditEvent.LoginSucceeded, (int)AuditEvent.LoggedOut],
            (await world.NewRowsAsync()).Select(row => row.Event));
        Assert.Equal(2, world.Lines.All.Length);
        await AssertAgreeAsync(world);
    }

    [Fact]
    public async Task A_change_that_is_undone_or_whose_transaction_is_lost_is_not_told_of()
    {
        await using AuditWorld world = await AuditWorld.StartAsync();
        await world.MarkAsync();
        Journal journal = world.Server.Get<Journal>();
        var entry = new AuditEntry(AuditEvent.AccountUpdated) { AccountId = "someone" };
        await Assert.ThrowsAsync<InvalidOperationException>(() => journal.RunAsync<int>(
            scope =>
            {
                scope.Record(entry);
                throw new InvalidOperationException("It is refused after it was recorded.");
            },
            null, 0, CancellationToken.None));
        await Refusal.AssertAsync(StatusCode.Unavailable, "STORAGE_FAILED", () => journal.RunAsync(
            scope =>
            {
                scope.Record(entry);
                StorageFaults.LoseTransaction(scope);
                return 0;
            },
            null, 0, CancellationToken.None));
        Assert.Empty(await world.NewRowsAsync());
        Assert.Empty(world.Lines.All);
    }

    /// <summary>The commit itself fails, when all rows are written.</summary>
    [Fact]
    public async Task A_commit_that_fails_at_its_end_takes_the_row_with_it()
    {
        await using AuditWorld world = await AuditWorld.StartAsync();
        AuditPerson ada = await world.JoinAsync("ada");
        await world.MarkAsync();
        bool fails = true;
        await WithHookAsync(world, () => fails ? 1 : 0);
        await Refusal.AssertAsync(StatusCode.Unavailable, "STORAGE_FAILED", () => world.LoginAsync(ada.Account));
        fails = false;
        Assert.Empty(world.Lines.All);
        Assert.Empty(await world.NewRowsAsync());
        await AssertAgreeAsync(world);
        await world.LoginAsync(ada.Account);
        Assert.Single(await world.NewRowsAsync());
        await AssertAgreeAsync(world);
    }

    [Fact]
    public async Task A_trail_that_is_written_beside_what_it_tells_of_is_caught()
    {
        await using AuditWorld world = await AuditWorld.StartAsync(replace: services =>
            services.AddGrpc(grpc => grpc.Interceptors.Add<TellsAhead>()));
        AuditPerson ada = await world.JoinAsync("ada");
        int commits = 0;
        await WithHookAsync(world, () => Interlocked.Increment(ref commits) == 2 ? 1 : 0);
        await Refusal.AssertAsync(StatusCode.Unavailable, "STORAGE_FAILED", () => world.LoginAsync(ada.Account));
        await Assert.ThrowsAnyAsync<Xunit.Sdk.XunitException>(() => AssertAgreeAsync(world));
    }

    /// <summary>Has each later commit answered so: 1 makes it fail.</summary>
    private static async Task WithHookAsync(AuditWorld world, Func<int> answer)
    {
        bool begun = false;
        await world.Server.Get<Journal>().RunAsync(
            scope =>
            {
                var connection = (SqliteConnection)scope.Db.Database.GetDbConnection();
                raw.sqlite3_commit_hook(connection.Handle, _ => begun ? answer() : 0, null);
                return 0;
            },
            null, 0, CancellationToken.None);
        begun = true;
    }

    /// <summary>Each session has the one row of its beginning, and each such row its session, or the row of its end.
    /// </summary>
    private static async Task AssertAgreeAsync(AuditWorld world)
    {
        AuditRow[] rows = await world.RowsAsync();
        string[] sessions = await world.Server.Get<Store>().ReadAsync(
            db => db.Sessions.Select(session => session.Id).ToArray(), CancellationToken.None);
        Assert.Equal(
            sessions.Concat(ProofsOf(AuditEvent.LoggedOut)).Order(), ProofsOf(AuditEvent.LoginSucceeded).Order());

        IEnumerable<string?> ProofsOf(AuditEvent what) =>
            rows.Where(row => row.Event == (int)what).Select(row => row.ProofId);
    }

    /// <summary>The fault: a login is told of in a commit of its own, before it is one.</summary>
    private sealed class TellsAhead(Journal journal) : Interceptor
    {
        public override async Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
            TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation)
        {
            if (request is LoginRequest)
            {
                await journal.RunAsync(
                    scope =>
                    {
                        scope.Record(new AuditEntry(AuditEvent.LoginSucceeded) { ProofId = Ids.New(scope.NowMicros) });
                        return 0;
                    },
                    null, 0, context.CancellationToken);
            }

            return await continuation(request, context);
        }
    }
}
