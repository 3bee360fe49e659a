using System.Buffers.Binary;
using System.IO.Compression;

namespace Squall.Fuzz;

/// <summary>A message on its way into the body: its flags, the length that is told of it, and its bytes.</summary>
internal sealed record Framed(byte Flags, uint Length, byte[] Payload)
{
    public const int HeaderBytes = 5;

    public Framed(byte flags, byte[] payload)
        : this(flags, (uint)payload.Length, payload)
    {
    }

    public byte[] ToBytes()
    {
        byte[] header = new byte[HeaderBytes];
        header[0] = Flags;
        BinaryPrimitives.WriteUInt32BigEndian(header.AsSpan(1), Length);
        return [.. header, .. Payload];
    }
}

/// <summary>What can be wrong with frames, with gzip and with base64.</summary>
internal static class FrameMutations
{
    private const int BombBytes = 8 * 1024 * 1024;

    // Less than what a server lets be sent before it reads.
    private const int BytesMax = 100_000;
    private const int HeaderBytes = Framed.HeaderBytes;
    private static readonly Lazy<byte[]> Bomb = new(() => Zip(new byte[BombBytes]));
    private static readonly uint[] Lengths = [0, 1, 4, 0x400000, 0x400001, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF];

    public static readonly Mutation<List<Framed>>[] Frames =
    [
        new("other flags", (frames, random) => Change(frames, random, frame =>
            frame with { Flags = Bytes.Pick<byte>([1, 2, 3, 4, 0x80, 0x81, 0xFF], random) })),
        new("another length", (frames, random) => Change(frames, random, frame =>
            frame with { Length = Bytes.Pick(Lengths, random) })),
        new("a length that is near", (frames, random) => Change(frames, random, frame =>
            frame with { Length = (uint)(frame.Length + random.Next(-3, 4)) })),
        new("one missing", (frames, random) => [.. frames.Skip(1)]),
        new("one twice", (frames, random) => [.. frames, .. frames.Take(1)]),
        new("an empty one", (frames, random) => [.. frames, new Framed((byte)random.Next(2), [])]),
        new("an end of stream", (frames, random) =>
            [.. frames, new Framed(Bytes.Pick<byte>([2, 0x80], random), "{}"u8.ToArray())]),
        new("many", (frames, random) => [.. Enumerable.Repeat(frames, random.Next(2, 200)).SelectMany(all => all)
            .Take(BytesMax / (HeaderBytes + frames.Sum(frame => frame.Payload.Length)))]),
    ];

    public static readonly Mutation<byte[]>[] Gzip =
    [
        .. Bytes.Mutations,
        new("a bomb", (_, _) => Bomb.Value),
        new("cut short", (bytes, random) => bytes[..^Math.Min(bytes.Length, random.Next(1, 12))]),
        new("plain", (bytes, _) => Unzip(bytes)),
        new("zlib", (bytes, _) => [0x78, 0x9C, .. bytes]),
        new("nothing", (_, _) => []),
    ];

    public static readonly Mutation<byte[]>[] Text =
    [
        .. Bytes.Mutations,
        new("white space", (bytes, random) => Insert(bytes, random, " \t\r\n"u8)),
        new("padding", (bytes, random) => Insert(bytes, random, "="u8)),
        new("a padded group", (bytes, random) => Insert(bytes, random, "QQ=="u8)),
        new("without padding", (bytes, _) => [.. bytes.Where(one => one != '=')]),
        new("safe for URLs", (bytes, _) =>
            [.. bytes.Select(one => one == '+' ? (byte)'-' : one == '/' ? (byte)'_' : one)]),
        new("not base64 at all", (_, random) => Bytes.Some(random, 60)),
    ];

    public static byte[] Zip(byte[] plain)
    {
        var zipped = new MemoryStream();
        using (var stream = new GZipStream(zipped, CompressionLevel.Fastest))
        {
            stream.Write(plain);
        }

        return zipped.ToArray();
    }

    private static byte[] Unzip(byte[] zipped)
    {
        try
        {
            var plain = new MemoryStream();
            using var stream = new GZipStream(new MemoryStream(zipped), CompressionMode.Decompress);
            stream.CopyTo(plain);
            return plain.Length > BytesMax ? zipped : plain.ToArray();
        }
        catch (InvalidDataException)
        {
            // Another mutation was here before.
            return zipped;
        }
    }

    private static byte[] Insert(byte[] bytes, Random random, ReadOnlySpan<byte> what) =>
        Bytes.Insert(bytes, random.Next(bytes.Length + 1), what);

    private static List<Framed> Change(List<Framed> frames, Random random, Func<Framed, Framed> change)
    {
        if (frames.Count == 0)
        {
            return [change(new Framed(0, []))];
        }

        int at = random.Next(frames.Count);
        return [.. frames.Take(at), change(frames[at]), .. frames.Skip(at + 1)];
    }
}
