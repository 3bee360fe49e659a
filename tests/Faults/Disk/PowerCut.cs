using System.Runtime.InteropServices;

namespace Squall.Faults;

/// <summary>
/// What is left of a killed server's files when the power goes: what was synced; and of each write since, none, or any
/// of its sectors, in no order, as a disk may have written them by then.
/// </summary>
internal sealed class PowerCut(Random random)
{
    private const int SectorBytes = 512;

    /// <summary>Cuts after which something was missing that the killed server had written.</summary>
    public int Losses { get; private set; }

    public int Cuts { get; private set; }

    public long SectorsLost { get; private set; }

    public long SectorsKept { get; private set; }

    /// <summary>
    /// A third of the times nothing unsynced is left, which is the most that can be lost; else each sector by chance.
    /// </summary>
    public void Apply(Disk disk)
    {
        long lost = SectorsLost;
        double kept = Cuts++ % 3 == 0 ? 0 : random.NextDouble();
        Apply(disk.Unsynced + ".db", disk.Database, kept);
        Apply(disk.Unsynced + ".wal", disk.Database + "-wal", kept);
        Losses += SectorsLost > lost ? 1 : 0;
    }

    public override string ToString() =>
        $"{Losses} of {Cuts} cuts lost what was written and not synced: {SectorsLost} sectors; {SectorsKept} stayed";

    private void Apply(string log, string path, double kept)
    {
        List<Write> writes = File.Exists(log) ? Read(File.ReadAllBytes(log)) : [];
        File.Delete(log);
        if (writes.Count == 0)
        {
            return;
        }

        using FileStream file = File.Open(path, FileMode.Open);
        foreach (Write write in Enumerable.Reverse(writes))
        {
            Put(file, write.At, write.Old);
            file.SetLength(write.SizeBefore);
        }

        foreach (Write write in writes)
        {
            if (write.New is not { } bytes)
            {
                if (random.NextDouble() < kept)
                {
                    file.SetLength(write.At);
                }

                continue;
            }

            for (int at = 0, next; at < bytes.Length; at = next)
            {
                // Sectors of the file, not of the write, which begins anywhere in one.
                next = Math.Min(bytes.Length, at + SectorBytes - (int)((write.At + at) % SectorBytes));
                if (random.NextDouble() < kept)
                {
                    Put(file, write.At + at, bytes[at..next]);
                    SectorsKept++;
                }
                else
                {
                    SectorsLost++;
                }
            }
        }
    }

    private static void Put(FileStream file, long at, byte[] bytes)
    {
        file.Position = at;
        file.Write(bytes);
    }

    /// <summary>A last one that is not whole was not followed by its write.</summary>
    private static List<Write> Read(byte[] log)
    {
        var writes = new List<Write>();
        for (int at = 0; at + Marshal.SizeOf<Head>() <= log.Length;)
        {
            Head head = MemoryMarshal.Read<Head>(log.AsSpan(at));
            if (head.Size > log.Length - at)
            {
                break;
            }

            int old = at + Marshal.SizeOf<Head>();
            int fresh = old + (int)head.OldLength;
            writes.Add(new Write(
                head.At, head.SizeBefore, log[old..fresh],
                head.NewLength < 0 ? null : log[fresh..(fresh + (int)head.NewLength)]));
            at += (int)head.Size;
        }

        return writes;
    }

    /// <param name="New">Null: it was cut off there.</param>
    private sealed record Write(long At, long SizeBefore, byte[] Old, byte[]? New);

    /// <summary>As struct record of disk.c.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct Head(long Size, long At, long SizeBefore, long OldLength, long NewLength);
}
