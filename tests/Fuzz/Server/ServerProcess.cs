using System.Diagnostics;
using System.Globalization;
using System.Net;

namespace Squall.Fuzz;

/// <summary>The server ended without having been told to.</summary>
internal sealed class ServerEndedException(string message) : Exception(message);

/// <summary>The server in its own process, which can be asked how it is and whether it lives.</summary>
internal sealed class ServerProcess : IAsyncDisposable
{
    private const int BytesPerKilobyte = 1024;

    // How much garbage there is before it is collected; by itself that depends on the machine.
    private const int Gen0Bytes = 4 * 1024 * 1024;
    private static readonly TimeSpan AnswerMax = TimeSpan.FromSeconds(60);
    private readonly Process _process;
    private readonly Task<string> _said;
    private readonly SemaphoreSlim _turn = new(1, 1);

    private ServerProcess(Process process, Task<string> said, Uri address)
    {
        (_process, _said, Address) = (process, said, address);
    }

    public Uri Address { get; }

    public IPEndPoint EndPoint => new(IPAddress.Loopback, Address.Port);

    public bool HasEnded => _process.HasExited;

    /// <summary>All memory that the process holds, or has held at most since the peak was last forgotten.</summary>
    public long ResidentBytes => Status("VmRSS:");

    public long PeakBytes => Status("VmHWM:");

    /// <param name="arguments">Of the server.</param>
    /// <param name="heapBytesMax">What its managed heap may take, garbage included; past that it fails.</param>
    public static async Task<ServerProcess> StartAsync(string[] arguments, long? heapBytesMax = null)
    {
        string program = Path.Combine(AppContext.BaseDirectory, "Squall.Fuzz.dll");
        var start = new ProcessStartInfo("dotnet", [program, "serve", .. arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        if (heapBytesMax is { } most)
        {
            start.Environment["DOTNET_GCHeapHardLimit"] = most.ToString("x", CultureInfo.InvariantCulture);
            start.Environment["DOTNET_GCgen0size"] = Gen0Bytes.ToString("x", CultureInfo.InvariantCulture);
        }

        Process process = Process.Start(start) ?? throw new InvalidOperationException("dotnet cannot be started.");
        Task<string> said = process.StandardError.ReadToEndAsync();
        using var net = new CancellationTokenSource(AnswerMax);
        string? line = await process.StandardOutput.ReadLineAsync(net.Token);
        return line?.StartsWith(FuzzServer.Listening, StringComparison.Ordinal) == true
            ? new ServerProcess(process, said, new Uri(line[FuzzServer.Listening.Length..]))
            : throw new InvalidOperationException($"The server did not start: {await said}");
    }

    /// <summary>How it is; with its garbage collected, if that is asked for.</summary>
    public async Task<ServerState> AskAsync(bool collect = false)
    {
        using var net = new CancellationTokenSource(AnswerMax);
        await _turn.WaitAsync(net.Token);
        try
        {
            await _process.StandardInput.WriteLineAsync((collect ? FuzzServer.Collect : "").AsMemory(), net.Token);
            await _process.StandardInput.FlushAsync(net.Token);
            return await _process.StandardOutput.ReadLineAsync(net.Token) is { } line
                ? ServerState.FromJson(line)
                : throw new IOException("It has closed its output.");
        }
        catch (IOException) when (!net.IsCancellationRequested)
        {
            await _process.WaitForExitAsync(net.Token);
            throw new ServerEndedException($"The server has ended: {await SaidAsync()}");
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>From here on its peak is counted anew.</summary>
    public void ForgetPeak() => File.WriteAllText($"/proc/{_process.Id}/clear_refs", "5");

    /// <summary>Whether it ends, if it has not: a process that falls takes a moment.</summary>
    public async Task<bool> EndsAsync()
    {
        using var soon = new CancellationTokenSource(TimeSpan.FromSeconds(3));
        await _process.WaitForExitAsync(soon.Token).ContinueWith(_ => { }, TaskScheduler.Default);
        return _process.HasExited;
    }

    /// <summary>The first lines of what it wrote to its standard error.</summary>
    private async Task<string> SaidAsync()
    {
        const int LinesMax = 12;
        return string.Join('\n', (await _said).Split('\n').Take(LinesMax));
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
        }

        await _process.WaitForExitAsync();
        _process.Dispose();
        _turn.Dispose();
    }

    private long Status(string name)
    {
        string line = File.ReadLines($"/proc/{_process.Id}/status")
            .First(line => line.StartsWith(name, StringComparison.Ordinal));
        string kilobytes = line[name.Length..].Trim().Split(' ')[0];
        return long.Parse(kilobytes, CultureInfo.InvariantCulture) * BytesPerKilobyte;
    }
}
