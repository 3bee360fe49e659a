using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Squall.Server;

/// <summary>
/// Keeps SQLite's log short. By itself SQLite copies it into the database at commits, and begins it anew at a moment
/// when nobody reads it; where readers overlap without end, such a moment never comes. So beyond its length the writer
/// waits for one: readers that come meanwhile read the database alone, and those that are there read no more than a
/// page. One that goes on for longer is left to it, and the next try comes when the log has grown.
/// </summary>
internal sealed class WriteAheadLog(SqliteConnection writer)
{
    /// <summary>Beyond it the writer waits; it is also what the file is cut to where it was longer.</summary>
    public const int BytesMax = 8 << 20;
    private const int TryAgainAfterBytes = 1 << 20;
    private const int WaitMilliseconds = 250;
    private readonly string _file = writer.DataSource + "-wal";
    private long _tried;

    /// <summary>Called by the writer between two commits. What fails is tried again later: nothing rests on it.
    /// </summary>
    public void Shorten()
    {
        long length = new FileInfo(_file) is { Exists: true } log ? log.Length : 0;
        if (length < Math.Max(BytesMax, _tried + TryAgainAfterBytes))
        {
            return;
        }

        raw.sqlite3_busy_timeout(writer.Handle, WaitMilliseconds);
        int result = raw.sqlite3_wal_checkpoint_v2(
            writer.Handle, "main", raw.SQLITE_CHECKPOINT_TRUNCATE, out _, out _);
        raw.sqlite3_busy_timeout(writer.Handle, Store.BusySecondsMax * 1_000);
        _tried = result == raw.SQLITE_OK ? 0 : length;
    }
}
