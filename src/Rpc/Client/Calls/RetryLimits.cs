using Grpc.Net.Client.Configuration;

namespace Grpc.Net.Client;

/// Bounds what streaming calls keep of their requests for further attempts.
internal sealed class RetryBuffer(long? bytesMax, long? callBytesMax)
{
    private long taken;

    public long Taken => Interlocked.Read(ref taken);

    /// False if it would be too much, for this call, which keeps some already, or for the channel.
    public bool TryTake(long callBytes, long bytes)
    {
        if (callBytes + bytes > (callBytesMax ?? long.MaxValue))
        {
            return false;
        }

        if (Interlocked.Add(ref taken, bytes) > (bytesMax ?? long.MaxValue))
        {
            Return(bytes);
            return false;
        }

        return true;
    }

    public void Return(long bytes) => Interlocked.Add(ref taken, -bytes);
}

/// Stops a channel from trying again where most of its calls fail: what is overloaded is not helped by more of them.
internal sealed class RetryThrottle(RetryThrottlingPolicy? policy)
{
    private readonly Lock gate = new();
    private readonly double max = policy?.MaxTokens ?? 0;
    private double tokens = policy?.MaxTokens ?? 0;

    public void Succeeded()
    {
        if (policy is not null)
        {
            lock (gate)
            {
                tokens = Math.Min(tokens + policy.TokenRatio!.Value, max);
            }
        }
    }

    /// Counts a failure; false if nothing is to be tried again for now.
    public bool MayRetry()
    {
        if (policy is null)
        {
            return true;
        }

        lock (gate)
        {
            tokens = Math.Max(tokens - 1, 0);
            return tokens > max / 2;
        }
    }
}
