namespace Squall.Fuzz;

/// <summary>A way to spoil some bytes, and its name.</summary>
internal sealed record Mutation<T>(string Name, Func<T, Random, T> Apply);

/// <summary>What can be done to bytes of any kind.</summary>
internal static class Bytes
{
    private static readonly byte[] Telling = [0, 1, 2, 5, 9, 10, 13, 32, 34, 58, 61, 92, 123, 127, 128, 192, 254, 255];

    public static readonly Mutation<byte[]>[] Mutations =
    [
        new("flip", (bytes, random) => Change(bytes, random, old => (byte)(old ^ (1 << random.Next(8))))),
        new("set", (bytes, random) => Change(bytes, random, _ => Pick(Telling, random))),
        new("insert", (bytes, random) => Insert(bytes, random.Next(bytes.Length + 1), Some(random, 8))),
        new("delete", (bytes, random) => Delete(bytes, random)),
        new("repeat", (bytes, random) => Repeat(bytes, random)),
        new("cut", (bytes, random) => bytes[..random.Next(bytes.Length + 1)]),
    ];

    public static T Pick<T>(T[] among, Random random) => among[random.Next(among.Length)];

    public static byte[] Some(Random random, int most)
    {
        byte[] some = new byte[random.Next(1, most + 1)];
        random.NextBytes(some);
        return some;
    }

    public static byte[] Insert(byte[] bytes, int at, ReadOnlySpan<byte> what) =>
        [.. bytes.AsSpan(0, at), .. what, .. bytes.AsSpan(at)];

    private static byte[] Change(byte[] bytes, Random random, Func<byte, byte> change)
    {
        if (bytes.Length == 0)
        {
            return Some(random, 1);
        }

        byte[] changed = [.. bytes];
        int at = random.Next(changed.Length);
        changed[at] = change(changed[at]);
        return changed;
    }

    private static byte[] Delete(byte[] bytes, Random random)
    {
        int at = random.Next(bytes.Length + 1);
        int count = Math.Min(random.Next(1, 9), bytes.Length - at);
        return [.. bytes.AsSpan(0, at), .. bytes.AsSpan(at + count)];
    }

    private static byte[] Repeat(byte[] bytes, Random random)
    {
        int at = random.Next(bytes.Length + 1);
        int count = Math.Min(random.Next(1, 33), bytes.Length - at);
        return Insert(bytes, at, bytes.AsSpan(at, count));
    }
}
