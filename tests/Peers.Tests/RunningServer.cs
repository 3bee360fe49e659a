using System.Diagnostics;
using System.Text;

namespace Squall.Peers.Tests;

/// <summary>A server in a process of its own, on a free port, with a data directory that goes with it.</summary>
public sealed class RunningServer : IAsyncLifetime
{
    // A net under a server that does not start; in a fresh clone it is restored and built first.
    private static readonly TimeSpan StartMax = TimeSpan.FromMinutes(8);

    private readonly string _data = Directory.CreateTempSubdirectory("squall-peers-").FullName;
    private readonly string[] _options;
    private Process? _process;

    public RunningServer()
        : this([])
    {
    }

    /// <summary>A server with options beyond those that every one of them needs.</summary>
    internal RunningServer(params string[] options) => _options = options;

    public Uri Address { get; private set; } = new("http://localhost");

    /// <summary>Where it speaks TLS, with a certificate that it made for itself.</summary>
    public Uri SecureAddress { get; private set; } = new("https://localhost");

    public string Certificate => Path.Combine(_data, "certificate.pem");

    /// <summary>HOST:PORT, as gRPC's clients write it.</summary>
    public string Target => Address.Authority;

    public async Task InitializeAsync()
    {
        (_process, var addresses) = await StartAsync(
            Repository.Root, "dotnet", [
                "run", "--no-build", "--configuration", Repository.Configuration, "--project", "src/Server", "--",
                "--http", "127.0.0.1:0", "--https", "127.0.0.1:0", "--data", _data,
                "--log-level", "trace", .. _options]);
        Address = addresses["http"];
        SecureAddress = addresses["https"];
    }

    public Task DisposeAsync()
    {
        _process?.Kill(entireProcessTree: true);
        _process?.WaitForExit();
        _process?.Dispose();
        Directory.Delete(_data, recursive: true);
        return Task.CompletedTask;
    }

    /// <summary>Starts a server, and reads its output until it has said where it listens, by which scheme.</summary>
    internal static async Task<(Process Process, IReadOnlyDictionary<string, Uri> Addresses)> StartAsync(
        string folder, string program, params string[] arguments)
    {
        var process = Command.Start(folder, program, arguments);
        var errors = Secrets.HearAsync(process.StandardError);
        const string Beginning = "Listening on ";
        var addresses = new Dictionary<string, Uri>();
        var output = new StringBuilder();
        string? line;
        while ((line = await process.StandardOutput.ReadLineAsync().WaitAsync(StartMax)) is not null)
        {
            output.AppendLine(line);
            if (line.StartsWith(Beginning, StringComparison.Ordinal))
            {
                var address = new Uri(line[Beginning.Length..]);
                addresses.TryAdd(address.Scheme, address);
            }
            else if (addresses.Count > 0)
            {
                // From here on, what it says is of no interest, but must not fill the pipe.
                _ = process.StandardOutput.BaseStream.CopyToAsync(Stream.Null);
                return (process, addresses);
            }
        }

        await process.WaitForExitAsync();
        throw new InvalidOperationException($"The server ended instead of listening:\n{output}{await errors}");
    }
}

/// <summary>The tests that share one server.</summary>
[CollectionDefinition(Name)]
public sealed class WithServer : ICollectionFixture<RunningServer>
{
    public const string Name = "with a server";
}
