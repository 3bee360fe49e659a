using System.Text;

namespace ImportTaskwarrior;

/// <summary>Texts as Squall takes them; it refuses what is longer, and control characters.</summary>
internal static class Fit
{
    private const int TitleCharactersMax = 500;
    private const int ListTitleCharactersMax = 200;
    private const int LabelCharactersMax = 100;
    private const int NoteBytesMax = 64 << 10;
    private const int CommentBytesMax = 16 << 10;

    public static string Title(string text) => Line(text, TitleCharactersMax);

    public static string ListTitle(string text) => Line(text, ListTitleCharactersMax);

    public static string Label(string text) => Line(text, LabelCharactersMax);

    public static string Note(string text) => Lines(text, NoteBytesMax);

    public static string Comment(string text) => Lines(text, CommentBytesMax);

    private static string Line(string text, int charactersMax)
    {
        var runes = text.EnumerateRunes().Select(rune => Rune.IsControl(rune) ? new Rune(' ') : rune).ToList();
        return string.Concat(runes.Count <= charactersMax ? runes : [.. runes.Take(charactersMax - 1), new Rune('…')]);
    }

    private static string Lines(string text, int bytesMax)
    {
        var fit = new StringBuilder();
        var left = bytesMax;
        foreach (var rune in text.ReplaceLineEndings("\n").EnumerateRunes())
        {
            left -= rune.Utf8SequenceLength;
            if (left < 0)
            {
                break;
            }

            fit.Append(Rune.IsControl(rune) && rune.Value is not ('\n' or '\t') ? " " : rune.ToString());
        }

        return fit.ToString();
    }
}
