namespace Squall.Server;

/// <summary>
/// The directory with everything durable, held by one server at a time: its lock falls with the process. Nobody but
/// its owner may enter it.
/// </summary>
internal sealed class StateDirectory : IDisposable
{
    public const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private readonly List<string> _made = [];
    private readonly bool _directoryMade;
    private readonly FileStream _lock;

    private StateDirectory(string path)
    {
        FullPath = path;
        _directoryMade = !Directory.Exists(path);
        MakeDirectory(path);
        try
        {
            _lock = OpenOrMake(Of("squall.lock"), FileShare.None);
            OpenOrMake(Database, FileShare.ReadWrite).Dispose();
        }
        catch
        {
            Forget();
            throw;
        }
    }

    public string FullPath { get; }

    public string Database => Of("squall.db");

    /// <exception cref="StartRefusedException">It is not to be used: another server's, or not writable.</exception>
    public static StateDirectory Open(string path)
    {
        string full = Path.GetFullPath(path);
        Check(full);
        try
        {
            return new StateDirectory(full);
        }
        catch (UnauthorizedAccessException failure)
        {
            throw new StartRefusedException($"the data directory {full} is not writable", failure);
        }
        catch (IOException failure) when (failure is not FileNotFoundException and not DirectoryNotFoundException
            && File.Exists(Path.Combine(full, "squall.lock")))
        {
            throw new StartRefusedException($"the data directory {full} is in use by another server", failure)
            {
                IsInUse = true,
            };
        }
        catch (IOException failure)
        {
            throw new StartRefusedException($"the data directory {full} cannot be used: {failure.Message}", failure);
        }
    }

    public string Of(string file) => Path.Combine(FullPath, file);

    /// <summary>Opens a file that only its owner may read, and makes it if it is not there.</summary>
    public FileStream OpenOrMake(string path, FileShare share)
    {
        bool made = !File.Exists(path);
        var options = new FileStreamOptions
        {
            Mode = FileMode.OpenOrCreate,
            Access = FileAccess.ReadWrite,
            Share = share,
        };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = OwnerOnly;
        }

        var file = new FileStream(path, options);
        if (made)
        {
            // Not before: another that starts now may be faster, and what it holds is not ours to take back.
            _made.Add(path);
        }

        return file;
    }

    /// <summary>
    /// Writes a file that only its owner may read, whole or not at all.
    /// </summary>
    public void Write(string path, string text)
    {
        string draft = path + ".new";
        using (FileStream stream = OpenOrMake(draft, FileShare.None))
        {
            stream.SetLength(0);
            stream.Write(System.Text.Encoding.UTF8.GetBytes(text));
            stream.Flush(flushToDisk: true);
        }

        _made.Remove(draft);
        if (!File.Exists(path))
        {
            _made.Add(path);
        }

        File.Move(draft, path, overwrite: true);
    }

    /// <summary>The start is refused: takes back what it made, the lock last.</summary>
    public void Forget()
    {
        if (_made.Contains(Database))
        {
            File.Delete(Database + "-wal");
            File.Delete(Database + "-shm");
        }

        foreach (string path in Enumerable.Reverse(_made))
        {
            File.Delete(path);
        }

        if (_directoryMade && !Directory.EnumerateFileSystemEntries(FullPath).Any())
        {
            Directory.Delete(FullPath);
        }
    }

    public void Dispose() => _lock.Dispose();

    /// <summary>On Windows it is its parent that says who may enter.</summary>
    private static void MakeDirectory(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(path);
        }
        else
        {
            Directory.CreateDirectory(path, OwnerOnly | UnixFileMode.UserExecute);
        }
    }

    private static void Check(string full)
    {
        if (File.Exists(full))
        {
            throw new StartRefusedException($"the data directory {full} is a file");
        }

        if (!Directory.Exists(full) && !Directory.Exists(Path.GetDirectoryName(full)))
        {
            throw new StartRefusedException(
                $"the data directory {full} cannot be made: its parent directory is not there");
        }

        CheckDatabase(Path.Combine(full, "squall.db"));
    }

    /// <summary>Looks at the first bytes, before anything is made: what is no database is left alone.</summary>
    private static void CheckDatabase(string path)
    {
        if (!File.Exists(path))
        {
            return;
        }

        try
        {
            using FileStream file = File.Open(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            Span<byte> first = stackalloc byte[16];
            int length = file.ReadAtLeast(first, first.Length, throwOnEndOfStream: false);
            if (length > 0 && !first.SequenceEqual("SQLite format 3\0"u8))
            {
                throw new StartRefusedException($"{path} is no database of Squall, or is damaged");
            }
        }
        catch (UnauthorizedAccessException failure)
        {
            throw new StartRefusedException($"{path} is not readable", failure);
        }
    }
}
