using System.Globalization;

namespace Squall.Rpc;

/// The header grpc-timeout: one to eight digits and a unit, such as 250m for 250 milliseconds.
/// Whatever else a caller sends (nine digits, another unit, a sign) cannot be read, and its call is to be refused
/// with INVALID_ARGUMENT: to ignore it would run the call without the bound that its caller counts on.
public static class GrpcTimeout
{
    public const string Header = "grpc-timeout";

    /// A hundred years. Longer timeouts are taken as this, so that adding one to a clock cannot overflow.
    public static readonly TimeSpan Max = TimeSpan.FromDays(36_500);

    private const int DigitsMax = 8;
    private const long ValueMax = 99_999_999;
    private const int NanosecondsPerTick = 100;

    private static readonly (char Unit, long Ticks)[] UnitsAboveNanosecond =
    [
        ('u', TimeSpan.TicksPerMicrosecond),
        ('m', TimeSpan.TicksPerMillisecond),
        ('S', TimeSpan.TicksPerSecond),
        ('M', TimeSpan.TicksPerMinute),
        ('H', TimeSpan.TicksPerHour),
    ];

    /// In the finest unit that has room, rounded up: a server never gives up before its client does.
    /// What is not positive is written as the shortest time there is.
    public static string Format(TimeSpan timeout)
    {
        long ticks = timeout.Ticks;
        if (ticks <= 0)
        {
            return "1n";
        }

        if (ticks <= ValueMax / NanosecondsPerTick)
        {
            return string.Create(CultureInfo.InvariantCulture, $"{ticks * NanosecondsPerTick}n");
        }

        foreach ((char unit, long unitTicks) in UnitsAboveNanosecond)
        {
            long value = (ticks - 1) / unitTicks + 1;
            if (value <= ValueMax)
            {
                return string.Create(CultureInfo.InvariantCulture, $"{value}{unit}");
            }
        }

        return "99999999H";
    }

    /// Zero is read as zero: that call's time is over. Parts of a tick count as a whole one.
    public static bool TryParse(ReadOnlySpan<char> text, out TimeSpan timeout)
    {
        timeout = default;
        if (text.Length is < 2 or > DigitsMax + 1
            || !long.TryParse(text[..^1], NumberStyles.None, CultureInfo.InvariantCulture, out long value))
        {
            return false;
        }

        if (text[^1] == 'n')
        {
            timeout = new TimeSpan((value + NanosecondsPerTick - 1) / NanosecondsPerTick);
            return true;
        }

        foreach ((char unit, long unitTicks) in UnitsAboveNanosecond)
        {
            if (unit == text[^1])
            {
                timeout = new TimeSpan(Math.Min(value * unitTicks, Max.Ticks));
                return true;
            }
        }

        return false;
    }
}
