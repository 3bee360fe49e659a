using System.Buffers.Text;

namespace Squall.Rpc;

/// Values of headers whose names end in -bin: base64 of the standard alphabet, written without padding and read
/// with or without it. Some stacks join several values with commas, so a line is split before it is decoded.
public static class BinaryHeader
{
    public const string Suffix = "-bin";

    public static string Encode(ReadOnlySpan<byte> value) => Convert.ToBase64String(value).TrimEnd('=');

    /// The values that one header line carries; false if any of them is not base64.
    public static bool TryDecode(string line, out List<byte[]> values)
    {
        values = [];
        foreach (Range part in line.AsSpan().Split(','))
        {
            if (!TryDecodeOne(line.AsSpan(part).Trim(" \t"), out byte[] value))
            {
                values = [];
                return false;
            }

            values.Add(value);
        }

        return true;
    }

    private static bool TryDecodeOne(ReadOnlySpan<char> text, out byte[] value)
    {
        value = [];
        int padding = text.Length - text.TrimEnd('=').Length;
        text = text[..^padding];
        // One digit left over carries six bits, which make no byte; padding must fill a group of four or be absent.
        if (text.Length % 4 == 1 || padding > 0 && (padding > 2 || (text.Length + padding) % 4 != 0)
            || text.ContainsAny(" \t\r\n"))
        {
            return false;
        }

        byte[] decoded = new byte[text.Length * 3 / 4];
        string padded = text.ToString().PadRight((text.Length + 3) / 4 * 4, '=');
        if (!Base64.IsValid(padded) || !Convert.TryFromBase64String(padded, decoded, out int length)
            || length != decoded.Length)
        {
            return false;
        }

        value = decoded;
        return true;
    }
}
