using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Squall.Server;
using SQLitePCL;

namespace Squall.Faults;

/// <summary>
/// The power cut's control: the server, whose log is synced only when it is copied into the database.
/// </summary>
internal static class LaxServer
{
    public static async Task<int> RunAsync(string[] args)
    {
        ServerOptions options =
            OptionReader.Read(args, Environment.GetEnvironmentVariables(), AppContext.BaseDirectory);
        await using SquallServer server = await SquallServer.StartAsync(options);
        sqlite3 writer = await server.Services.GetRequiredService<Journal>().RunAsync(
            scope => ((SqliteConnection)scope.Db.Database.GetDbConnection()).Handle!, null, 0, CancellationToken.None);

        // Not within a change, whose transaction holds it fast; the server's own may still be ending.
        while (raw.sqlite3_exec(writer, "PRAGMA synchronous = NORMAL") != raw.SQLITE_OK)
        {
            await Task.Yield();
        }

        await Console.Out.WriteLineAsync($"Listening on {server.Addresses[0]}");
        await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, server.Failed)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return 0;
    }
}
