using System.Buffers.Binary;
using Microsoft.Data.Sqlite;

namespace Squall.Faults;

/// <summary>
/// What a killed server left behind. It is looked at in a copy: to open the file itself would repair what the server
/// is to repair.
/// </summary>
/// <param name="InTransaction">The kill came after a transaction's begin and before its commit's end.</param>
/// <param name="Sound">integrity_check is ok.</param>
/// <param name="Stored">Calls that were not answered, and whose change was committed.</param>
/// <param name="NotStored">Calls that were not answered, and of which there is nothing.</param>
/// <param name="TornPages">Pages of a commit that was being written, behind the last one that was.</param>
internal sealed record Wreck(bool InTransaction, bool Sound, int Stored, int NotStored, int TornPages)
{
    private const int HeaderBytes = 32;
    private const int FrameHeaderBytes = 24;

    /// <summary>The kill came after the writer had taken a change and before its caller was answered.</summary>
    public bool HitCommit => InTransaction || Stored > 0;

    public static Wreck Inspect(string folder, bool inTransaction, string[] unanswered)
    {
        string copy = Directory.CreateTempSubdirectory("squall-wreck-").FullName;
        try
        {
            foreach (string file in Directory.GetFiles(folder, "squall.db*"))
            {
                File.Copy(file, Path.Combine(copy, Path.GetFileName(file)));
            }

            string database = Path.Combine(copy, "squall.db");
            int torn = CountTorn(database + "-wal");
            using var connection = new SqliteConnection($"Data Source={database};Pooling=False");
            connection.Open();
            int stored = unanswered.Count(id => IsStored(connection, id));
            return new Wreck(inTransaction, IsSound(connection), stored, unanswered.Length - stored, torn);
        }
        finally
        {
            Directory.Delete(copy, recursive: true);
        }
    }

    private static bool IsStored(SqliteConnection connection, string requestId)
    {
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = "SELECT count(*) FROM requests WHERE RequestId = $id";
        command.Parameters.AddWithValue("$id", requestId);
        return (long)command.ExecuteScalar()! > 0;
    }

    private static bool IsSound(SqliteConnection connection)
    {
        using SqliteCommand check = connection.CreateCommand();
        check.CommandText = "PRAGMA integrity_check";
        return (string?)check.ExecuteScalar() == "ok";
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
}

/// <summary>The wrecks of a run, added up.</summary>
internal sealed class Wrecks
{
    private readonly List<Wreck> _all = [];

    public int Kills => _all.Count;
    public int Hits => _all.Count(wreck => wreck.HitCommit);
    public int Broken => _all.Count(wreck => !wreck.Sound);

    /// <summary>Kills while a commit was being written, and after it was, but before its callers knew.</summary>
    public int InWriting => _all.Count(wreck => wreck.TornPages > 0);
    public int BeforeAnswers => _all.Count(wreck => wreck.Stored > 0);

    public void Add(Wreck wreck) => _all.Add(wreck);

    public override string ToString() =>
        $"{Hits} of {Kills} kills with a commit in flight ({InWriting} while it was being written, {BeforeAnswers} "
        + $"after that and before its answers); {_all.Sum(wreck => wreck.Stored)} calls stored and not answered, "
        + $"{_all.Sum(wreck => wreck.NotStored)} neither";
}
