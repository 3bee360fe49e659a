using System.Globalization;
using System.Text;

namespace ImportTaskwarrior;

/// <summary>
/// Taskwarrior's own files, pending.data and completed.data: a task a line, <c>[name:"value" name:"value"]</c>. Within
/// a value, backslash escapes as in JSON stand for quotes, backslashes, slashes and control characters; then
/// <c>&amp;open;</c> and <c>&amp;close;</c> stand for brackets. Nothing else is escaped.
/// </summary>
internal static class BracketFile
{
    public static IReadOnlyList<TaskwarriorState> Read(string path) =>
        [.. SourceLine.ReadAll(path).Select(line => TaskwarriorState.From(line, Attributes(line)))];

    private static IEnumerable<(string Name, string Value)> Attributes(SourceLine line)
    {
        var text = line.Text;
        if (text is not ['[', .., ']'] || text.Length == 2)
        {
            throw line.Fault("is no task: [name:\"value\" …] is one");
        }

        for (var at = 1; ;)
        {
            var quote = text.IndexOf(":\"", at, StringComparison.Ordinal);
            var end = quote < 0 ? -1 : EndOf(text, quote + 2);
            if (quote <= at || end < 0)
            {
                throw line.Fault($"has no name:\"value\" at column {at + 1}");
            }

            yield return (text[at..quote], Unescape(line, text[(quote + 2)..end]));
            at = end + 1;
            if (at == text.Length - 1)
            {
                yield break;
            }

            if (text[at++] != ' ')
            {
                throw line.Fault($"has '{text[at - 1]}' where a space belongs, at column {at}");
            }
        }
    }

    /// <summary>Where the value's closing quote is: the first that no backslash escapes; -1: nowhere.</summary>
    private static int EndOf(string text, int start)
    {
        for (var at = start; at < text.Length; at++)
        {
            switch (text[at])
            {
                case '\\':
                    at++;
                    break;
                case '"':
                    return at;
            }
        }

        return -1;
    }

    private static string Unescape(SourceLine line, string value)
    {
        var text = new StringBuilder(value.Length);
        for (var at = 0; at < value.Length; at++)
        {
            if (value[at] != '\\')
            {
                text.Append(value[at]);
                continue;
            }

            var escape = value[++at];
            if (escape == 'u')
            {
                text.Append(Unit(line, value.AsSpan(at + 1)));
                at += 4;
            }
            else if ("\"\\/bfnrt".IndexOf(escape, StringComparison.Ordinal) is var known and >= 0)
            {
                text.Append("\"\\/\b\f\n\r\t"[known]);
            }
            else
            {
                // Taskwarrior keeps what it does not know.
                text.Append('\\').Append(escape);
            }
        }

        return Whole(line, text.Replace("&open;", "[").Replace("&close;", "]").ToString());
    }

    /// <summary>The text, if it holds no half of a surrogate pair.</summary>
    private static string Whole(SourceLine line, string text)
    {
        for (var at = 0; at < text.Length; at++)
        {
            if (char.IsSurrogate(text[at]) && !char.IsSurrogatePair(text, at++))
            {
                throw line.Fault("has half of a surrogate pair, which is no text");
            }
        }

        return text;
    }

    private static char Unit(SourceLine line, ReadOnlySpan<char> digits) =>
        digits.Length >= 4 && ushort.TryParse(
            digits[..4], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var unit)
            ? (char)unit
            : throw line.Fault("has a \\u without four hexadecimal digits");
}
