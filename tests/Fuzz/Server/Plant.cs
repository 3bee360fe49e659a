using Grpc.Core;
using Squall.Fuzz.V1;

namespace Squall.Fuzz;

/// <summary>A fault that a control plants around the server; the unchanged run must find it.</summary>
internal enum Plant
{
    None,

    /// <summary>Some input makes the handler throw.</summary>
    Throws,

    /// <summary>Some input is told to be the server's own fault, without a trace in its log.</summary>
    Blames,

    /// <summary>Something is kept of each request.</summary>
    Leaks,

    /// <summary>Some input is never answered.</summary>
    Hangs,

    /// <summary>Some input ends the process.</summary>
    Crashes,

    /// <summary>A request is served on after its caller has reset it.</summary>
    Holds,

    /// <summary>A failure in work that nobody waits for.</summary>
    Forgets,
}

/// <summary>Does what the plant says, to about every fiftieth message.</summary>
internal sealed class Planted(Plant plant)
{
    private const int LeakBytes = 16 * 1024;
    private const int Every = 50;
    private static readonly List<byte[]> Kept = [];
    private int _messages;

    public void Harm(Mixed request)
    {
        _ = request;
        if (plant == Plant.None || Interlocked.Increment(ref _messages) % Every != 0)
        {
            return;
        }

        switch (plant)
        {
            case Plant.Throws:
                throw new InvalidOperationException("The planted fault.");
            case Plant.Blames:
                throw new RpcException(new Status(StatusCode.Internal, "The planted fault."));
            case Plant.Leaks:
                lock (Kept)
                {
                    Kept.Add(new byte[Every * LeakBytes]);
                }

                break;
            case Plant.Crashes:
                Environment.FailFast("The planted crash.");
                break;
            case Plant.Forgets:
                _ = Task.Run(() => throw new InvalidOperationException("The planted fault."));
                break;
        }
    }

    /// <summary>Whether a request that is reset is served on.</summary>
    public bool HoldsOn => plant == Plant.Holds;

    /// <summary>Whether a request is never answered.</summary>
    public bool Swallows() => plant == Plant.Hangs && Interlocked.Increment(ref _messages) % Every == 0;
}
