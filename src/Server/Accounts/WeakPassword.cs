using System.Text;

namespace Squall.Server;

/// <summary>
/// Which passwords are too easy to guess, by rules of ours and without a dictionary: (1) something said again and
/// again, (2) runs, walks along the keyboard and names, which count as one character each, with little beside them,
/// (3) one word, with or without a number.
/// </summary>
internal static class WeakPassword
{
    /// <summary>What a password has at least to have beside what is easy to guess.</summary>
    private const int CharactersMin = 8;
    private const int DistinctMin = 5;

    private const int NameCharactersMin = 3;
    private const int SameMin = 3;
    private const int DigitsMin = 3;
    private const int LettersMin = 4;

    /// <summary>What is said again counts so from this length on, where a number stands behind it.</summary>
    private const int RepeatedMin = 8;

    /// <summary>A word by itself, or two that are written as one; longer ones are several.</summary>
    private const int WordLettersMax = 15;

    /// <summary>Where digits and signs stand for letters.</summary>
    private const int SpelledLettersMax = 12;
    private const int NumberDigitsMax = 4;
    private const int DateDigitsMax = 8;
    private const int ConsonantsMax = 4;
    private const string Vowels = "aeiouyäöüàâéèêëîïôûùæœåøаеёиоуыэюяіїєαεηιουωάέήίόύώ";

    /// <summary>Of the scripts whose vowels are told from their consonants here: Latin, Greek and Cyrillic.</summary>
    private const char LetterMax = '\u0530';

    /// <summary>Stands for what counts as one character: no text holds it.</summary>
    private const char Guess = '\uFFFF';

    private static readonly string[] Products = ["squall"];

    /// <summary>Lines along a keyboard (US, German, French), and down its columns and a phone's.</summary>
    private static readonly string[] Rows =
    [
        "qwertyuiop[]", "asdfghjkl;'", "zxcvbnm,./", "qwertzuiopü", "asdfghjklöä", "yxcvbnm,.-", "azertyuiop",
        "qsdfghjklm", "wxcvbn", "!@#$%^&*()", "abcdefghijklmnopqrstuvwxyz",
    ];

    private static readonly string[] Columns =
    [
        "1qaz", "2wsx", "3edc", "4rfv", "5tgb", "6yhn", "7ujm", "8ik,", "9ol.", "0p;/", "1qay", "6zhn", "1aqw",
        "!qaz", "@wsx", "#edc", "$rfv", "%tgb", "zse4", "xdr5", "cft6", "vgy7", "bhu8", "nji9", "mko0",
    ];

    private static readonly string[] Numbers = ["01234567890", "147", "258", "369", "159", "357", "2580"];

    /// <summary>Digits and signs that stand for letters.</summary>
    private static readonly Dictionary<char, char> Written = new()
    {
        ['0'] = 'o', ['1'] = 'l', ['3'] = 'e', ['4'] = 'a', ['5'] = 's', ['7'] = 't', ['@'] = 'a', ['$'] = 's',
        ['!'] = 'i',
    };

    /// <summary>What is wrong with a password, for the one who chose it; null: nothing is.</summary>
    /// <param name="password">In its normal form.</param>
    /// <param name="names">The account's own, as whoever would guess it knows them.</param>
    public static string? Reason(string password, params IEnumerable<string> names)
    {
        string text = password.ToLowerInvariant();
        string numberless = text.TrimEnd(Sides(text));
        if (IsOfFew(text) || IsRepeated(text) || (numberless.Length >= RepeatedMin && IsRepeated(numberless)))
        {
            return "says the same again and again";
        }

        string rest = WithoutNames(text, names);
        string left = WithoutWalks(rest);
        bool isNumber = !left.Any(char.IsLetter) && left.Count(char.IsDigit) <= DateDigitsMax;
        if (left.Length < CharactersMin || (isNumber && left.Contains(Guess, StringComparison.Ordinal)))
        {
            return rest != text
                ? "is little more than a name that others know"
                : "is little more than a run of characters, or a walk along the keyboard";
        }

        return IsOneWord(left) ? "is one word, with or without a number" : null;
    }

    private static bool IsOfFew(string text) =>
        text.EnumerateRunes().Distinct().Take(DistinctMin).Count() < DistinctMin;

    /// <summary>One piece twice or more, of which the last may be cut off.</summary>
    private static bool IsRepeated(string text)
    {
        // The longest beginning that is an end, too (Knuth, Morris and Pratt): what is left is the piece.
        int[] borders = new int[text.Length + 1];
        borders[0] = -1;
        for (int at = 0, border = -1; at < text.Length; borders[++at] = ++border)
        {
            while (border >= 0 && text[at] != text[border])
            {
                border = borders[border];
            }
        }

        return (text.Length - borders[text.Length]) * 2 <= text.Length;
    }

    /// <summary>Names, whole and their parts, from the longest on.</summary>
    private static string WithoutNames(string text, IEnumerable<string> names)
    {
        string[] known =
        [
            .. names.Select(name => Passwords.Normal(name).ToLowerInvariant())
                .SelectMany(name => Parts(name).Append(name)).Concat(Products)
                .Where(name => name.Length >= NameCharactersMin).Distinct().OrderByDescending(name => name.Length),
        ];
        return known.Aggregate(text, (rest, name) => rest.Replace(name, $"{Guess}", StringComparison.Ordinal));
    }

    private static IEnumerable<string> Parts(string name) =>
        name.Split(name.Where(unit => !char.IsLetter(unit)).Distinct().ToArray(), StringSplitOptions.RemoveEmptyEntries)
            .Append(string.Concat(name.Where(char.IsLetter)));

    private static string WithoutWalks(string text)
    {
        var left = new StringBuilder();
        for (int at = 0; at < text.Length;)
        {
            int walk = WalkAt(text, at);
            left.Append(walk > 1 ? Guess : text[at]);
            at += Math.Max(walk, 1);
        }

        return left.ToString();
    }

    /// <summary>How long the longest run or walk is that begins there; 0: none does.</summary>
    private static int WalkAt(string text, int at)
    {
        int same = at;
        while (same < text.Length && text[same] == text[at])
        {
            same++;
        }

        int longest = same - at >= SameMin ? same - at : 0;
        foreach ((string[] lines, int least) in (ReadOnlySpan<(string[], int)>)
            [(Rows, LettersMin), (Columns, DigitsMin), (Numbers, DigitsMin)])
        {
            foreach (string line in lines)
            {
                int along = Math.Max(Along(line, text, at, 1), Along(line, text, at, -1));
                longest = along >= least ? Math.Max(longest, along) : longest;
            }
        }

        return longest;
    }

    /// <summary>How far the text goes along a line, one way.</summary>
    private static int Along(string line, string text, int at, int step)
    {
        int longest = 0;
        for (int start = 0; start < line.Length; start++)
        {
            int length = 0;
            for (int on = start;
                on >= 0 && on < line.Length && at + length < text.Length && line[on] == text[at + length];
                on += step)
            {
                length++;
            }

            longest = Math.Max(longest, length);
        }

        return longest;
    }

    /// <summary>
    /// Letters that can be spoken, the same wherever there are some, with at most a few digits and signs beside them.
    /// Digits and signs within a word stand for letters.
    /// </summary>
    private static bool IsOneWord(string text)
    {
        string core = text.Trim(Sides(text));
        string spelled = Spelled(core);
        string[] words = spelled.Split(Sides(spelled), StringSplitOptions.RemoveEmptyEntries);
        if (words.Count(word => word.Length == 1) > 1
            || words.Where(word => word.Length > 1).Distinct().ToArray() is not [var only]
            || only.Length > (spelled == core ? WordLettersMax : SpelledLettersMax) || !IsSpoken(only))
        {
            return false;
        }

        string beside = text.Replace(core, spelled, StringComparison.Ordinal)
            .Replace(only, "", StringComparison.Ordinal);
        return beside.Count(char.IsDigit) <= NumberDigitsMax
            && beside.All(unit => unit == Guess || (char.IsAscii(unit) && !char.IsControl(unit)));
    }

    private static char[] Sides(string text) => [.. text.Where(unit => !char.IsLetter(unit)).Distinct()];

    /// <summary>With letters where digits and signs stand for them, which a number does not.</summary>
    private static string Spelled(string word)
    {
        var spelled = new StringBuilder();
        for (int at = 0, end; at < word.Length; at = end)
        {
            for (end = at; end < word.Length && char.IsLetter(word[end]) == char.IsLetter(word[at]);)
            {
                end++;
            }

            string piece = word[at..end];
            bool stands = piece.All(Written.ContainsKey) && piece.Count(char.IsDigit) < DigitsMin;
            spelled.Append(stands ? string.Concat(piece.Select(unit => Written[unit])) : piece);
        }

        return spelled.ToString();
    }

    private static bool IsSpoken(string word)
    {
        int consonants = 0;
        int most = 0;
        foreach (char letter in word)
        {
            consonants = Vowels.Contains(letter, StringComparison.Ordinal) ? 0 : consonants + 1;
            most = Math.Max(most, consonants);
        }

        return most <= ConsonantsMax && word.All(letter => letter < LetterMax);
    }
}
