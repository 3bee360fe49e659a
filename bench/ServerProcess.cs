using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace Squall.Bench;

/// <summary>A server in a process of its own, with the CPU time that it has taken.</summary>
internal sealed class ServerProcess : IAsyncDisposable
{
    // How Linux numbers the clock of another process: its id's complement, and which of its clocks.
    private const int ClockOfProcess = 2;
    private readonly Process _process;

    private ServerProcess(Process process, Uri address)
    {
        _process = process;
        Address = address;
    }

    public Uri Address { get; }

    /// <summary>In user and system mode, as the kernel has counted it: to the nanosecond, which /proc rounds.</summary>
    public TimeSpan Cpu => ClockGetTime((~_process.Id << 3) | ClockOfProcess, out KernelTime time) == 0
        ? TimeSpan.FromSeconds(time.Seconds) + TimeSpan.FromMicroseconds(time.Nanoseconds / 1e3)
        : throw new InvalidOperationException("The server has ended.");

    /// <summary>Starts a program of ours, and waits until it says where it listens.</summary>
    public static Task<ServerProcess> StartAsync(string program, params string[] arguments) =>
        StartAsync(new Dictionary<string, string>(), program, arguments);

    /// <param name="environment">What it finds there besides.</param>
    public static async Task<ServerProcess> StartAsync(
        IReadOnlyDictionary<string, string> environment, string program, params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, program), .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardInput = true,
        };
        foreach ((string name, string value) in environment)
        {
            start.Environment[name] = value;
        }

        Process process = Process.Start(start)!;
        while (await process.StandardOutput.ReadLineAsync() is { } line)
        {
            if (line.StartsWith("Listening on http://", StringComparison.Ordinal))
            {
                return new ServerProcess(process, new Uri(line["Listening on ".Length..]));
            }
        }

        throw new InvalidOperationException($"{program} did not start.");
    }

    /// <summary>Has a server that takes commands do something, and returns what it says of it.</summary>
    public async Task<double[]> AskAsync(string command)
    {
        await _process.StandardInput.WriteLineAsync(command);
        await _process.StandardInput.FlushAsync();
        string said = await _process.StandardOutput.ReadLineAsync()
            ?? throw new InvalidOperationException($"The server ended at {command}.");
        return [.. said.Split(' ').Select(word => double.Parse(word, CultureInfo.InvariantCulture))];
    }

    public void Kill() => _process.Kill();

    public async ValueTask DisposeAsync()
    {
        Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    [DllImport("libc", EntryPoint = "clock_gettime")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int ClockGetTime(int clock, out KernelTime time);

    [StructLayout(LayoutKind.Sequential)]
    private struct KernelTime
    {
        public nint Seconds;
        public nint Nanoseconds;
    }
}
