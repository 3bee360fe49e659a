namespace Squall.Fuzz;

/// <summary>One way to ask more of a server than is one's share.</summary>
/// <param name="Options">Of the server.</param>
/// <param name="BoundBytes">By how much its memory may grow: the sum of what its options bound.</param>
/// <param name="Bound">How that is reckoned.</param>
/// <param name="Pour">Does it, and says how it went; what the server should have refused and did not, throws.</param>
internal sealed record Flood(
    string Name, string[] Options, long BoundBytes, string Bound, Func<FloodTarget, Task<string>> Pour);

/// <summary>The server that a flood is poured on.</summary>
internal sealed record FloodTarget(ServerProcess Server, TimeProvider Time)
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(100);

    /// <summary>Waits until so many requests are open, or no more come.</summary>
    public async Task<int> OpenAsync(int wanted, TimeSpan max)
    {
        int most = 0;
        await UntilAsync(open => (most = Math.Max(most, open)) >= wanted, max);
        return most;
    }

    /// <summary>Waits until none is.</summary>
    public Task<bool> QuietAsync(TimeSpan max) => UntilAsync(open => open == 0, max);

    private async Task<bool> UntilAsync(Func<int, bool> enough, TimeSpan max)
    {
        long begun = Time.GetTimestamp();
        while (!enough((await Server.AskAsync()).OpenRequests.Length))
        {
            if (Time.GetElapsedTime(begun) > max)
            {
                return false;
            }

            await Task.Delay(Poll, Time);
        }

        return true;
    }
}

/// <summary>What a server did under a flood.</summary>
/// <param name="Faults">Promises that it broke.</param>
internal sealed record FloodResult(
    Flood Flood, string How, long GrownBytes, string Healthy, IReadOnlyList<string> Faults)
{
    private const double BytesPerMegabyte = 1024 * 1024;
    private const int WarmCalls = 100;
    private const int CallsAfter = 3;

    // What the managed heap may hold besides, whatever the flood: what it does at rest, and garbage.
    private const long HeapBytes = 64 * 1024 * 1024;

    // What the whole process may: that heap, compiled code, threads and sockets.
    private const long ProcessBytes = 96 * 1024 * 1024;

    /// <summary>What is added to the bounds.</summary>
    public static string Process => $"{ProcessBytes / BytesPerMegabyte:N0} MiB for all else in the process";

    public string Grown => $"{GrownBytes / BytesPerMegabyte:N0} of {GrowthMax / BytesPerMegabyte:N0} MiB";

    private long GrowthMax => Flood.BoundBytes + ProcessBytes;

    /// <summary>Pours the flood on a server of its own, beside a healthy client.</summary>
    public static async Task<FloodResult> OfAsync(Flood flood, TimeProvider time)
    {
        List<string> faults = [];
        await using ServerProcess server = await ServerProcess.StartAsync(
            flood.Options, HeapBytes + flood.BoundBytes);
        await using var healthy = new HealthyClient(server.Address, time);
        await healthy.CallsAsync(WarmCalls);
        await server.AskAsync(collect: true);
        server.ForgetPeak();
        long before = server.ResidentBytes;
        string how = "";
        try
        {
            how = await flood.Pour(new FloodTarget(server, time));
        }
        catch (FloodException broken)
        {
            faults.Add(broken.Message);
        }

        long grown = server.PeakBytes - before;
        int calls = healthy.Calls;
        await healthy.CallsAsync(calls + CallsAfter);
        string said = await healthy.EndAsync();
        ServerState after = await server.AskAsync();
        faults.AddRange(healthy.Failures.Select(failure => $"the healthy client failed: {failure}"));
        faults.AddRange(after.Different.Select(error => $"an error was logged: {error}"));
        var result = new FloodResult(flood, how, grown, said, faults);
        if (grown > result.GrowthMax)
        {
            faults.Add($"memory has grown by {result.Grown}");
        }

        return result;
    }
}

/// <summary>The server did not do what was promised.</summary>
internal sealed class FloodException(string message) : Exception(message);
