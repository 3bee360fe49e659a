using System.Globalization;
using Grpc.Core;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace Squall.Rpc;

/// The headers that Connect's unary calls and its streams share.
internal static class ConnectHeaders
{
    private const int TimeoutDigitsMax = 10;

    /// The protocol's version may be left out, so that plain curl can call; a wrong one is refused.
    public static void CheckVersion(StringValues version)
    {
        if (version.Count > 0 && version != "1")
        {
            throw Invalid(
                ErrorReasons.UnknownVersion, "The header connect-protocol-version has to be 1, or not to be there.");
        }
    }

    /// How long the caller gives the call; null: no matter how long.
    public static TimeSpan? ReadTimeout(IHeaderDictionary request)
    {
        StringValues timeout = request["connect-timeout-ms"];
        if (timeout.Count == 0)
        {
            return null;
        }

        return timeout is [{ Length: <= TimeoutDigitsMax } text]
            && long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long milliseconds)
                ? TimeSpan.FromMilliseconds(milliseconds)
                : throw Invalid(
                    ErrorReasons.InvalidTimeout,
                    $"The header connect-timeout-ms is one to {TimeoutDigitsMax} digits.");
    }

    public static RpcException Invalid(string reason, string message) =>
        Refusal.Of(new Status(StatusCode.InvalidArgument, message), reason);
}
