using System.Text;

namespace Squall.Fuzz;

/// <summary>
/// As much of HPACK as is needed: what is written is literal; what is read has no dynamic table, which the server is
/// told, and no Huffman code, which Kestrel does not use.
/// </summary>
internal static class Hpack
{
    private const string Static = """
        :authority= :method=GET :method=POST :path=/ :path=/index.html :scheme=http :scheme=https :status=200
        :status=204 :status=206 :status=304 :status=400 :status=404 :status=500 accept-charset= accept-encoding=
        accept-language= accept-ranges= accept= access-control-allow-origin= age= allow= authorization= cache-control=
        content-disposition= content-encoding= content-language= content-length= content-location= content-range=
        content-type= cookie= date= etag= expect= expires= from= host= if-match= if-modified-since= if-none-match=
        if-range= if-unmodified-since= last-modified= link= location= max-forwards= proxy-authenticate=
        proxy-authorization= range= referer= refresh= retry-after= server= set-cookie= strict-transport-security=
        transfer-encoding= user-agent= vary= via= www-authenticate=
        """;

    private static readonly (string Name, string Value)[] Known = [.. Static
        .Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)
        .Select(field => (field[..field.LastIndexOf('=')], field[(field.LastIndexOf('=') + 1)..]))];

    /// <summary>Each literally, in one of the three forms that there are for that.</summary>
    public static byte[] Encode(IEnumerable<(string Name, string Value)> fields, Random random)
    {
        var block = new MemoryStream();
        foreach ((string name, string value) in fields)
        {
            block.WriteByte(random.Next(16) switch { 0 => 0x40, 1 => 0x10, _ => 0 });
            Write(block, name);
            Write(block, value);
        }

        return block.ToArray();
    }

    /// <summary>False if it needs a dynamic table.</summary>
    public static bool TryDecode(ReadOnlySpan<byte> block, Dictionary<string, string> fields)
    {
        while (block.Length > 0)
        {
            byte first = block[0];
            if (first >= 0x80)
            {
                int index = Number(ref block, 7);
                if (index > Known.Length)
                {
                    return false;
                }

                fields[Known[index - 1].Name] = Known[index - 1].Value;
            }
            else if (first is >= 0x20 and < 0x40)
            {
                Number(ref block, 5);
            }
            else
            {
                int index = Number(ref block, first >= 0x40 ? 6 : 4);
                if (index > Known.Length)
                {
                    return false;
                }

                string name = index == 0 ? Text(ref block) : Known[index - 1].Name;
                string value = Text(ref block);
                fields[name] = fields.TryGetValue(name, out string? before) ? $"{before},{value}" : value;
            }
        }

        return true;
    }

    private static void Write(MemoryStream block, string text)
    {
        byte[] bytes = Encoding.Latin1.GetBytes(text);
        int rest = bytes.Length - 0x7F;
        block.WriteByte((byte)Math.Min(bytes.Length, 0x7F));
        if (rest >= 0)
        {
            for (; rest >= 0x80; rest >>= 7)
            {
                block.WriteByte((byte)(rest | 0x80));
            }

            block.WriteByte((byte)rest);
        }

        block.Write(bytes);
    }

    private static string Text(ref ReadOnlySpan<byte> block)
    {
        if (block[0] >= 0x80)
        {
            throw new InvalidDataException("The server uses Huffman's code.");
        }

        int length = Number(ref block, 7);
        string text = Encoding.Latin1.GetString(block[..length]);
        block = block[length..];
        return text;
    }

    private static int Number(ref ReadOnlySpan<byte> block, int bits)
    {
        int most = (1 << bits) - 1;
        int number = block[0] & most;
        block = block[1..];
        for (int shift = 0; number >= most; shift += 7)
        {
            byte next = block[0];
            block = block[1..];
            number += (next & 0x7F) << shift;
            if (next < 0x80)
            {
                break;
            }
        }

        return number;
    }
}
