using Grpc.Core;

namespace Squall.Client;

/// <summary>What one call asks for beside its arguments.</summary>
public sealed record CallSettings
{
    /// <summary>
    /// How long it may take with all its retries. Null: as the client's options say. Timeout.InfiniteTimeSpan: for as
    /// long as the server lets it.
    /// </summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>
    /// The UUID under which a change takes effect once, however often it is called; give one to repeat a call after a
    /// crash. Null: the client makes one, for its own retries.
    /// </summary>
    public string? RequestId { get; init; }

    /// <summary>Metadata that is sent with the call; an authorization in it takes the place of the client's.</summary>
    public IReadOnlyDictionary<string, string>? Headers { get; init; }

    /// <summary>Settings with a request id alone.</summary>
    public static CallSettings ForRequest(string requestId) => new() { RequestId = requestId };

    internal static CallOptions Options(
        CallSettings? settings, TimeProvider time, CancellationToken cancellationToken)
    {
        var deadline = settings?.Timeout is { } timeout ? Deadline(time, timeout) : (DateTime?)null;
        Metadata? headers = null;
        if (settings?.Headers is { } given)
        {
            headers = [.. given.Select(header => new Metadata.Entry(header.Key, header.Value))];
        }

        return new CallOptions(headers, deadline, cancellationToken);
    }

    /// <summary>When a time is over that begins now; DateTime.MaxValue: never.</summary>
    internal static DateTime Deadline(TimeProvider time, TimeSpan timeout)
    {
        var now = time.GetUtcNow().UtcDateTime;
        return timeout != System.Threading.Timeout.InfiniteTimeSpan && timeout < DateTime.MaxValue - now
            ? now + (timeout > TimeSpan.Zero ? timeout : TimeSpan.Zero)
            : DateTime.MaxValue;
    }
}
