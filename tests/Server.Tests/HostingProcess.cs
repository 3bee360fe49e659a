using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Squall.Server.Tests;

/// <summary>The server as a program of its own, with a working directory of its own that goes with it.</summary>
internal sealed class HostingProcess : IDisposable
{
    public const int Interrupt = 2;
    public const int Terminate = 15;
    public static readonly TimeSpan Net = TimeSpan.FromSeconds(60);

    private readonly Process _process;
    private readonly ConcurrentQueue<string> _output = new();
    private readonly ConcurrentQueue<string> _errors = new();
    private readonly TaskCompletionSource _told = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private HostingProcess(string directory, string[] args, (string Name, string Value)[] environment)
    {
        var start = new ProcessStartInfo("dotnet")
        {
            WorkingDirectory = directory,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "Squall.Server.dll"));
        Array.ForEach(args, start.ArgumentList.Add);
        Array.ForEach(environment, pair => start.Environment[pair.Name] = pair.Value);
        _process = new Process { StartInfo = start, EnableRaisingEvents = true };
        _process.OutputDataReceived += (_, line) => Take(line.Data);
        _process.ErrorDataReceived += (_, line) => _errors.Enqueue(line.Data ?? "");
        _process.Exited += (_, _) => _told.TrySetResult();
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    public int ExitCode => _process.ExitCode;

    public IReadOnlyList<string> Output => [.. _output];

    public IReadOnlyList<string> Errors => [.. _errors.Where(line => line.Length > 0)];

    /// <summary>The addresses that it says it listens on.</summary>
    public IReadOnlyList<Uri> Addresses =>
    [
        .. _output.Where(line => line.StartsWith("Listening on ", StringComparison.Ordinal))
            .Select(line => new Uri(line["Listening on ".Length..])),
    ];

    /// <summary>Starts it on free ports of loopback, unless told otherwise, and waits until it has said all.</summary>
    public static async Task<HostingProcess> ServeAsync(
        string directory, string[]? args = null, params (string Name, string Value)[] environment)
    {
        HostingProcess server = Start(directory, [.. Free(args ?? [])], environment);
        await server._told.Task.WaitAsync(Net);
        Assert.False(server._process.HasExited, string.Join('\n', server.Errors));
        return server;
    }

    /// <summary>Starts it as it is told, and waits until it has ended.</summary>
    public static async Task<HostingProcess> EndAsync(
        string directory, string[] args, params (string Name, string Value)[] environment)
    {
        HostingProcess server = Start(directory, args, environment);
        await server.ExitAsync();
        return server;
    }

    /// <summary>Starts it as it is told, and waits until it has come as far as the test wants it.</summary>
    public static async Task<HostingProcess> BeginAsync(string directory, string[] args, Task until)
    {
        HostingProcess server = Start(directory, args, []);
        await until.WaitAsync(Net);
        return server;
    }

    public async Task<int> StopAsync(int signal = Terminate)
    {
        Send(signal);
        return await ExitAsync();
    }

    public void Send(int signal) => Assert.Equal(0, SendSignal(_process.Id, signal));

    public async Task<int> KillAsync()
    {
        _process.Kill();
        return await ExitAsync();
    }

    public async Task<int> ExitAsync()
    {
        using var net = new CancellationTokenSource(Net);
        await _process.WaitForExitAsync(net.Token);
        return _process.ExitCode;
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
        }

        _process.Dispose();
    }

    private static HostingProcess Start(string directory, string[] args, (string, string)[] environment) =>
        new(directory, args, environment);

    private static IEnumerable<string> Free(string[] args)
    {
        string[] given = args.Contains("--http") ? args : ["--http", "localhost:0", .. args];
        return given.Contains("--https") ? given : ["--https", "off", .. given];
    }

    private void Take(string? line)
    {
        if (line is null)
        {
            return;
        }

        _output.Enqueue(line);
        if (line.StartsWith("Try: ", StringComparison.Ordinal))
        {
            _told.TrySetResult();
        }
    }

    [DllImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static extern int SendSignal(int process, int signal);
}
