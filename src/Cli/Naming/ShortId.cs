namespace Squall.Cli;

/// <summary>
/// Ids as people read and type them. An id begins with the time it was made at, so that its last characters are what
/// tells it from others; its beginning is understood as well.
/// </summary>
internal static class ShortId
{
    private const int ShownCharacters = 8;
    public const int TypedCharactersMin = 4;
    private const int WholeCharacters = 36;
    private const int CandidatesMax = 5;

    public static string Of(string id) => id.Length > ShownCharacters ? id[^ShownCharacters..] : id;

    public static bool IsWhole(string text) => text.Length == WholeCharacters && Guid.TryParseExact(text, "D", out _);

    public static bool IsPart(string text) => text.Length is >= TypedCharactersMin and < WholeCharacters
        && text.All(unit => char.IsAsciiHexDigit(unit) || unit == '-');

    public static bool Matches(string id, string part) =>
        id.EndsWith(part, StringComparison.OrdinalIgnoreCase)
        || id.StartsWith(part, StringComparison.OrdinalIgnoreCase);

    /// <summary>The whole id of the one that is meant, by it or its end.</summary>
    public static string Only(string kind, string given, IEnumerable<(string Id, string Title)> all) =>
        all.Where(one => one.Id == given || (IsPart(given) && Matches(one.Id, given))).ToList() switch
        {
            [var one] => one.Id,
            [] => throw new RefusedException("NOT_FOUND", $"There is no {kind} '{given}'."),
            var several => throw new RefusedException("AMBIGUOUS", Several(kind + "s", given, several)),
        };

    /// <summary>That several are meant, and which, by their whole ids.</summary>
    public static string Several(string kind, string given, IEnumerable<(string Id, string Title)> candidates)
    {
        var all = candidates.ToList();
        var named = all.Take(CandidatesMax).Select(one => $"{one.Id} ({one.Title})");
        var more = all.Count > CandidatesMax ? $", and {all.Count - CandidatesMax} more" : "";
        return $"'{given}' may be any of {all.Count} {kind}: {string.Join(", ", named)}{more}.";
    }
}
