using System.Buffers.Binary;
using Google.Protobuf.WellKnownTypes;

namespace Squall.Server;

/// <summary>Ids and times as they are stored.</summary>
internal static class Ids
{
    private const int PlacesMax = 1 << 14;

    /// <summary>A UUIDv7 in lower case, whose order is that of the microsecond it was made in.</summary>
    public static string New(long nowMicros) => New(nowMicros, RandomBytes.NextInt32() % PlacesMax);

    /// <summary>
    /// The same, and of those made in one microsecond, that of their <paramref name="place"/>: below 16,384.
    /// </summary>
    public static string New(long nowMicros, int place)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(place, PlacesMax);
        Span<byte> bytes = stackalloc byte[16];
        RandomBytes.Fill(bytes);
        BinaryPrimitives.WriteInt64BigEndian(bytes, (nowMicros / 1_000) << 16);
        int fraction = (int)(nowMicros % 1_000) * 4_096 / 1_000;
        bytes[6] = (byte)(0x70 | (fraction >> 8));
        bytes[7] = (byte)fraction;
        bytes[8] = (byte)(0x80 | (place >> 8));
        bytes[9] = (byte)place;
        return new Guid(bytes, bigEndian: true).ToString();
    }
}

/// <summary>Microseconds since 1970, the form in which every time is kept.</summary>
internal static class Micros
{
    public static long Of(DateTimeOffset time) =>
        (time - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;

    /// <summary>What is finer than a microsecond is cut off.</summary>
    public static long Of(Timestamp time) => (time.Seconds * 1_000_000) + (time.Nanos / 1_000);

    public static long? OfOptional(Timestamp? time) => time is null ? null : Of(time);

    public static Timestamp ToTimestamp(long micros)
    {
        (long seconds, long rest) = Math.DivRem(micros, 1_000_000);
        return new Timestamp { Seconds = seconds, Nanos = (int)rest * 1_000 };
    }

    public static Timestamp? ToTimestamp(long? micros) => micros is { } value ? ToTimestamp(value) : null;
}
