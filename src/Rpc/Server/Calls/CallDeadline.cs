using Grpc.Core;

namespace Squall.Rpc;

/// <summary>Lets a handler bound its own time.</summary>
public static class CallDeadline
{
    /// <summary>Bounds the call from now on, unless its caller has set a deadline.</summary>
    public static void SetDefaultDeadline(this ServerCallContext context, TimeSpan timeout)
    {
        if (context is ServerCall { HasDefaultDeadline: true } call)
        {
            call.Rebound(timeout);
        }
    }
}
