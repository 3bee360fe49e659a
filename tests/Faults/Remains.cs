using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text.Json;
using Microsoft.Data.Sqlite;
using Squall.V1;

namespace Squall.Faults;

/// <summary>
/// The files of a server that was killed, or has ended, read without a change to them: to open them where they are
/// would repair what the server is to repair. So SQLite is given a copy of the log, which is short, and beside it the
/// database itself, by another name and to be read only.
/// </summary>
internal sealed class Remains : IDisposable
{
    private const int HeaderBytes = 32;
    private const int FrameHeaderBytes = 24;
    private readonly string _copy = Directory.CreateTempSubdirectory("squall-remains-").FullName;
    private readonly SqliteConnection _connection;

    public Remains(string folder)
    {
        string database = Path.Combine(_copy, "squall.db");
        string log = Path.Combine(folder, "squall.db-wal");
        if (Link(Path.Combine(folder, "squall.db"), database) != 0)
        {
            throw new IOException($"The database cannot be linked: error {Marshal.GetLastPInvokeError()}.");
        }

        Bytes = new FileInfo(database).Length;
        if (File.Exists(log))
        {
            File.Copy(log, database + "-wal");
        }

        TornPages = CountTorn(log);
        _connection = new SqliteConnection($"Data Source={database};Mode=ReadOnly;Pooling=False");
        _connection.Open();
    }

    /// <summary>Pages of a commit that was being written, behind the last one that was.</summary>
    public int TornPages { get; }

    /// <summary>Of the database, without its log.</summary>
    public long Bytes { get; }

    /// <summary>How many of the calls, by their request ids, have been stored.</summary>
    public int CountStored(string[] requestIds)
    {
        using SqliteCommand command = Command(
            "SELECT count(*) FROM requests WHERE RequestId IN (SELECT value FROM json_each($value))",
            JsonSerializer.Serialize(requestIds));
        return (int)(long)command.ExecuteScalar()!;
    }

    /// <summary>integrity_check is ok.</summary>
    public bool IsSound()
    {
        using SqliteCommand check = Command("PRAGMA integrity_check", 0);
        return (string?)check.ExecuteScalar() == "ok";
    }

    /// <summary>What is told of tasks after <paramref name="seq"/>, in order, each with its place.</summary>
    public IEnumerable<(long Seq, Notification Told)> ToldAfter(long seq)
    {
        using SqliteCommand command = Command(
            """
            SELECT "Seq", "Notification" FROM changes
            WHERE "Seq" > $value AND "TaskId" <> '' AND length("Notification") > 0 ORDER BY "Seq"
            """,
            seq);
        using SqliteDataReader rows = command.ExecuteReader();
        while (rows.Read())
        {
            yield return (rows.GetInt64(0), Notification.Parser.ParseFrom(rows.GetFieldValue<byte[]>(1)));
        }
    }

    public void Dispose()
    {
        _connection.Dispose();
        Directory.Delete(_copy, recursive: true);
    }

    private SqliteCommand Command(string text, object value)
    {
        SqliteCommand command = _connection.CreateCommand();
        command.CommandText = text;
        command.Parameters.AddWithValue("$value", value);
        return command;
    }

    /// <summary>
    /// Frames of the log's present generation (its salts are those of the header) after the last that ends a commit
    /// (it says how large the database is then).
    /// </summary>
    private static int CountTorn(string log)
    {
        byte[] bytes = File.Exists(log) ? File.ReadAllBytes(log) : [];
        if (bytes.Length < HeaderBytes)
        {
            return 0;
        }

        int frameBytes = FrameHeaderBytes + BinaryPrimitives.ReadInt32BigEndian(bytes.AsSpan(8));
        ReadOnlySpan<byte> salts = bytes.AsSpan(16, 8);
        int torn = 0;
        for (int at = HeaderBytes; at + frameBytes <= bytes.Length; at += frameBytes)
        {
            ReadOnlySpan<byte> frame = bytes.AsSpan(at, FrameHeaderBytes);
            if (!frame.Slice(8, 8).SequenceEqual(salts))
            {
                break;
            }

            torn = BinaryPrimitives.ReadInt32BigEndian(frame[4..]) == 0 ? torn + 1 : 0;
        }

        return torn;
    }

    [DllImport("libc", EntryPoint = "link", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Link(
        [MarshalAs(UnmanagedType.LPUTF8Str)] string existing, [MarshalAs(UnmanagedType.LPUTF8Str)] string made);
}
