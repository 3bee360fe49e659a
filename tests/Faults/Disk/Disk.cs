using System.Diagnostics;
using System.IO.MemoryMappedFiles;

namespace Squall.Faults;

internal enum DiskFile
{
    Database,
    Log,
}

internal enum DiskCall
{
    None,
    Write,
    Sync,
    Truncate,
    Read,
}

/// <summary>What is to fail: a call on a file, how, after how many that go well, and how often.</summary>
/// <param name="Error">The errno.</param>
/// <param name="Times">-1: until it is cleared.</param>
/// <param name="IsTorn">A write that fails has written its first half.</param>
/// <param name="Then">What fails in its place once it has failed.</param>
internal sealed record DiskFault(
    DiskFile File, DiskCall Call, int Error, int Times = -1, int Skip = 0, bool IsTorn = false,
    DiskCall Then = DiskCall.None)
{
    /// <summary>In an errno's place: the process stops there, as by SIGSTOP, and goes on to be killed.</summary>
    public const int Stop = -1;
    public const int IoError = 5;
    public const int NoSpace = 28;

    /// <summary>
    /// Else what fails is a read; or copying the log into the database, or cutting it, on which no change rests.
    /// </summary>
    public bool FailsCommits => File == DiskFile.Log && Call is DiskCall.Write or DiskCall.Sync;

    public override string ToString()
    {
        string what = (Call, IsTorn) switch
        {
            (DiskCall.Write, true) => "half of a write to",
            (DiskCall.Write, false) => "a write to",
            (DiskCall.Sync, _) => "a sync of",
            (DiskCall.Read, _) => "a read of",
            _ => "a truncation of",
        };
        string file = File == DiskFile.Log ? "the log" : "the database";
        return $"{(Error == NoSpace ? "ENOSPC" : "EIO")} at {what} {file}{(Times < 0 ? "" : $", {Times} times")}";
    }
}

/// <summary>
/// What stands between a server's process and its disk: disk.c, which is built here and loaded with it. It fails calls
/// when it is told to, and keeps account of what was not synced.
/// </summary>
internal sealed class Disk : IDisposable
{
    private const int ControlBytes = 4096;
    private const int FailedAt = 24;
    private const int SeenAt = 28;
    private const int Kinds = 5;
    private const int ThenAt = SeenAt + (4 * 2 * Kinds);
    private static readonly Lazy<string> Library = new(Build);
    private readonly string _folder = Directory.CreateTempSubdirectory("squall-disk-").FullName;
    private readonly MemoryMappedFile _shared;
    private readonly MemoryMappedViewAccessor _control;

    public Disk(string dataFolder, bool keepsUnsynced)
    {
        string control = Path.Combine(_folder, "control");
        File.WriteAllBytes(control, new byte[ControlBytes]);
        _shared = MemoryMappedFile.CreateFromFile(control, FileMode.Open);
        _control = _shared.CreateViewAccessor();
        Database = Path.Combine(dataFolder, "squall.db");
        Unsynced = Path.Combine(_folder, "unsynced");
        Environment = new Dictionary<string, string>
        {
            ["LD_PRELOAD"] = Library.Value,
            ["FAULTY_DISK_FILE"] = Database,
            ["FAULTY_DISK_CONTROL"] = control,
        };
        if (keepsUnsynced)
        {
            Environment["FAULTY_DISK_UNSYNCED"] = Unsynced;
        }
    }

    /// <summary>What a server is started with.</summary>
    public Dictionary<string, string> Environment { get; }

    public string Database { get; }

    /// <summary>Where the unsynced writes are written down: this and .db or .wal.</summary>
    public string Unsynced { get; }

    /// <summary>How many calls failed since the fault was set.</summary>
    public int Failed => _control.ReadInt32(FailedAt);

    /// <summary>How many calls of the kind there were since the beginning.</summary>
    public int Seen(DiskFile file, DiskCall call) =>
        _control.ReadInt32(SeenAt + (4 * ((Kinds * (int)file) + (int)call)));

    public void Set(DiskFault fault)
    {
        Clear();
        _control.Write(4, (int)fault.File);
        _control.Write(8, fault.Error);
        _control.Write(12, fault.Skip);
        _control.Write(16, fault.Times);
        _control.Write(20, fault.IsTorn ? 1 : 0);
        _control.Write(ThenAt, (int)fault.Then);
        _control.Write(FailedAt, 0);
        _control.Write(0, (int)fault.Call);
    }

    /// <summary>All goes well from here on.</summary>
    public void Clear() => _control.Write(0, (int)DiskCall.None);

    public void Dispose()
    {
        _control.Dispose();
        _shared.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private static string Build()
    {
        string source = Path.Combine(AppContext.BaseDirectory, "Disk", "disk.c");
        string library = Path.ChangeExtension(source, ".so");
        string own = $"{library}.{System.Environment.ProcessId}";
        using Process gcc = Process.Start(
            "gcc", ["-O2", "-Wall", "-Werror", "-shared", "-fPIC", "-o", own, source, "-ldl"]);
        gcc.WaitForExit();
        if (gcc.ExitCode != 0)
        {
            throw new InvalidOperationException("gcc cannot build disk.c.");
        }

        // Whole or not at all: another run of the tool may be loading it.
        File.Move(own, library, overwrite: true);
        return library;
    }
}
