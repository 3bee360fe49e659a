using System.Text;

namespace Squall.Fuzz;

/// <summary>What can be wrong with a message in JSON, where its form is known.</summary>
internal static class JsonMutations
{
    private static readonly string[] Values =
    [
        "null", "true", "0", "-0", "1e999", "-1e-999", "1.5", "9223372036854775808", "\"9223372036854775807\"",
        "\"NaN\"", "NaN", "\"Infinity\"", "\"\\ud800\"", "\"\\u0000\"", "\"a", "[]", "[null]", "[[]]", "{}", "{\"a\":}",
        "\"====\"", "\"2026-02-30T00:00:00Z\"", "\"9999-12-31T23:59:59.9999999999Z\"", "\"315576000001s\"", "\"1.s\"",
        "\"KIND_THIRD\"", "7", "\"a_b,c\"", "{\"@type\":\"nothing\"}", "{\"@type\":1}", "01", "+1", "0x10", "1_000",
        "{\"@type\":\"type.googleapis.com/squall.fuzz.v1.Mixed\",\"any\":{\"@type\":\"x/squall.fuzz.v1.Mixed\"}}",
        "{\"@type\":\"type.googleapis.com/google.protobuf.Duration\",\"value\":\"-1.5s\"}", "'a'", "//", "\uFEFF",
    ];

    private static readonly string[] Names =
    [
        "text", "payload", "small", "large", "signed", "real", "flag", "kind", "inner", "inners", "counts", "numbers",
        "word", "other", "fixed", "maybe", "at", "span", "mask", "object", "any", "wrapped", "words", "byNumber",
        "by_number", "BYNUMBER", "", "unknown", "\\u0074ext", "\\ud800", "@type", "te\\/xt",
    ];

    private static readonly string[] Whole =
        ["", " ", "null", "[]", "\"\"", "{", "}", "{}{}", "{},", "\uFEFF{}", "0", "{}\0", "{\"a\":1}}"];

    public static readonly Mutation<byte[]>[] All =
    [
        .. Bytes.Mutations,
        new("another value", (bytes, random) => InText(bytes, text => ReplaceValue(text, Any(Values, random), random))),
        new("another value", (bytes, random) => InText(bytes, text => ReplaceValue(text, Any(Values, random), random))),
        new("another member", (bytes, random) => InText(bytes, text => AddMember(text, random))),
        new("another member", (bytes, random) => InText(bytes, text => AddMember(text, random))),
        new("another whole", (_, random) => Encoding.UTF8.GetBytes(Any(Whole, random))),
        new("deep objects", (bytes, random) => Nest(bytes, "{\"inner\":", "}", random)),
        new("deep lists", (bytes, random) => Nest(bytes, "{\"object\":{\"a\":[", "]}}", random)),
        new("deep nonsense", (bytes, random) => Nest(bytes, "[", "]", random)),
        new("text that is none", (bytes, random) => Bytes.Insert(
            bytes, random.Next(bytes.Length + 1),
            Bytes.Pick<byte[]>([[0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80]], random))),
    ];

    private static string Any(string[] among, Random random) => Bytes.Pick(among, random);

    private static byte[] InText(byte[] bytes, Func<string, string> change) =>
        Encoding.UTF8.GetBytes(change(Encoding.UTF8.GetString(bytes)));

    /// <summary>Of some member, up to where its value seems to end.</summary>
    private static string ReplaceValue(string text, string value, Random random)
    {
        int[] colons = [.. Enumerable.Range(0, text.Length).Where(at => text[at] == ':')];
        if (colons.Length == 0)
        {
            return $"{{\"{Any(Names, random)}\":{value}}}";
        }

        int from = Bytes.Pick(colons, random) + 1;
        int to = text.AsSpan(from).IndexOfAny(',', '}');
        return text[..from] + value + (to < 0 ? "" : text[(from + to)..]);
    }

    private static string AddMember(string text, Random random)
    {
        int[] braces = [.. Enumerable.Range(0, text.Length).Where(at => text[at] == '{')];
        int at = braces.Length == 0 ? text.Length : Bytes.Pick(braces, random) + 1;
        string comma = random.Next(10) == 0 || text.AsSpan(at).TrimStart() is ['}', ..] ? "" : ",";
        return text[..at] + $"\"{Any(Names, random)}\":{Any(Values, random)}{comma}" + text[at..];
    }

    private static byte[] Nest(byte[] bytes, string open, string close, Random random)
    {
        int depth = Bytes.Pick([10, 49, 98, 101, 400], random);
        return [.. Many(open, depth), .. bytes, .. Many(close, random.Next(20) == 0 ? depth - 1 : depth)];
    }

    private static byte[] Many(string text, int times) =>
        Encoding.UTF8.GetBytes(new StringBuilder().Insert(0, text, times).ToString());
}
