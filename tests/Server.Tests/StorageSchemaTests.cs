using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging.Abstractions;

namespace Squall.Server.Tests;

/// <summary>The database's form: made from nothing, in step with the model, and kept.</summary>
public sealed class StorageSchemaTests : HostingPlace
{
    private string Database => Path.Combine(Place, "squall.db");

    [Fact]
    public void The_migrations_make_what_the_model_is()
    {
        using var store = new Store(Database);
        using SquallDb db = store.OpenWriter();
        Assert.False(db.Database.HasPendingModelChanges());
    }

    [Fact]
    public async Task From_nothing_every_migration_is_applied_once_and_the_file_is_sound()
    {
        for (int start = 0; start < 2; start++)
        {
            using var store = new Store(Database);
            using var journal = new Journal(store, new Limits(), TimeProvider.System, NullLogger<Journal>.Instance);
            journal.Start();
            await journal.StopAsync();
            Assert.Equal(Migrations(store), Read("SELECT MigrationId FROM migrations ORDER BY 1"));
            Assert.Equal(["ok"], Read("PRAGMA integrity_check"));
            Assert.Empty(Read("PRAGMA foreign_key_check"));
        }
    }

    [Fact]
    public async Task A_start_that_was_killed_while_it_migrated_keeps_no_later_one_waiting()
    {
        await LiveAsync(1);
        Read("INSERT INTO __EFMigrationsLock VALUES (1, '2026-01-01 00:00:00+00:00') RETURNING Timestamp");
        Assert.Equal(2, (await Task.Run(() => LiveAsync(1)).WaitAsync(HostingProcess.Net)).End.Seq);
    }

    [Fact]
    public async Task A_journal_keeps_its_epoch_and_its_end()
    {
        (long Epoch, Cursor End)[] ends = [await LiveAsync(3), await LiveAsync(0), await LiveAsync(1)];
        Assert.Equal(ends[0], ends[1]);
        Assert.Equal(ends[0].Epoch, ends[2].Epoch);
        Assert.Equal([3L, 3L, 4L], ends.Select(end => end.End.Seq));
    }

    private static string[] Migrations(Store store)
    {
        using SquallDb db = store.OpenWriter();
        return [.. db.Database.GetMigrations().Order(StringComparer.Ordinal)];
    }

    private async Task<(long Epoch, Cursor End)> LiveAsync(int changes)
    {
        using var store = new Store(Database);
        using var journal = new Journal(store, new Limits(), TimeProvider.System, NullLogger<Journal>.Instance);
        journal.Start();
        for (int change = 0; change < changes; change++)
        {
            await journal.RunAsync(
                scope => scope.Note(ChangeKind.TokensVoided, "someone", "x"), null, 0, CancellationToken.None);
        }

        await journal.StopAsync();
        return (journal.Epoch, journal.End);
    }

    private string[] Read(string sql)
    {
        using var connection = new SqliteConnection($"Data Source={Database};Pooling=False");
        connection.Open();
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = sql;
        using SqliteDataReader reader = command.ExecuteReader();
        var rows = new List<string>();
        while (reader.Read())
        {
            rows.Add($"{reader.GetValue(0)}");
        }

        return [.. rows];
    }
}
