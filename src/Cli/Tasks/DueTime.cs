using System.Globalization;
using System.Text.RegularExpressions;

namespace Squall.Cli;

/// <summary>
/// The times that people write. A day without a time lasts until its last second, in the zone of whoever writes; that
/// second is shown as the day alone.
/// </summary>
internal static partial class DueTime
{
    public const string Forms =
        "2026-12-01, '2026-12-01 15:00', an RFC 3339 time, today, tomorrow, fri, '+3d', '+2w', '+4h', or none";

    private static readonly TimeSpan LastSecond = new(23, 59, 59);

    private static readonly string[] Rfc3339 =
        ["yyyy-MM-dd'T'HH:mm:ssK", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK"];

    private static readonly string[] Clocks = ["H:mm", "H:mm:ss"];

    /// <summary>False: it is none of the forms. Null: none.</summary>
    public static bool TryParse(string text, TimeProvider time, out DateTimeOffset? due)
    {
        due = null;
        text = text.Trim();
        var lower = text.ToLowerInvariant();
        if (lower == "none")
        {
            return true;
        }

        if (Offset().IsMatch(lower))
        {
            var isRead = DateTimeOffset.TryParseExact(
                text.ToUpperInvariant(), Rfc3339, CultureInfo.InvariantCulture, DateTimeStyles.None, out var exact);
            due = isRead ? exact : null;
            return isRead;
        }

        due = Local(lower, time);
        return due is not null;
    }

    /// <summary>In the zone of whoever reads.</summary>
    public static string Text(DateTimeOffset due, TimeProvider time)
    {
        var local = TimeZoneInfo.ConvertTime(due, time.LocalTimeZone);
        return local.ToString(IsWholeDay(local) ? "yyyy-MM-dd" : "yyyy-MM-dd HH:mm");
    }

    /// <summary>Like <see cref="Text"/>, with words for the days around now.</summary>
    public static string Words(DateTimeOffset due, TimeProvider time)
    {
        var local = TimeZoneInfo.ConvertTime(due, time.LocalTimeZone);
        var day = (local.Date - time.GetLocalNow().Date).Days switch
        {
            -1 => "yesterday",
            0 => "today",
            1 => "tomorrow",
            > 1 and < 7 => local.ToString("ddd"),
            _ => local.ToString("yyyy-MM-dd"),
        };
        return IsWholeDay(local) ? day : $"{day} {local:HH:mm}";
    }

    private static bool IsWholeDay(DateTimeOffset local) => local.TimeOfDay == LastSecond;

    private static DateTimeOffset? Local(string text, TimeProvider time)
    {
        var now = time.GetLocalNow();
        var split = DayAndClock().Match(text);
        var (day, clock) = split.Success ? (split.Groups["day"].Value, split.Groups["clock"].Value) : (text, null);
        try
        {
            if (Later().Match(day) is { Success: true } later)
            {
                var count = int.Parse(later.Groups["count"].Value);
                switch (later.Groups["unit"].Value)
                {
                    case "h":
                        return clock is null ? now.AddHours(count) : null;
                    case "d":
                        return At(now.Date.AddDays(count), clock, time);
                    default:
                        return At(now.Date.AddDays(7 * count), clock, time);
                }
            }

            return DayOf(day, now.Date) is { } date ? At(date, clock, time) : null;
        }
        catch (ArgumentOutOfRangeException)
        {
            // A day that no calendar has.
            return null;
        }
    }

    private static DateTime? DayOf(string text, DateTime today)
    {
        switch (text)
        {
            case "today":
                return today;
            case "tomorrow":
                return today.AddDays(1);
        }

        for (var day = 1; day <= 7; day++)
        {
            var next = today.AddDays(day);
            var name = next.DayOfWeek.ToString().ToLowerInvariant();
            if (text == name || text == name[..3])
            {
                return next;
            }
        }

        return DateTime.TryParseExact(
            text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var date) ? date : null;
    }

    private static DateTimeOffset? At(DateTime day, string? clock, TimeProvider time)
    {
        var at = LastSecond;
        if (clock is not null)
        {
            if (!DateTime.TryParseExact(
                clock, Clocks, CultureInfo.InvariantCulture, DateTimeStyles.None, out var given))
            {
                return null;
            }

            at = given.TimeOfDay;
        }

        var local = DateTime.SpecifyKind(day + at, DateTimeKind.Unspecified);
        // Also for a time that a change of the clocks leaves out.
        return new DateTimeOffset(local, time.LocalTimeZone.GetUtcOffset(local));
    }

    [GeneratedRegex(@"^\d{4}-\d\d-\d\dt.*(z|[+-]\d\d:\d\d)$")]
    private static partial Regex Offset();

    [GeneratedRegex(@"^(?<day>\S+?)( +|t)(?<clock>\d.*)$")]
    private static partial Regex DayAndClock();

    [GeneratedRegex(@"^\+(?<count>\d{1,6})(?<unit>[hdw])$")]
    private static partial Regex Later();
}
