using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Squall.Interop;

namespace Squall.Peers.Tests;

/// <summary>gRPC's interop cases with Debian's ruby-grpc, which is gRPC's own core: its client, our server.</summary>
public sealed class RubyClientTests : IAsyncLifetime
{
    private InteropServer _server = null!;

    public static TheoryData<string> Cases =>
    [
        "empty_unary", "large_unary", "client_streaming", "server_streaming", "ping_pong", "empty_stream",
        "client_compressed_unary", "client_compressed_streaming", "custom_metadata", "status_code_and_message",
        "unimplemented_method", "unimplemented_service", "cancel_after_begin", "cancel_after_first_response",
        "timeout_on_sleeping_server",
    ];

    public async Task InitializeAsync() => _server = await InteropServer.StartAsync();

    public async Task DisposeAsync() => await _server.DisposeAsync();

    [Theory, MemberData(nameof(Cases))]
    public async Task The_case_holds(string name)
    {
        var port = _server.Address.Port.ToString(CultureInfo.InvariantCulture);
        var run = await Command.RunAsync(
            await Ruby.FolderAsync(), "ruby", "-Ilib", "pb/test/client.rb", "--server_host", "127.0.0.1",
            "--server_port", port, "--use_tls", "false", "--test_case", name);
        Assert.True(run.ExitCode == 0, $"{run}");
        Assert.Contains($"OK: {name}", run.Output, StringComparison.Ordinal);
    }
}

/// <summary>Our client, its server.</summary>
public sealed class RubyServerTests(RubyServer server) : IClassFixture<RubyServer>
{
    private static readonly TimeSpan Net = TimeSpan.FromSeconds(30);

    /// <summary>All but the compressed ones: its server looks at no flags, and compresses nothing.</summary>
    public static TheoryData<string> Cases =>
        [.. InteropClient.Cases.Keys.Where(name => !name.Contains("compressed", StringComparison.Ordinal))];

    [Theory, MemberData(nameof(Cases))]
    public async Task The_case_holds(string name)
    {
        using var client = new InteropClient(server.Address);
        await InteropClient.Cases[name](client).WaitAsync(Net);
    }
}

/// <summary>ruby-grpc's interop server in a process of its own.</summary>
public sealed class RubyServer : IAsyncLifetime
{
    private static readonly TimeSpan StartMax = TimeSpan.FromMinutes(1);

    private Process? _process;

    public Uri Address { get; private set; } = new("http://localhost");

    public async Task InitializeAsync()
    {
        // It takes no port 0, and does not say when it listens.
        using (var free = new TcpListener(IPAddress.Loopback, 0))
        {
            free.Start();
            Address = new Uri($"http://{free.LocalEndpoint}");
        }

        _process = Command.Start(
            await Ruby.FolderAsync(), "ruby", "-Ilib", "pb/test/server.rb", "--port",
            Address.Port.ToString(CultureInfo.InvariantCulture));
        _ = _process.StandardOutput.BaseStream.CopyToAsync(Stream.Null);
        _ = _process.StandardError.BaseStream.CopyToAsync(Stream.Null);
        using var client = new InteropClient(Address);
        await client.WaitForServerAsync().WaitAsync(StartMax);
    }

    public Task DisposeAsync()
    {
        _process?.Kill(entireProcessTree: true);
        _process?.WaitForExit();
        _process?.Dispose();
        return Task.CompletedTask;
    }
}

/// <summary>Where Debian keeps the interop programs of ruby-grpc.</summary>
internal static class Ruby
{
    public static async Task<string> FolderAsync() => Path.Combine(
        (await Command.OutputAsync(
            Repository.Root, "ruby", "-e", "puts Gem::Specification.find_by_name('grpc').gem_dir")).Trim(),
        "src", "ruby");
}
