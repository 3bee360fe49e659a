using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace Squall.Faults;

/// <summary>A server in a process of its own, on a free port, which can be killed as by kill -9.</summary>
internal sealed class ServerProcess : IAsyncDisposable
{
    private const int SigTerm = 15;
    private const int SigStop = 19;

    // Where in its shared memory SQLite locks the log for a writer, from a transaction's begin to its commit's end.
    private const string WriteLockAt = "120";
    private static readonly TimeSpan StartMax = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(1);
    private readonly Process _process;

    private ServerProcess(Process process, Uri address)
    {
        _process = process;
        Address = address;
    }

    public Uri Address { get; }

    /// <summary>What of its memory is in the machine's.</summary>
    public long ResidentBytes
    {
        get
        {
            _process.Refresh();
            return _process.WorkingSet64;
        }
    }

    /// <summary>Starts the program whose arguments are given, and waits until it accepts calls.</summary>
    public static async Task<ServerProcess> StartAsync(
        string[] program, string folder, IReadOnlyDictionary<string, string>? environment = null)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["DOTNET_TieredPGO"] = "0"; // It does not live long enough to gain by what that measures.
        foreach ((string name, string value) in environment ?? new Dictionary<string, string>())
        {
            start.Environment[name] = value;
        }

        foreach (string argument in (string[])[.. program, "--http", "127.0.0.1:0", "--https", "off", "--data", folder])
        {
            start.ArgumentList.Add(argument);
        }

        Process process = Process.Start(start) ?? throw new InvalidOperationException("dotnet cannot be started.");
        Task<string> errors = process.StandardError.ReadToEndAsync();
        using var net = new CancellationTokenSource(StartMax);
        while (await process.StandardOutput.ReadLineAsync(net.Token) is { } line)
        {
            if (line.StartsWith("Listening on http://", StringComparison.Ordinal))
            {
                _ = process.StandardOutput.ReadToEndAsync(CancellationToken.None);
                return new ServerProcess(process, new Uri(line["Listening on ".Length..]));
            }
        }

        throw new InvalidOperationException($"The server did not start: {await errors}");
    }

    /// <summary>Asks for a stop that a process cannot refuse, and from which only a kill follows here.</summary>
    public void Stop() => SendSignal(SigStop);

    /// <summary>
    /// Waits until the process has stopped, every thread of it: it has done what it had done when it was told to.
    /// </summary>
    /// <returns>Whether it holds a transaction open.</returns>
    public async Task<bool> StoppedAsync(TimeProvider time)
    {
        while (!Directory.GetDirectories($"/proc/{_process.Id}/task").All(IsStopped))
        {
            await Task.Delay(Poll, time);
        }

        string process = _process.Id.ToString(CultureInfo.InvariantCulture);
        return File.ReadLines("/proc/locks")
            .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Any(held => held is [_, "POSIX", _, "WRITE", var owner, _, WriteLockAt, WriteLockAt] && owner == process);
    }

    /// <summary>kill -9: nothing in the process runs any more.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
    }

    /// <summary>SIGTERM, and its end.</summary>
    public async Task EndAsync()
    {
        SendSignal(SigTerm);
        await _process.WaitForExitAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            await KillAsync();
        }

        _process.Dispose();
    }

    private static bool IsStopped(string thread)
    {
        string stat = File.ReadAllText(Path.Combine(thread, "stat"));
        return stat[stat.LastIndexOf(')') + 2] == 'T';
    }

    private void SendSignal(int signal)
    {
        if (Kill(_process.Id, signal) != 0)
        {
            throw new InvalidOperationException("The server has ended by itself.");
        }
    }

    [DllImport("libc", EntryPoint = "kill", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Kill(int process, int signal);
}
