using Google.Protobuf.WellKnownTypes;
using Grpc.Core;

namespace Squall.Server;

/// <summary>Times in requests: within 1970 to 9999.</summary>
internal static class Times
{
    private const long SecondsMax = 253_402_300_799;
    private const int NanosMax = 999_999_999;

    /// <exception cref="RpcException">INVALID_ARGUMENT.</exception>
    public static void Check(string field, Timestamp? time)
    {
        if (time is not null && (time.Seconds is < 0 or > SecondsMax || time.Nanos is < 0 or > NanosMax))
        {
            throw Fault.Field(field, "TIME_RANGE", "must be a time within the years 1970 to 9999");
        }
    }
}
