using System.Diagnostics;
using System.Globalization;
using Squall.V1;

namespace Squall.Bench;

/// <summary>What the runtime's streams cost, beside an endpoint that writes frames that were made once.</summary>
internal sealed class StreamBench(H2Load load, Rounds rounds)
{
    private const string Ours = "streams";
    private const string Floor = "frames";
    private const string MessageBytes = "200";
    private static readonly SayHelloRequest Request = new() { Name = "bench" };

    public async Task RunAsync()
    {
        await CountAsync();
        foreach (int streams in rounds.IsSmoke ? (int[])[1_000] : [1_000, 10_000])
        {
            await FanOutAsync(streams);
        }
    }

    /// <summary>Has a server send to all streams that are open.</summary>
    public static async Task<Measurement> SendAsync(ServerProcess server)
    {
        double[] told = await server.AskAsync("send");
        return new Measurement(
            (long)told[0], TimeSpan.FromMilliseconds(told[1]), TimeSpan.FromMilliseconds(told[2]));
    }

    private static Task<ServerProcess> StartAsync(string kind) => ServerProcess.StartAsync(
        "Squall.Bench.dll", kind, MessageBytes);

    private async Task CountAsync()
    {
        await using ServerProcess ours = await StartAsync(Ours);
        await using ServerProcess floor = await StartAsync(Floor);
        Measure Of(ServerProcess server, string path) => duration => load.MeasureAsync(
            server, path, Request, StreamServer.Small, 8, 4, duration, messages: StreamServer.CountMessages);
        (string, Measure) frames = ("frames made once", Of(floor, StreamServer.CountPath));
        await rounds.RunAsync("Stream of 1,000", Of(ours, StreamServer.CountPath), frames);
        await rounds.RunAsync("Stream of 1,000, buffered", Of(ours, StreamServer.BufferedPath), frames);
        await rounds.NoteAsync(
            "Allocated bytes a unary call, beyond the bare endpoint's (at most 1,536)",
            async () => await AllocatedAsync(ours) - await AllocatedAsync(floor));
    }

    private async Task<double> AllocatedAsync(ServerProcess server)
    {
        double before = (await server.AskAsync("allocated"))[0];
        Measurement calls = await load.MeasureAsync(
            server, StreamServer.SayPath, Request, StreamServer.Small, 8, 32, rounds.Duration);
        return ((await server.AskAsync("allocated"))[0] - before) / calls.Calls;
    }

    private async Task FanOutAsync(int streams)
    {
        string count = streams.ToString("N0", CultureInfo.InvariantCulture);
        await using Open ours = await OpenAsync(Ours, streams);
        await using Open floor = await OpenAsync(Floor, streams);
        await rounds.RunAsync(
            $"Fan-out to {count}", _ => ours.SendAsync(), ("frames made once", _ => floor.SendAsync()));
        await rounds.NoteAsync(
            $"Heap bytes an idle stream, of {count}, beyond the bare stream's (at most 3,072)",
            () => Task.FromResult(ours.HeapBytesEach - floor.HeapBytesEach));
    }

    private async Task<Open> OpenAsync(string kind, int streams)
    {
        ServerProcess server = await StartAsync(kind);
        double before = (await server.AskAsync("heap"))[0];
        Process clients = await load.HoldAsync(server, StreamServer.ListenPath, Request, streams);
        double after = (await server.AskAsync("heap"))[0];
        return new Open(server, clients, (after - before) / streams);
    }

    /// <summary>A server with streams that are open, and those who hold them.</summary>
    private sealed record Open(ServerProcess Server, Process Clients, double HeapBytesEach) : IAsyncDisposable
    {
        /// <summary>A second of it, as the server itself has measured.</summary>
        public Task<Measurement> SendAsync() => StreamBench.SendAsync(Server);

        public async ValueTask DisposeAsync()
        {
            await Server.AskAsync("end");
            await Clients.WaitForExitAsync();
            Clients.Dispose();
            await Server.DisposeAsync();
        }
    }
}
