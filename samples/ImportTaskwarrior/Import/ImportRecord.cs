using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace ImportTaskwarrior;

internal enum Outcome
{
    Done,

    /// <summary>Someone had done it in Squall before.</summary>
    WasSo,

    /// <summary>What it concerns was deleted or ended in Squall, and stays so.</summary>
    LeftAlone,
}

/// <summary>A step that was taken: its key, the id of its request, and the id of what it was done to.</summary>
internal sealed record Taken(string Step, string Request, Outcome Outcome, string Id);

/// <summary>
/// The file in which an import notes how far it came: a JSON object a line, each on the disk before the next step is
/// taken. A line that a kill has cut short does not count. One process has it at a time.
/// </summary>
internal sealed class ImportRecord : IDisposable
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
    };

    private readonly FileStream file;
    private readonly Dictionary<string, Taken> taken = new(StringComparer.Ordinal);
    private readonly HashSet<string> ids = new(StringComparer.Ordinal);
    private Heading? heading;

    private ImportRecord(FileStream file) => this.file = file;

    public string Path => file.Name;

    /// <summary>No import has begun with it.</summary>
    public bool IsNew => heading is null;

    /// <summary>Made at random when the import began; the ids of its requests are made from it.</summary>
    public Guid Import => Begun.Import;

    /// <summary>Whose lists and tasks the import makes.</summary>
    public string AccountId => Begun.Account;

    /// <summary>When it began, by the server's clock.</summary>
    public DateTimeOffset BeginTime => Begun.Time;

    private Heading Begun => heading ?? throw new InvalidOperationException("The import has not begun.");

    /// <summary>The steps that were taken, of a record that is there.</summary>
    public static IReadOnlyList<Taken> Read(string path)
    {
        using var record = Open(path, FileMode.Open);
        return [.. record.taken.Values];
    }

    /// <summary>Opens the file, or makes it. ImportException: it is no record, or another import has it.</summary>
    public static ImportRecord Open(string path, FileMode mode = FileMode.OpenOrCreate)
    {
        FileStream file;
        try
        {
            file = new FileStream(path, mode, FileAccess.ReadWrite, FileShare.None, bufferSize: 0);
        }
        catch (IOException e) when (File.Exists(path))
        {
            throw new ImportException($"{path} cannot be opened; does another import run with it? {e.Message}");
        }

        var record = new ImportRecord(file);
        try
        {
            record.Load();
            return record;
        }
        catch
        {
            record.Dispose();
            throw;
        }
    }

    public void Begin(string accountId, DateTimeOffset time)
    {
        heading = new Heading(Guid.NewGuid(), accountId, time);
        Append(heading);
    }

    public Taken? Find(string step) => taken.GetValueOrDefault(step);

    /// <summary>Whether a step was done to the thing of this id.</summary>
    public bool Knows(string id) => ids.Contains(id);

    public void Add(Taken step)
    {
        Append(step);
        Keep(step);
    }

    public void Dispose() => file.Dispose();

    private void Load()
    {
        var bytes = new byte[file.Length];
        file.ReadExactly(bytes);
        var whole = Array.LastIndexOf(bytes, (byte)'\n') + 1;
        file.SetLength(whole);
        file.Position = whole;
        var lines = Encoding.UTF8.GetString(bytes, 0, whole).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        for (var at = 0; at < lines.Length; at++)
        {
            try
            {
                if (at == 0)
                {
                    heading = JsonSerializer.Deserialize<Heading>(lines[at], Json);
                }
                else
                {
                    Keep(JsonSerializer.Deserialize<Taken>(lines[at], Json)!);
                }
            }
            catch (JsonException)
            {
                throw new ImportException($"{Path}:{at + 1}: is no line of an import's record");
            }
        }
    }

    private void Keep(Taken step)
    {
        taken[step.Step] = step;
        ids.Add(step.Id);
    }

    private void Append<T>(T line)
    {
        file.Write([.. JsonSerializer.SerializeToUtf8Bytes(line, Json), (byte)'\n']);
        file.Flush(flushToDisk: true);
    }

    private sealed record Heading(Guid Import, string Account, DateTimeOffset Time);
}
