using System.Globalization;

namespace Squall.Server;

/// <summary>Reads what <c>audit list</c> is asked for.</summary>
internal static class AuditArguments
{
    private static readonly string[] Forms =
        ["yyyy-MM-dd", "yyyy-MM-ddTHH:mmK", "yyyy-MM-ddTHH:mm:ssK", "yyyy-MM-ddTHH:mm:ss.FFFFFFFK"];

    /// <summary>The query, and the arguments that are options of the server.</summary>
    /// <exception cref="StartRefusedException">What is asked for cannot be understood.</exception>
    public static (AuditQuery Query, string[] Options) Parse(string[] args, DateTimeOffset now)
    {
        var query = new AuditQuery(
            "", [], 0, long.MaxValue, int.MaxValue, OldestFirst: false, Json: false, After: "");
        var rest = new List<string>();
        var given = new HashSet<string>();
        for (int at = 0; at < args.Length; at++)
        {
            string[] parts = args[at].Split('=', 2);
            (string name, string? value) = (parts[0], parts.ElementAtOrDefault(1));
            if (name is not ("--account" or "--event" or "--since" or "--until" or "--limit" or "--oldest-first"
                or "--json"))
            {
                rest.Add(args[at]);
                continue;
            }

            if (!given.Add(name))
            {
                throw new StartRefusedException($"{name} is given twice");
            }

            query = name switch
            {
                "--oldest-first" => query with { OldestFirst = Flag(name, value) },
                "--json" => query with { Json = Flag(name, value) },
                _ => Set(query, name, value ?? Next(args, ref at), now),
            };
        }

        return query.SinceMicros <= query.UntilMicros
            ? (query, [.. rest])
            : throw new StartRefusedException("--since is later than --until");
    }

    private static string Next(string[] args, ref int at) =>
        at + 1 < args.Length && !args[at + 1].StartsWith("--", StringComparison.Ordinal)
            ? args[++at]
            : throw new StartRefusedException($"{args[at]} needs a value (see --help)");

    private static AuditQuery Set(AuditQuery query, string name, string value, DateTimeOffset now) => name switch
    {
        "--account" => query with
        {
            Account = value.Length > 0 ? value : throw Refused(name, value, "is no username, nor an account's id"),
        },
        "--event" => query with { Events = [.. value.Split(',').Select(part => Event(name, part))] },
        "--since" => query with { SinceMicros = Time(name, value, now) },
        "--until" => query with { UntilMicros = Time(name, value, now) },
        _ => query with
        {
            RowsMax = int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out int rows) && rows > 0
                ? rows
                : throw Refused(name, value, "is no count from 1 on"),
        },
    };

    private static bool Flag(string name, string? value) =>
        value is null ? true : throw new StartRefusedException($"{name} takes no value");

    private static int Event(string option, string name) => (int)(AuditEvents.Parse(name)
        ?? throw Refused(option, name, $"is none of {string.Join(", ", AuditEvents.All)}"));

    /// <summary>A time, in UTC where it says nothing else, or how long ago.</summary>
    private static long Time(string option, string text, DateTimeOffset now)
    {
        if (Unit.Time.Parse(text) is { } ago)
        {
            return Micros.Of(ago < now.Ticks - DateTimeOffset.UnixEpoch.Ticks
                ? now - new TimeSpan(ago)
                : DateTimeOffset.UnixEpoch);
        }

        return DateTimeOffset.TryParseExact(
            text, Forms, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset time)
            && time >= DateTimeOffset.UnixEpoch
                ? Micros.Of(time)
                : throw Refused(option, text, "is no time (2026-11-30, 2026-11-30T17:05:00Z), nor how long ago (24h)");
    }

    private static StartRefusedException Refused(string option, string value, string why) =>
        new($"{option}: \"{value}\" {why}");
}
