using System.Globalization;
using Microsoft.Extensions.Logging;
using Squall.Server;

namespace Squall.Bench;

/// <summary>The server as it is shipped, in a process that also tells what its heap holds.</summary>
internal static class WholeServer
{
    public static async Task<int> RunAsync(string data)
    {
        var options = new ServerOptions
        {
            Http = HostPort.Localhost(0),
            Https = null,
            DirectoryPath = data,
            LogLevel = LogLevel.Warning,
        };
        options.Limits.AccountSubscriptionsMax = 10_000;
        await using SquallServer server = await SquallServer.StartAsync(options);
        await Console.Out.WriteLineAsync($"Listening on {server.Addresses[0]}");
        while (await Console.In.ReadLineAsync() is not null)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            long heap = GC.GetTotalMemory(forceFullCollection: true);
            await Console.Out.WriteLineAsync(heap.ToString(CultureInfo.InvariantCulture));
        }

        return 0;
    }
}
