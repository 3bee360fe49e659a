using System.Globalization;
using System.Text.RegularExpressions;

namespace Squall.Server;

/// <summary>Times as people write them in filters.</summary>
internal static partial class Rfc3339
{
    /// <summary>Microseconds since 1970, what is finer cut off as in every time kept; null: no such time.</summary>
    public static long? MicrosOf(string text)
    {
        Match match = Form().Match(text);
        if (!match.Success
            || !DateTime.TryParseExact(
                match.Groups["time"].Value.ToUpperInvariant(), "yyyy-MM-dd'T'HH:mm:ss",
                CultureInfo.InvariantCulture, DateTimeStyles.None, out DateTime time))
        {
            return null;
        }

        int hours = Part(match, "hours");
        int minutes = Part(match, "minutes");
        if (hours > 23 || minutes > 59)
        {
            return null;
        }

        long micros = (time - DateTime.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;
        long fraction = long.Parse(match.Groups["fraction"].Value.PadRight(6, '0')[..6], CultureInfo.InvariantCulture);
        long offset = ((hours * 60L) + minutes) * 60_000_000 * (match.Groups["sign"].Value == "-" ? -1 : 1);
        return micros + fraction - offset;
    }

    private static int Part(Match match, string name) =>
        match.Groups[name].Success ? int.Parse(match.Groups[name].Value, CultureInfo.InvariantCulture) : 0;

    [GeneratedRegex(
        @"\A(?<time>[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2})(\.(?<fraction>[0-9]{1,9}))?"
        + @"([Zz]|(?<sign>[+-])(?<hours>[0-9]{2}):(?<minutes>[0-9]{2}))\z",
        RegexOptions.ExplicitCapture)]
    private static partial Regex Form();
}
