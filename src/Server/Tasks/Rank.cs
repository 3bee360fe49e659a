namespace Squall.Server;

/// <summary>
/// Where tasks stand in their list: 1 to 64 of 0-9 and a-z, by plain comparison. Ranks of our own have six characters
/// and begin in the middle, so that there is room before and between them.
/// </summary>
internal static class Rank
{
    private const string Digits = "0123456789abcdefghijklmnopqrstuvwxyz";
    private const string First = "i00000";

    public static bool IsValid(string rank, int charactersMax) =>
        rank.Length > 0 && rank.Length <= charactersMax && rank.AsSpan().IndexOfAnyExcept(Digits) < 0;

    /// <summary>
    /// A rank after <paramref name="last"/>; null: of an empty list. It grows by six characters only when the ones
    /// before are used up. After the very last rank comes that rank again, and the newer id goes last.
    /// </summary>
    public static string After(string? last, int charactersMax)
    {
        if (last is null)
        {
            return First;
        }

        for (int width = First.Length; width < charactersMax + First.Length; width += First.Length)
        {
            if (Next(last, Math.Min(width, charactersMax)) is { } next)
            {
                return next;
            }
        }

        return last;
    }

    /// <summary>The next of this width; null: there is none.</summary>
    private static string? Next(string last, int width)
    {
        char[] next = last.PadRight(width, Digits[0])[..width].ToCharArray();
        for (int at = width - 1; at >= 0; at--)
        {
            int digit = Digits.IndexOf(next[at]) + 1;
            if (digit < Digits.Length)
            {
                next[at] = Digits[digit];
                return new string(next);
            }

            next[at] = Digits[0];
        }

        return null;
    }
}
