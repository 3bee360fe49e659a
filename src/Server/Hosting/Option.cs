using System.Globalization;
using System.Text.RegularExpressions;

namespace Squall.Server;

/// <summary>
/// An option: its name as on the command line, the form of its value, what it is for, and how a value is taken.
/// </summary>
/// <param name="Set">Null when taken; else what is wrong with the value.</param>
internal sealed partial record Option(
    string Name, string Form, string About, Func<ServerOptions, string> Get, Func<ServerOptions, string, string?> Set)
{
    /// <summary>As in the environment: <c>SQUALL_PAGE_SIZE_MAX</c>.</summary>
    public string Variable => "SQUALL_" + Name.Replace('-', '_').ToUpperInvariant();

    /// <summary>As in appsettings.json: <c>Squall:PageSizeMax</c>.</summary>
    public string Key => "Squall:" + string.Concat(
        Name.Split('-').Select(word => char.ToUpperInvariant(word[0]) + word[1..]));

    /// <summary>A limit: a property of <see cref="Limits"/> by name, whose type and name tell the unit.</summary>
    public static Option Limit(string property, string min, string max, string about)
    {
        System.Reflection.PropertyInfo limit = typeof(Limits).GetProperty(property)
            ?? throw new ArgumentException($"There is no limit {property}.", nameof(property));
        Unit unit = Unit.Of(limit);
        (long lowest, long highest) = (unit.Parse(min)!.Value, unit.Parse(max)!.Value);
        return new Option(
            Kebab(property), unit.Form, about, options => unit.Text(limit.GetValue(options.Limits)!), Set);

        string? Set(ServerOptions options, string text)
        {
            if (unit.Parse(text) is not { } value)
            {
                return $"is no {unit.Form.ToLowerInvariant()} ({unit.Example})";
            }

            if (value < lowest || value > highest)
            {
                return $"must be from {min} to {max}";
            }

            limit.SetValue(options.Limits, unit.Value(value, limit.PropertyType));
            return null;
        }
    }

    public static string Kebab(string property) =>
        Capitals().Replace(property, match => "-" + match.Value).TrimStart('-').ToLowerInvariant();

    [GeneratedRegex("[A-Z]")]
    private static partial Regex Capitals();
}

/// <summary>In what the value of an option is written and reckoned.</summary>
internal sealed record Unit(string Form, string Example, (string Suffix, long Size)[] Suffixes)
{
    private static readonly Unit Count = new("COUNT", "such as 100", [("", 1)]);

    private static readonly Unit Bytes = new(
        "SIZE", "such as 512B, 64KiB, 4MiB or 1GiB", [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1)]);

    public static readonly Unit Time = new(
        "TIME", "such as 500ms, 30s, 15m, 24h or 7d",
        [
            ("d", TimeSpan.TicksPerDay), ("h", TimeSpan.TicksPerHour), ("m", TimeSpan.TicksPerMinute),
            ("s", TimeSpan.TicksPerSecond), ("ms", TimeSpan.TicksPerMillisecond),
        ]);

    public static Unit Of(System.Reflection.PropertyInfo limit) =>
        limit.PropertyType == typeof(TimeSpan) ? Time
        : limit.Name.Contains("Bytes", StringComparison.Ordinal) ? Bytes
        : Count;

    /// <summary>Null: it is not written so, or too large to reckon with.</summary>
    public long? Parse(string text)
    {
        int digits = text.TakeWhile(char.IsAsciiDigit).Count();
        return Array.FindIndex(Suffixes, unit => unit.Suffix == text[digits..]) is >= 0 and var found
            && long.TryParse(text.AsSpan(0, digits), NumberStyles.None, CultureInfo.InvariantCulture, out long value)
            && value <= long.MaxValue / Suffixes[found].Size
            ? value * Suffixes[found].Size
            : null;
    }

    public object Value(long value, Type type) =>
        type == typeof(TimeSpan) ? new TimeSpan(value) : Convert.ChangeType(value, type, CultureInfo.InvariantCulture);

    /// <summary>In the largest unit that divides it.</summary>
    public string Text(object value)
    {
        long amount = value is TimeSpan time ? time.Ticks : Convert.ToInt64(value, CultureInfo.InvariantCulture);
        (string suffix, long size) = Suffixes.First(unit => amount % unit.Size == 0);
        return string.Create(CultureInfo.InvariantCulture, $"{amount / size}{suffix}");
    }
}
