using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace Squall.Cli.Tests;

/// <summary>A squall that runs, line by line.</summary>
internal sealed class Live(Process process) : IAsyncDisposable
{
    public const int Interrupt = 2;
    public const int Terminate = 15;

    public int Id => process.Id;

    /// <summary>The next line of output, whenever it comes.</summary>
    public Task<string> LineAsync() => NextAsync(process.StandardOutput);

    /// <summary>The next line of standard error.</summary>
    public Task<string> ErrorAsync() => NextAsync(process.StandardError);

    /// <summary>The next line of output, as JSON.</summary>
    public async Task<JsonElement> JsonAsync() => JsonDocument.Parse(await LineAsync()).RootElement;

    /// <summary>The next event of this name, past others.</summary>
    public async Task<JsonElement> EventAsync(string name)
    {
        while (true)
        {
            var json = await JsonAsync();
            if (json.GetProperty("event").GetString() == name)
            {
                return json;
            }
        }
    }

    /// <summary>Sends a signal, and gives what is left of the output and the exit code.</summary>
    public async Task<Ran> StopAsync(int signal = Interrupt)
    {
        Assert.Equal(0, SendSignal(process.Id, signal));
        return await EndAsync();
    }

    public async Task<Ran> EndAsync()
    {
        using var net = new CancellationTokenSource(Ran.Net);
        var output = process.StandardOutput.ReadToEndAsync(net.Token);
        var errors = process.StandardError.ReadToEndAsync(net.Token);
        await process.WaitForExitAsync(net.Token);
        return new Ran(process.ExitCode, await output, await errors);
    }

    public async ValueTask DisposeAsync()
    {
        process.Kill();
        await process.WaitForExitAsync();
        process.Dispose();
    }

    private static async Task<string> NextAsync(StreamReader reader)
    {
        using var net = new CancellationTokenSource(Ran.Net);
        var line = await reader.ReadLineAsync(net.Token);
        Assert.NotNull(line);
        return line;
    }

    [DllImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static extern int SendSignal(int process, int signal);
}
