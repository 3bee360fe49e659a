using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;

namespace Squall.Server.Tests;

/// <summary>
/// Every row of every table, as text: two that are equal say that nothing was changed in between. The audit trail,
/// which tells of what was refused too, is left out.
/// </summary>
internal static class TableDump
{
    /// <summary>What is cleared away after a change is done first, so that it does not come in between.</summary>
    public static async Task<string> DumpAsync(this ServerFixture server)
    {
        await server.Get<TaskUpkeep>().RunOnceAsync(CancellationToken.None);
        return await server.Get<Store>().ReadAsync(Dump, CancellationToken.None);
    }

    private static string Dump(SquallDb db)
    {
        IEnumerable<string> rows =
            from table in Rows(db, "SELECT name FROM sqlite_master WHERE type = 'table' AND name <> 'audit'")
            from row in Rows(db, $"SELECT * FROM \"{table}\"")
            where table != "sqlite_sequence" || !row.StartsWith("audit ", StringComparison.Ordinal)
            select $"{table}: {row}";
        return string.Join('\n', rows.Order(StringComparer.Ordinal));
    }

    private static List<string> Rows(SquallDb db, string sql)
    {
        using var command = (SqliteCommand)db.Database.GetDbConnection().CreateCommand();
        command.Transaction = (SqliteTransaction)Microsoft.EntityFrameworkCore.Storage
            .DbContextTransactionExtensions.GetDbTransaction(db.Database.CurrentTransaction!);
        command.CommandText = sql;
        using SqliteDataReader reader = command.ExecuteReader();
        var rows = new List<string>();
        while (reader.Read())
        {
            rows.Add(string.Join(' ', Enumerable.Range(0, reader.FieldCount).Select(at => Text(reader.GetValue(at)))));
        }

        return rows;
    }

    private static string Text(object value) => value is byte[] bytes ? Convert.ToHexString(bytes) : $"{value}";
}
