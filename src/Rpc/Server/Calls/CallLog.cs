using Microsoft.Extensions.Logging;

namespace Squall.Rpc;

internal static partial class CallLog
{
    [LoggerMessage(4, LogLevel.Debug, "The end of call {Method} could not be told to its caller.")]
    public static partial void EndNotTold(ILogger log, Exception exception, string method);
}
