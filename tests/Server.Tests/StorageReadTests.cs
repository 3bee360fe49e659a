using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;

namespace Squall.Server.Tests;

/// <summary>What a read costs those who come after it.</summary>
public sealed class StorageReadTests
{
    private static readonly TimeSpan Net = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task A_search_ends_when_its_caller_no_longer_waits_and_its_connection_is_as_good_as_before()
    {
        await using Ground ground = await Ground.StartAsync();
        using var caller = new CancellationTokenSource();
        var searching = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Task<int> endless = Task.Run(() => ground.Store.ReadAsync(
            db =>
            {
                ((SqliteConnection)db.Database.GetDbConnection()).CreateFunction("told", (int number) =>
                {
                    searching.TrySetResult();
                    return number;
                });
                return db.Database.SqlQueryRaw<int>(
                    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT told(i) FROM n) SELECT i AS \"Value\" FROM n "
                    + "WHERE i < 0").AsEnumerable().First();
            },
            caller.Token));
        await searching.Task.WaitAsync(Net);
        await caller.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => endless.WaitAsync(Net));
        Assert.Equal(0, await ground.ReadAsync(db => db.Tasks.Count()));
        Assert.Equal(1, await ground.ReadAsync(db => db.Journals.Count()));
    }
}
