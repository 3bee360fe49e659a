using System.Buffers;
using System.Text;

namespace Squall.Rpc;

/// The text of a status as the header grpc-message carries it: UTF-8, percent-encoded outside printable ASCII.
public static class StatusMessage
{
    /// The longest encoded text that is sent: clients refuse headers much above it.
    public const int EncodedBytesMax = 8 * 1024;

    private const string HexDigits = "0123456789ABCDEF";

    private static readonly SearchValues<char> Plain = SearchValues.Create(
        string.Concat(Enumerable.Range(0x20, 0x7F - 0x20).Select(c => (char)c).Where(c => c != '%')));

    /// What is too long is cut between two characters. A lone surrogate becomes U+FFFD.
    public static string Encode(string text, int bytesMax = EncodedBytesMax)
    {
        if (text.Length <= bytesMax && text.AsSpan().IndexOfAnyExcept(Plain) < 0)
        {
            return text;
        }

        var encoded = new StringBuilder(Math.Min(text.Length * 2, bytesMax));
        Span<byte> utf8 = stackalloc byte[4];
        foreach (Rune rune in text.EnumerateRunes())
        {
            int bytes = rune.EncodeToUtf8(utf8);
            bool plain = rune.Value is >= 0x20 and <= 0x7E and not '%';
            if (encoded.Length + (plain ? 1 : bytes * 3) > bytesMax)
            {
                break;
            }

            if (plain)
            {
                encoded.Append((char)rune.Value);
                continue;
            }

            foreach (byte b in utf8[..bytes])
            {
                encoded.Append('%').Append(HexDigits[b >> 4]).Append(HexDigits[b & 15]);
            }
        }

        return encoded.ToString();
    }

    /// Never fails: a broken escape stays as it stands, bytes that are not UTF-8 become U+FFFD.
    public static string Decode(string text)
    {
        if (!text.Contains('%'))
        {
            return text;
        }

        byte[] bytes = new byte[Encoding.UTF8.GetMaxByteCount(text.Length)];
        int length = 0;
        for (int i = 0; i < text.Length;)
        {
            if (text[i] == '%' && i + 2 < text.Length
                && char.IsAsciiHexDigit(text[i + 1]) && char.IsAsciiHexDigit(text[i + 2]))
            {
                bytes[length++] = Convert.FromHexString(text.AsSpan(i + 1, 2))[0];
                i += 3;
                continue;
            }

            int end = text.IndexOf('%', i + 1);
            ReadOnlySpan<char> run = text.AsSpan(i, (end < 0 ? text.Length : end) - i);
            length += Encoding.UTF8.GetBytes(run, bytes.AsSpan(length));
            i += run.Length;
        }

        return Encoding.UTF8.GetString(bytes, 0, length);
    }
}
