using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Data.Sqlite;

namespace Squall.Server;

/// <summary>
/// The words of a text: its runs of letters and digits after NFKC, in folded case and without marks. What comes out is
/// spelled in ASCII, which no full-text search cuts or folds in a way of its own: the index stores it, and a
/// subscription's predicate compares it, so that both mean the same.
/// </summary>
internal static class Words
{
    /// <summary>SQL: the words of a text as the index stores them, those of one list apart from all others'.</summary>
    public const string IndexedFunction = "squall_indexed";

    /// <summary>SQL: whether a title or a note has a phrase.</summary>
    public const string SaidFunction = "squall_said";

    /// <summary>A longer word is told by its hash: SQLite would cut it off.</summary>
    private const int SpelledMax = 256;
    private const char Between = ' ';
    private const char NoCharacter = '\uFFFE';

    // Stands before the four hexadecimal digits of what is not ASCII, and twice before a hash.
    private const char Escape = '_';

    /// <summary>Each word with a space before it, and one after the last; empty: there is none.</summary>
    public static string Spell(string? text)
    {
        if (string.IsNullOrEmpty(text))
        {
            return "";
        }

        var spelled = new StringBuilder(text.Length + 2);
        int start = 0;
        foreach (Rune rune in Decomposed(text).EnumerateRunes())
        {
            if (Rune.IsLetterOrDigit(rune))
            {
                start = start == 0 ? Begin(spelled) : start;
                Add(Folded(rune), spelled);
            }
            else if (start > 0 && !IsMark(rune))
            {
                start = End(start, spelled);
            }
        }

        End(start, spelled);
        return spelled.Length == 0 ? "" : spelled.Append(Between).ToString();
    }

    /// <summary>Whether a spelled text has a spelled phrase: all of its words, one right after the other.</summary>
    public static bool Has(string spelled, string phrase) => spelled.Contains(phrase, StringComparison.Ordinal);

    /// <summary>
    /// A spelled text as the index stores it. Each word begins with the list, so that to search one costs nothing for
    /// what all others hold; which tasks may be seen is never left to that alone.
    /// </summary>
    public static string Indexed(string listId, string spelled)
    {
        string list = string.Concat(listId.Where(char.IsAsciiLetterOrDigit));
        return spelled.TrimEnd(Between).Replace($"{Between}", $"{Between}{list}", StringComparison.Ordinal);
    }

    /// <summary>Makes the functions known to a connection, which one thread at a time uses.</summary>
    public static void AddTo(SqliteConnection connection)
    {
        var said = new SpelledText();
        connection.CreateFunction(
            IndexedFunction, (string list, string? text) => Indexed(list, Spell(text)), isDeterministic: true);
        connection.CreateFunction(
            SaidFunction,
            (string title, string? note, string phrase) => said.Has(title, note, phrase), isDeterministic: true);
    }

    /// <summary>NFKC, but with letters and marks apart. U+FFFE, which is no character, .NET refuses.</summary>
    private static string Decomposed(string text) => Ascii.IsValid(text)
        ? text
        : text.Replace(NoCharacter, Between).Normalize(NormalizationForm.FormKD);

    private static int Begin(StringBuilder spelled) => spelled.Append(Between).Length;

    /// <summary>Ends the word that began at <paramref name="start"/>; 0: there is none, and none now.</summary>
    private static int End(int start, StringBuilder spelled)
    {
        if (start > 0 && spelled.Length - start > SpelledMax)
        {
            byte[] hash = SHA256.HashData(Encoding.ASCII.GetBytes(spelled.ToString(start, spelled.Length - start)));
            spelled.Length = start;
            spelled.Append(Escape).Append(Escape).Append(Convert.ToHexStringLower(hash));
        }

        return 0;
    }

    private static void Add(Rune folded, StringBuilder spelled)
    {
        if (folded.IsAscii)
        {
            spelled.Append((char)folded.Value);
            return;
        }

        // The one letter whose folded case is two, once NFKC and the dropping of marks have seen to all others.
        if (folded.Value == 'ß')
        {
            spelled.Append("ss");
            return;
        }

        Span<char> units = stackalloc char[2];
        foreach (char unit in units[..folded.EncodeToUtf16(units)])
        {
            spelled.Append(Escape).Append(CultureInfo.InvariantCulture, $"{(int)unit:x4}");
        }
    }

    /// <summary>By way of upper case, in which all forms of a letter are one, such as both small sigmas.</summary>
    private static Rune Folded(Rune rune) => Rune.ToLowerInvariant(Rune.ToUpperInvariant(rune));

    private static bool IsMark(Rune rune) => Rune.GetUnicodeCategory(rune)
        is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.EnclosingMark;
}

/// <summary>A title and a note, cut into words once for all that is asked of them in a row.</summary>
internal sealed class SpelledText
{
    private string? _title;
    private string? _note;
    private string _spelledTitle = "";
    private string _spelledNote = "";

    public bool Has(string title, string? note, string phrase)
    {
        if (title != _title)
        {
            (_title, _spelledTitle) = (title, Words.Spell(title));
        }

        if (Words.Has(_spelledTitle, phrase))
        {
            return true;
        }

        if (note != _note)
        {
            (_note, _spelledNote) = (note, Words.Spell(note));
        }

        return Words.Has(_spelledNote, phrase);
    }
}
