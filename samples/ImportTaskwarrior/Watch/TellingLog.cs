using System.Text;

namespace ImportTaskwarrior;

/// <summary>
/// The file that a watcher writes what it is told to. Each line ends with the cursor to resume from, so that what was
/// told and how far it was told are written at once: a kill comes before a line or after it. A line that a kill has
/// cut short does not count, and is told again.
/// </summary>
internal sealed class TellingLog : IDisposable
{
    private readonly FileStream file;

    private TellingLog(FileStream file, string cursor) => (this.file, Cursor) = (file, cursor);

    /// <summary>Where to resume; empty: nothing was told yet.</summary>
    public string Cursor { get; private set; }

    /// <summary>Opens the file, or makes it. IOException: another watcher writes to it.</summary>
    public static TellingLog Open(string path)
    {
        // No buffer: each line is one write.
        var file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read, bufferSize: 0);
        try
        {
            var lines = ReadWhole(file);
            return new TellingLog(file, lines.Length > 0 ? Told.Parse(lines[^1]).Cursor : "");
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    public static IReadOnlyList<Told> Read(string path) => [.. File.ReadLines(path).Select(Told.Parse)];

    public void Add(Told told)
    {
        file.Write(Encoding.UTF8.GetBytes(told.ToLogLine() + '\n'));
        Cursor = told.Cursor;
    }

    public void Dispose() => file.Dispose();

    private static string[] ReadWhole(FileStream file)
    {
        var bytes = new byte[file.Length];
        file.ReadExactly(bytes);
        var whole = Array.LastIndexOf(bytes, (byte)'\n') + 1;
        file.SetLength(whole);
        file.Position = whole;
        return Encoding.UTF8.GetString(bytes, 0, whole).Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }
}
