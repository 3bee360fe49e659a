using System.Globalization;
using System.Text;

namespace Squall.Server.Tests;

/// <summary>
/// The words of a text, cut by a second reading of what the design says: runs of letters and digits after NFKC, case
/// folding and dropping of marks. It shares nothing with the server's, and is slow.
/// </summary>
internal static class SlowWords
{
    public static List<string> Of(string text)
    {
        string folded = text.Normalize(NormalizationForm.FormKC)
            .ToUpperInvariant().Replace("ẞ", "SS", StringComparison.Ordinal)
            .ToLowerInvariant().Replace("ß", "ss", StringComparison.Ordinal);
        var words = new List<string>();
        string word = "";
        foreach (Rune rune in $"{folded.Normalize(NormalizationForm.FormKD)} ".EnumerateRunes())
        {
            switch (Rune.GetUnicodeCategory(rune))
            {
                case UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark
                    or UnicodeCategory.EnclosingMark:
                    break;
                case UnicodeCategory.UppercaseLetter or UnicodeCategory.LowercaseLetter
                    or UnicodeCategory.TitlecaseLetter or UnicodeCategory.ModifierLetter
                    or UnicodeCategory.OtherLetter or UnicodeCategory.DecimalDigitNumber:
                    word += rune;
                    break;
                default:
                    words.AddRange(word.Length > 0 ? [word] : Array.Empty<string>());
                    word = "";
                    break;
            }
        }

        return words;
    }

    /// <summary>Whether a text has words one right after the other.</summary>
    public static bool Has(string text, List<string> phrase)
    {
        List<string> words = Of(text);
        return Enumerable.Range(0, words.Count).Any(at => words.Skip(at).Take(phrase.Count).SequenceEqual(phrase));
    }
}
