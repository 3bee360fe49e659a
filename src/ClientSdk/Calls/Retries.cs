using System.Globalization;
using Grpc.Core;

namespace Squall.Client;

/// <summary>Which failures are worth another attempt, and when.</summary>
internal static class Retries
{
    private const string Pushback = "grpc-retry-pushback-ms";

    /// <summary>How long to wait before the next attempt; null: there is to be none.</summary>
    public static TimeSpan? Delay(RpcException e, bool isRepeatable, Backoff backoff)
    {
        if (!IsWorthIt(e, isRepeatable, out var least))
        {
            return null;
        }

        if (e.Trailers.GetValue(Pushback) is { } pushback)
        {
            var isGiven = int.TryParse(pushback, NumberStyles.None, CultureInfo.InvariantCulture, out var milliseconds);
            return isGiven ? TimeSpan.FromMilliseconds(milliseconds) : null;
        }

        // Spread beyond what the server asks for, or all who were told the same come back at once.
        return least + backoff.Next();
    }

    private static bool IsWorthIt(RpcException e, bool isRepeatable, out TimeSpan least)
    {
        var asked = Refusals.RetryAfter(e.GetRpcStatus());
        least = asked ?? TimeSpan.Zero;
        return e.StatusCode switch
        {
            StatusCode.Unavailable => isRepeatable || WasNotSent(e),
            StatusCode.ResourceExhausted or StatusCode.Aborted => isRepeatable && asked is not null,
            _ => false,
        };
    }

    /// <summary>No connection, so nothing can have happened.</summary>
    private static bool WasNotSent(RpcException e) => e.Status.DebugException is HttpRequestException
    {
        HttpRequestError: HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError,
    };
}
