using System.Diagnostics;

namespace Squall.Cli.Tests;

/// <summary>A server as a program of its own, with data that goes with it; it can come back where it was.</summary>
public sealed class ServerProcess : IAsyncLifetime
{
    private readonly string _data = Directory.CreateTempSubdirectory("squall-cli-server-").FullName;
    private Process? _process;
    private Task<string> _errors = Task.FromResult("");

    /// <summary>Whether it listens over TLS as well, with a certificate that it makes for itself.</summary>
    public bool WithTls { get; init; }

    public Uri Address { get; private set; } = new("http://127.0.0.1:0");

    public Uri TlsAddress { get; private set; } = new("https://127.0.0.1:0");

    public string CertificatePath => Path.Combine(_data, "certificate.pem");

    public Task InitializeAsync() => StartAsync();

    public async Task DisposeAsync()
    {
        await StopAsync();
        Directory.Delete(_data, recursive: true);
    }

    /// <summary>Starts it, at the address that it had before, and waits until it accepts calls.</summary>
    public async Task StartAsync()
    {
        var start = new ProcessStartInfo("dotnet")
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            ArgumentList =
            {
                Path.Combine(AppContext.BaseDirectory, "Squall.Server.dll"), "--http", Address.Authority,
                "--https", WithTls ? TlsAddress.Authority : "off", "--data", _data,
                "--log-level", "trace",
            },
        };
        _process = Process.Start(start)!;
        _errors = Secrets.HearAsync(_process.StandardError);
        using var net = new CancellationTokenSource(Ran.Net);
        while (await _process.StandardOutput.ReadLineAsync(net.Token) is { } line)
        {
            if (line.StartsWith("Listening on https", StringComparison.Ordinal))
            {
                TlsAddress = new Uri(line["Listening on ".Length..]);
            }
            else if (line.StartsWith("Listening on ", StringComparison.Ordinal))
            {
                Address = new Uri(line["Listening on ".Length..]);
            }
            else
            {
                _ = _process.StandardOutput.ReadToEndAsync(CancellationToken.None);
                return;
            }
        }

        Assert.Fail($"The server did not start: {await _errors}");
    }

    /// <summary>kill -9, and waits for its end.</summary>
    public async Task StopAsync()
    {
        _process!.Kill();
        await _process.WaitForExitAsync();
        await _errors;
        _process.Dispose();
    }
}
