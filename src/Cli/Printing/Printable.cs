using System.Globalization;
using System.Text;

namespace Squall.Cli;

/// <summary>
/// Text that others wrote, without what would steer the reader's terminal: control characters, line breaks of other
/// kinds, and marks that turn the direction of what follows.
/// </summary>
internal static class Printable
{
    /// <summary>On one line.</summary>
    public static string Line(string text) => Clean(text, keepLines: false);

    /// <summary>With its lines and tabs.</summary>
    public static string Lines(string text) => Clean(text.ReplaceLineEndings("\n"), keepLines: true);

    private static string Clean(string text, bool keepLines)
    {
        var clean = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
        {
            if (keepLines && rune.Value is '\n' or '\t')
            {
                clean.Append((char)rune.Value);
            }
            else if (rune.Value is '\n' or '\t' or '\r')
            {
                clean.Append(' ');
            }
            else
            {
                clean.Append(Steers(rune) ? Rune.ReplacementChar : rune);
            }
        }

        return clean.ToString();
    }

    private static bool Steers(Rune rune) =>
        Rune.GetUnicodeCategory(rune) is UnicodeCategory.Control or UnicodeCategory.LineSeparator
            or UnicodeCategory.ParagraphSeparator
        || rune.Value is (>= 0x202A and <= 0x202E) or (>= 0x2066 and <= 0x2069);
}
