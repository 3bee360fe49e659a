using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using SQLitePCL;

namespace Squall.Server.Tests;

/// <summary>Breaks the storage of a journal's writer on purpose, and mends it.</summary>
internal sealed class StorageFaults
{
    private readonly Dictionary<string, TaskCompletionSource> _changed = [];
    private readonly sqlite3 _writer;

    private StorageFaults(sqlite3 writer) => _writer = writer;

    public static async Task<StorageFaults> OfAsync(Journal journal) => new(await journal.RunAsync(
        scope => ((SqliteConnection)scope.Db.Database.GetDbConnection()).Handle!, null, 0, CancellationToken.None));

    /// <summary>The disk is full: the file cannot grow.</summary>
    public void Fill() => Set("max_page_count = 1");

    public void MakeRoom() => Set("max_page_count = 1073741823");

    /// <summary>Not even a transaction that writes can begin.</summary>
    public void RefuseWrites() => Set("query_only = 1");

    public void TakeWrites() => Set("query_only = 0");

    /// <summary>Done when a row of the table is written or removed, ahead of the commit; one is waited for at a time
    /// and table.</summary>
    public Task ChangedAsync(string table)
    {
        var changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_changed)
        {
            _changed[table] = changed;
        }

        raw.sqlite3_update_hook(_writer, (_, _, _, name, _) => Changed(name.utf8_to_string()), null);
        return changed.Task;
    }

    /// <summary>Within a change: SQLite has ended the transaction by itself.</summary>
    public static void LoseTransaction(ChangeScope scope)
    {
        scope.Db.Database.ExecuteSqlRaw("ROLLBACK");
        throw new InvalidOperationException("The transaction is lost.");
    }

    private void Changed(string table)
    {
        lock (_changed)
        {
            _changed.GetValueOrDefault(table)?.TrySetResult();
        }
    }

    /// <summary>Beside the journal, which might not run it; SQLite lets one at a time use a connection.</summary>
    private void Set(string pragma) =>
        Assert.Equal(raw.SQLITE_OK, raw.sqlite3_exec(_writer, $"PRAGMA {pragma}"));
}
