using System.Buffers.Binary;
using System.Buffers.Text;

namespace Squall.Server;

/// <summary>
/// A place in the journal: right after the change at <see cref="Seq"/>. Its text is opaque: version, epoch, seq, mark
/// and a check byte pair, in URL-safe base64, so that nonsense is told from a cursor of another journal.
/// </summary>
internal readonly record struct Cursor(long Epoch, long Seq, uint Mark)
{
    private const byte Version = 1;
    private const int Bytes = 1 + 8 + 8 + 4 + 3;
    private const int TextLength = 32;

    public override string ToString()
    {
        Span<byte> bytes = stackalloc byte[Bytes];
        bytes[0] = Version;
        BinaryPrimitives.WriteInt64BigEndian(bytes[1..], Epoch);
        BinaryPrimitives.WriteInt64BigEndian(bytes[9..], Seq);
        BinaryPrimitives.WriteUInt32BigEndian(bytes[17..], Mark);
        WriteCheck(bytes[..21], bytes[21..]);
        return Base64Url.EncodeToString(bytes);
    }

    /// <summary>False: the text is no cursor of ours.</summary>
    public static bool TryParse(string text, out Cursor cursor)
    {
        cursor = default;
        Span<byte> bytes = stackalloc byte[Bytes];
        Span<byte> check = stackalloc byte[3];
        if (text.Length != TextLength
            || !Base64Url.TryDecodeFromChars(text, bytes, out int written) || written != Bytes || bytes[0] != Version)
        {
            return false;
        }

        WriteCheck(bytes[..21], check);
        cursor = new Cursor(
            BinaryPrimitives.ReadInt64BigEndian(bytes[1..]),
            BinaryPrimitives.ReadInt64BigEndian(bytes[9..]),
            BinaryPrimitives.ReadUInt32BigEndian(bytes[17..]));
        return check.SequenceEqual(bytes[21..]) && cursor.Seq >= 0;
    }

    private static void WriteCheck(ReadOnlySpan<byte> bytes, Span<byte> check)
    {
        uint sum = 2_166_136_261;
        foreach (byte value in bytes)
        {
            sum = (sum ^ value) * 16_777_619;
        }

        check[0] = (byte)sum;
        check[1] = (byte)(sum >> 8);
        check[2] = (byte)(sum >> 16);
    }
}
