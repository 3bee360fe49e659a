using System.Globalization;

namespace Squall.Faults;

/// <summary>
/// How long pairs of failed logins took, in ms. They are told apart by the median of the pairs' differences, whose
/// interval lies between two of the differences themselves: the binomial distribution says which, and nothing is asked
/// of how the times are distributed.
/// </summary>
internal sealed class LoginTimes
{
    /// <summary>With fewer there is no such interval.</summary>
    public const int PairsMin = 8;

    private const double Confidence = 0.99;
    private const double AlikePercent = 5;
    private const double Apart = 2;
    private readonly double _unknown;
    private readonly double _wrong;
    private readonly double _difference;
    private readonly double _lowRatio;
    private readonly double _highRatio;

    public LoginTimes(IReadOnlyList<(double Unknown, double Wrong)> pairs)
    {
        double[] differences = [.. pairs.Select(pair => pair.Unknown - pair.Wrong).Order()];
        int rank = Rank(differences.Length);
        _unknown = Median([.. pairs.Select(pair => pair.Unknown).Order()]);
        _wrong = Median([.. pairs.Select(pair => pair.Wrong).Order()]);
        _difference = Median(differences);
        LowPercent = differences[rank - 1] / _wrong * 100;
        HighPercent = differences[^rank] / _wrong * 100;
        double[] ratios = [.. pairs.Select(pair => pair.Unknown / pair.Wrong).Order()];
        (_lowRatio, _highRatio) = (ratios[rank - 1], ratios[^rank]);
    }

    /// <summary>Where the interval of the difference begins, in percent of a wrong password's median time.</summary>
    public double LowPercent { get; }

    public double HighPercent { get; }

    /// <summary>The whole interval is within 5 %; so few pairs, or so much noise, that nobody knows are not.</summary>
    public bool AreAlike => LowPercent >= -AlikePercent && HighPercent <= AlikePercent;

    /// <summary>
    /// One of a pair takes twice as long as the other, as the same interval of their ratios says: no machine's noise
    /// does that, which both of a pair share.
    /// </summary>
    public bool AreFarApart => _highRatio < 1 / Apart || _lowRatio > Apart;

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"medians {_unknown:0.00} ms unknown, {_wrong:0.00} ms wrong; of the differences {_difference:0.00} ms, 99 % "
        + $"interval {LowPercent:+0.00;-0.00} % to {HighPercent:+0.00;-0.00} % (of the ratios {_lowRatio:0.00} to "
        + $"{_highRatio:0.00})");

    /// <summary>
    /// The greatest rank from below and from above between which the median lies so surely: each side is missed where
    /// fewer than that many of n fair coins fall on it.
    /// </summary>
    private static int Rank(int count)
    {
        double chance = Math.Pow(2, -count);
        double missed = chance;
        int rank = 0;
        while (missed <= (1 - Confidence) / 2)
        {
            rank++;
            chance *= (count - rank + 1.0) / rank;
            missed += chance;
        }

        return rank;
    }

    private static double Median(double[] sorted) =>
        (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
}
