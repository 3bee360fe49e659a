using System.Diagnostics;

namespace Squall.Server.Tests;

/// <summary>A log that nobody reads.</summary>
public sealed class HostingLogTests : HostingPlace
{
    private const string Dropped = "dropped because of queue size limit";

    [Fact]
    public async Task Calls_are_answered_while_nobody_reads_standard_error_and_it_says_that_lines_were_dropped()
    {
        var start = new ProcessStartInfo("dotnet")
        {
            WorkingDirectory = Place,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        string[] args =
        [
            Path.Combine(AppContext.BaseDirectory, "Squall.Server.dll"), "--http", "localhost:0", "--https", "off",
            "--log-level", "trace",
        ];
        Array.ForEach(args, start.ArgumentList.Add);
        using var server = Process.Start(start)!;
        try
        {
            string listening = (await server.StandardOutput.ReadLineAsync().WaitAsync(HostingProcess.Net))!;
            using var client = new Client(new Uri(listening["Listening on ".Length..]));
            for (int call = 0; call < 3_000; call += 100)
            {
                await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => Assert.ThrowsAnyAsync<Exception>(
                    async () => await client.Accounts.GetAccountAsync(new())))).WaitAsync(HostingProcess.Net);
            }

            // There were more than it keeps: else nothing was shown.
            string? line;
            do
            {
                line = await server.StandardError.ReadLineAsync().WaitAsync(HostingProcess.Net);
                Assert.NotNull(line);
            }
            while (!line.Contains(Dropped, StringComparison.Ordinal));
        }
        finally
        {
            server.Kill();
            await server.WaitForExitAsync();
        }
    }
}
