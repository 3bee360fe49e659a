using Grpc.Core;

namespace Grpc.Net.Client.Configuration;

/// When and how often a call is tried again whose response has not begun.
public sealed class RetryPolicy
{
    /// The first attempt counts; at least 2, and no more than the channel's MaxRetryAttempts.
    public int? MaxAttempts { get; set; }

    public TimeSpan? InitialBackoff { get; set; }

    public TimeSpan? MaxBackoff { get; set; }

    public double? BackoffMultiplier { get; set; }

    public IList<StatusCode> RetryableStatusCodes { get; } = [];

    internal void Check()
    {
        Require(MaxAttempts is null or > 1, nameof(MaxAttempts), "more than 1");
        Require(InitialBackoff is null || InitialBackoff > TimeSpan.Zero, nameof(InitialBackoff), "more than nothing");
        Require(MaxBackoff is null || MaxBackoff > TimeSpan.Zero, nameof(MaxBackoff), "more than nothing");
        Require(BackoffMultiplier is null or > 0, nameof(BackoffMultiplier), "more than 0");
        Require(RetryableStatusCodes.Count > 0, nameof(RetryableStatusCodes), "at least one code");
    }

    private static void Require(bool holds, string property, string what)
    {
        if (!holds)
        {
            throw new InvalidOperationException($"{nameof(RetryPolicy)}.{property} is to be {what}.");
        }
    }
}

/// How much is tried again of what fails, over all calls of a channel: each failure takes a token, each success
/// gives a part of one back, and with half of them gone nothing is tried again.
public sealed class RetryThrottlingPolicy
{
    public int? MaxTokens { get; set; }

    /// What a success gives back.
    public double? TokenRatio { get; set; }

    internal void Check()
    {
        if (MaxTokens is not (> 0 and <= 1000) || TokenRatio is not > 0)
        {
            throw new InvalidOperationException(
                "A RetryThrottlingPolicy has MaxTokens from 1 to 1000 and a TokenRatio above 0.");
        }
    }
}

/// The same call sent several times at once; described here and not offered, see MethodConfig.
public sealed class HedgingPolicy
{
    public int? MaxAttempts { get; set; }

    public TimeSpan? HedgingDelay { get; set; }

    public IList<StatusCode> NonFatalStatusCodes { get; } = [];
}
