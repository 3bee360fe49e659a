using SQLitePCL;

namespace Squall.Bench;

/// <summary>A database through SQLite's own interface: what the floors are made of.</summary>
internal sealed class SqliteFile : IDisposable
{
    private readonly sqlite3 _database;
    private readonly List<sqlite3_stmt> _statements = [];

    public SqliteFile(string file, bool readOnly)
    {
        int mode = readOnly ? raw.SQLITE_OPEN_READONLY : raw.SQLITE_OPEN_READWRITE;
        Check(raw.sqlite3_open_v2(file, out _database, mode | raw.SQLITE_OPEN_NOMUTEX, null));
        // As the server's own connections: readers leave the log to the writer, and every commit is flushed.
        Run("PRAGMA mmap_size=0; PRAGMA busy_timeout=5000; PRAGMA synchronous=FULL;");
        if (readOnly)
        {
            Run("PRAGMA wal_autocheckpoint=0;");
        }
    }

    public void Run(string sql) => Check(raw.sqlite3_exec(_database, sql));

    public sqlite3_stmt Prepare(string sql)
    {
        Check(raw.sqlite3_prepare_v2(_database, sql, out sqlite3_stmt statement));
        _statements.Add(statement);
        return statement;
    }

    /// <summary>Steps to the first row, if there is one.</summary>
    public bool Step(sqlite3_stmt statement)
    {
        int result = raw.sqlite3_step(statement);
        if (result is not (raw.SQLITE_ROW or raw.SQLITE_DONE))
        {
            Check(result);
        }

        return result == raw.SQLITE_ROW;
    }

    /// <summary>Runs it to its end, but no further than a first row, which is read; ready to be run again.</summary>
    public void Execute(sqlite3_stmt statement)
    {
        if (Step(statement))
        {
            ReadRow(statement);
        }

        Check(raw.sqlite3_reset(statement));
    }

    public long Number(string sql)
    {
        sqlite3_stmt statement = Prepare(sql);
        Step(statement);
        long number = raw.sqlite3_column_int64(statement, 0);
        Check(raw.sqlite3_reset(statement));
        return number;
    }

    public void Dispose()
    {
        _statements.ForEach(statement => statement.Dispose());
        _database.Dispose();
    }

    /// <summary>Takes every value out, as whoever asked for them would.</summary>
    private static int ReadRow(sqlite3_stmt statement)
    {
        int characters = 0;
        for (int column = 0; column < raw.sqlite3_column_count(statement); column++)
        {
            characters += raw.sqlite3_column_type(statement, column) == raw.SQLITE_TEXT
                ? raw.sqlite3_column_text(statement, column).utf8_to_string().Length
                : (int)raw.sqlite3_column_int64(statement, column);
        }

        return characters;
    }

    private void Check(int result)
    {
        if (result != raw.SQLITE_OK)
        {
            throw new InvalidOperationException(raw.sqlite3_errmsg(_database).utf8_to_string());
        }
    }
}
