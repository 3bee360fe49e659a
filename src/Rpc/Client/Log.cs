using Grpc.Core;
using Microsoft.Extensions.Logging;

namespace Grpc.Net.Client;

internal static partial class Log
{
    [LoggerMessage(1, LogLevel.Debug, "A call ended with {Code}: {Detail}")]
    public static partial void CallFailed(this ILogger logger, StatusCode code, string detail);

    [LoggerMessage(2, LogLevel.Debug, "Attempt {Attempt} ended with {Code}; the call is tried again")]
    public static partial void CallRetried(this ILogger logger, int attempt, StatusCode code);

    [LoggerMessage(3, LogLevel.Information, "The server finds our pings too many; from now on they are {Delay} apart")]
    public static partial void PingsTooMany(this ILogger logger, TimeSpan delay);
}
