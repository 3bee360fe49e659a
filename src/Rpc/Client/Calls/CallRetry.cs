using System.Globalization;
using Grpc.Core;
using Grpc.Net.Client.Configuration;
using Squall.Rpc;

namespace Grpc.Net.Client;

/// Whether and when a call whose response has not begun is tried again.
internal sealed class CallRetry(
    GrpcChannel channel, RetryPolicy? policy, CallActivity? activity, bool waitForReady)
{
    private readonly Backoff backoff = new(
        policy?.InitialBackoff ?? TimeSpan.FromMilliseconds(100),
        policy?.MaxBackoff ?? TimeSpan.FromSeconds(5),
        policy?.BackoffMultiplier ?? 2,
        channel.Options.Time);

    private readonly int attemptsMax = Math.Min(
        policy?.MaxAttempts ?? int.MaxValue, channel.Options.MaxRetryAttempts ?? int.MaxValue);

    private int attempts = 1;

    /// Attempts before this one.
    public int Previous => attempts - 1;

    /// Waits before the next attempt; false if this was the last.
    public async Task<bool> WaitAsync(CallOutcome outcome, RequestFlow flow, CancellationToken cancellationToken)
    {
        // A server that was not reached has seen no attempt: waiting for it counts as none.
        if (waitForReady && TransportFailure.IsDialFailure(outcome.Status.DebugException))
        {
            await channel.Redial.WaitAsync(cancellationToken).ConfigureAwait(false);
            return true;
        }

        if (policy is null)
        {
            return false;
        }

        if (!policy.RetryableStatusCodes.Contains(outcome.Status.StatusCode))
        {
            return false;
        }

        TimeSpan? pushback = ReadPushback(outcome.Trailers);
        if (!channel.Throttle.MayRetry() || attempts >= attemptsMax || pushback < TimeSpan.Zero || !flow.CanBeginAnew)
        {
            return false;
        }

        channel.Logger.CallRetried(attempts, outcome.Status.StatusCode);
        activity?.Retried(outcome.Status.StatusCode);
        attempts++;
        if (pushback is { } delay)
        {
            backoff.Reset();
            await Task.Delay(delay, channel.Options.Time, cancellationToken).ConfigureAwait(false);
        }
        else
        {
            await backoff.WaitAsync(cancellationToken: cancellationToken).ConfigureAwait(false);
        }

        return true;
    }

    // What the server says in place of our own backoff; negative, or no number: not to be tried again.
    private static TimeSpan? ReadPushback(Metadata trailers)
    {
        if (trailers.GetValue(HttpFields.RetryPushback) is not { } text)
        {
            return null;
        }

        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int milliseconds)
            ? TimeSpan.FromMilliseconds(milliseconds)
            : TimeSpan.FromMilliseconds(-1);
    }
}
