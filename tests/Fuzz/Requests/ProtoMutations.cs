namespace Squall.Fuzz;

/// <summary>What can be wrong with a binary message, where its form is known.</summary>
internal static class ProtoMutations
{
    private const int InnerField = 9;
    private static readonly int[] Numbers = [1, 9, 11, 12, 15, 17, 19, 20, 21, 24, 28, 1000, 19_000, 536_870_911];
    private static readonly byte[][] NotText =
        [[0xFF], [0xC0, 0xAF], [0xED, 0xA0, 0x80], [0xF5, 0x80, 0x80, 0x80], [0x61, 0x80], [0xE2, 0x82]];

    public static readonly Mutation<byte[]>[] All =
    [
        .. Bytes.Mutations,
        new("any field", (bytes, random) => [.. bytes, .. AnyField(random)]),
        new("a huge length", (bytes, random) => [.. bytes, .. Tag(Bytes.Pick(Numbers, random), 2),
            .. Varint(Bytes.Pick([(ulong)int.MaxValue, uint.MaxValue, 1UL << 40, ulong.MaxValue], random))]),
        new("an endless number", (bytes, random) =>
            [.. bytes, .. Tag(random.Next(1, 30), 0), .. Enumerable.Repeat((byte)0xFF, random.Next(9, 14))]),
        new("an endless tag", (bytes, random) => [.. bytes, .. Enumerable.Repeat((byte)0x8A, random.Next(4, 11)), 1]),
        new("text that is none", (bytes, random) =>
            [.. bytes, .. Delimited(Bytes.Pick([1, 13, 16, 23], random), Bytes.Pick(NotText, random))]),
        new("text within that is none", (bytes, random) => [.. bytes, .. Delimited(
            Bytes.Pick([9, 10, 14], random), Delimited(Bytes.Pick([1, 23], random), Bytes.Pick(NotText, random)))]),
        new("a key that is none", (bytes, random) =>
            [.. bytes, .. Delimited(11, [.. Delimited(1, Bytes.Pick(NotText, random)), .. Tag(2, 0), 1])]),
        new("deep messages", (bytes, random) => [.. bytes, .. Nest(Bytes.Pick([90, 99, 100, 101, 3000], random))]),
        new("deep groups", (bytes, random) =>
            [.. bytes, .. Enumerable.Repeat(Tag(30, 3), Bytes.Pick([50, 99, 5000], random)).SelectMany(tag => tag)]),
        new("an end of nothing", (bytes, random) => [.. bytes, .. Tag(random.Next(1, 40), 4)]),
        new("many", (bytes, random) => [.. bytes,
            .. Enumerable.Repeat(Delimited(Bytes.Pick([10, 23], random), []), random.Next(5_000)).SelectMany(x => x)]),
        new("a time past its end", (bytes, random) => [.. bytes, .. Delimited(Bytes.Pick([17, 18], random),
            [.. Tag(1, 0), .. Varint((ulong)random.NextInt64()), .. Tag(2, 0), .. Varint(ulong.MaxValue)])]),
        new("an Any of anything", (bytes, random) => [.. bytes,
            .. Delimited(21, [.. Delimited(1, Bytes.Some(random, 20)), .. Delimited(2, Bytes.Some(random, 20))])]),
    ];

    private static byte[] AnyField(Random random)
    {
        int type = random.Next(8);
        byte[] value = type switch
        {
            0 => Varint((ulong)random.NextInt64()),
            2 => [.. Varint((ulong)random.Next(20)), .. Bytes.Some(random, 20)],
            _ => Bytes.Some(random, 8),
        };
        return [.. Tag(random.Next(4) == 0 ? 0 : Bytes.Pick(Numbers, random), type), .. value];
    }

    private static byte[] Nest(int depth)
    {
        // From the inside out, in reverse, so that each level costs no copy of those within.
        var reversed = new List<byte>();
        for (int level = 0; level < depth; level++)
        {
            int length = reversed.Count;
            reversed.AddRange(Varint((ulong)length).Reverse());
            reversed.AddRange(Tag(InnerField, 2).Reverse());
        }

        reversed.Reverse();
        return [.. reversed];
    }

    private static byte[] Delimited(int number, byte[] content) =>
        [.. Tag(number, 2), .. Varint((ulong)content.Length), .. content];

    private static byte[] Tag(int number, int type) => Varint(((ulong)number << 3) | (uint)type);

    private static byte[] Varint(ulong value)
    {
        var bytes = new List<byte>();
        for (; value >= 0x80; value >>= 7)
        {
            bytes.Add((byte)(value | 0x80));
        }

        bytes.Add((byte)value);
        return [.. bytes];
    }
}
