using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Squall.Server;

/// <summary>
/// Random bytes for ids and marks. They are drawn from the system's generator many at a time, for a draw costs the
/// journal's thread the same however few it is for. Not for secrets: what is drawn waits in memory.
/// </summary>
internal static class RandomBytes
{
    private const int DrawnMax = 1_024;

    [ThreadStatic]
    private static byte[]? _drawn;

    [ThreadStatic]
    private static int _left;

    /// <summary>Fills so many, <see cref="DrawnMax"/> at most.</summary>
    public static void Fill(Span<byte> bytes)
    {
        _drawn ??= new byte[DrawnMax];
        if (_left < bytes.Length)
        {
            RandomNumberGenerator.Fill(_drawn);
            _left = DrawnMax;
        }

        _left -= bytes.Length;
        _drawn.AsSpan(_left, bytes.Length).CopyTo(bytes);
    }

    /// <summary>From nought to <see cref="int.MaxValue"/>.</summary>
    public static int NextInt32()
    {
        Span<byte> bytes = stackalloc byte[sizeof(int)];
        Fill(bytes);
        return BinaryPrimitives.ReadInt32LittleEndian(bytes) & int.MaxValue;
    }
}
