using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;

namespace Squall.Server;

/// <summary>
/// Whose a database file is. Squall's has its application id; what a version made that gave none is known by the
/// history of its migrations and by its tables. A file with nothing in it is anybody's. To look writes nothing.
/// </summary>
internal static class DatabaseOwner
{
    public const string History = "migrations";

    /// <summary>EF's own, made before the history is.</summary>
    public const string MigrationLock = "__EFMigrationsLock";

    /// <summary>0x53716C6C, "Sqll": SQLite keeps it in the file's header for whoever asks what a file is.</summary>
    private const string ApplicationId = "1399942252";

    /// <summary>Where the header says that there may be a WAL, and what it says then.</summary>
    private const int VersionAt = 18;
    private const byte Wal = 2;

    /// <summary>Of the first migration, which every later one builds on.</summary>
    private static readonly string[] Tables = ["accounts", "changes", "journal", "tasks"];

    /// <exception cref="ForeignDatabaseException">It is another program's; nothing was changed.</exception>
    public static void Check(string file)
    {
        if (new FileInfo(file) is not { Exists: true, Length: > 0 })
        {
            return;
        }

        using SqliteConnection connection = Look(file);
        string[] names = Read(connection, "SELECT name FROM sqlite_schema WHERE substr(name, 1, 7) <> 'sqlite_'");
        bool ours = names.Length == 0 || Read(connection, "PRAGMA application_id") is [var id] && id switch
        {
            "0" => IsOurHistory(connection, names),
            _ => id == ApplicationId,
        };
        if (!ours)
        {
            throw new ForeignDatabaseException();
        }
    }

    /// <summary>Says in the file that it is Squall's.</summary>
    public static void Sign(SquallDb db)
    {
        const string Signed =
            $"SELECT application_id = {ApplicationId} AS \"Value\" FROM pragma_application_id";
        if (!db.Database.SqlQueryRaw<bool>(Signed).Single())
        {
            db.Database.ExecuteSqlRaw($"PRAGMA application_id={ApplicationId}");
        }
    }

    /// <summary>Without a history there is no table yet: a first start may have been killed before it.</summary>
    private static bool IsOurHistory(SqliteConnection connection, string[] names)
    {
        string[] columns = Read(connection, $"SELECT name FROM pragma_table_info('{History}') ORDER BY cid");
        bool begun = columns.Length > 0 && Read(connection, $"SELECT 1 FROM \"{History}\" LIMIT 1").Length > 0;
        return columns is [] or ["MigrationId", "ProductVersion"]
            && (begun ? Tables.All(names.Contains) : names.All(name => name is History or MigrationLock));
    }

    /// <summary>
    /// Only a WAL that is there is read: SQLite would make one, and a file beside it, also for who does but read.
    /// </summary>
    private static SqliteConnection Look(string file)
    {
        bool still = MayHaveWal(file) && new FileInfo(file + "-wal") is not { Exists: true, Length: > 0 };
        string address = "file:" + Uri.EscapeDataString(file).Replace("%2F", "/", StringComparison.Ordinal);
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder
        {
            DataSource = still ? address + "?immutable=1" : address,
            Mode = SqliteOpenMode.ReadOnly,
            Pooling = false,
            DefaultTimeout = Store.BusySecondsMax,
        }.ConnectionString);
        connection.Open();
        return connection;
    }

    private static bool MayHaveWal(string file)
    {
        using FileStream bytes = File.Open(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        bytes.Position = VersionAt;
        return bytes.ReadByte() == Wal;
    }

    private static string[] Read(SqliteConnection connection, string sql)
    {
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = sql;
        using SqliteDataReader reader = command.ExecuteReader();
        var values = new List<string>();
        while (reader.Read())
        {
            values.Add(reader.GetString(0));
        }

        return [.. values];
    }
}

/// <summary>The database is another program's.</summary>
internal sealed class ForeignDatabaseException() : Exception("It is a database of another program, not Squall's.");
