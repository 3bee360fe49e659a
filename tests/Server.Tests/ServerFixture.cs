using Grpc.Net.Client;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Squall.Server.Tests;

/// <summary>
/// A server of a test's own, within the test's process: on a free port, in a directory of its own that goes with it.
/// </summary>
public sealed class ServerFixture : IAsyncLifetime
{
    private readonly string _directory = Directory.CreateTempSubdirectory("squall-").FullName;
    private readonly Action<ServerOptions>? _adjust;
    private readonly Action<IServiceCollection>? _replace;
    private readonly TimeProvider? _time;
    private SquallServer? _server;
    private GrpcChannel? _channel;

    public ServerFixture()
    {
    }

    internal ServerFixture(
        Action<ServerOptions>? adjust, TimeProvider? time = null, Action<IServiceCollection>? replace = null) =>
        (_adjust, _time, _replace) = (adjust, time, replace);

    /// <summary>Where it takes calls of all protocols, in clear text.</summary>
    public Uri Address => Server.Addresses[0];

    /// <summary>Calls it over gRPC; after a restart it is another one.</summary>
    public GrpcChannel Channel => _channel ?? throw new InvalidOperationException("It has not been started.");

    internal SquallServer Server => _server ?? throw new InvalidOperationException("It has not been started.");

    internal T Get<T>()
        where T : notnull => Server.Services.GetRequiredService<T>();

    /// <summary>One of a single test's own, which disposes of it.</summary>
    internal static async Task<ServerFixture> StartAsync(
        Action<ServerOptions>? adjust = null, TimeProvider? time = null, Action<IServiceCollection>? replace = null)
    {
        var server = new ServerFixture(adjust, time, replace);
        await server.InitializeAsync();
        return server;
    }

    public async Task InitializeAsync()
    {
        var options = new ServerOptions
        {
            Http = HostPort.Localhost(0),
            Https = null,
            DirectoryPath = Path.Combine(_directory, "squall-data"),
            LogLevel = LogLevel.Error,
        };
        _adjust?.Invoke(options);
        _server = await SquallServer.StartAsync(options, _time, Overheard.After(_replace));
        _channel = GrpcChannel.ForAddress(Address);
    }

    /// <summary>Stops it, and starts another on the same data; its port is another one.</summary>
    public async Task RestartAsync()
    {
        await StopAsync();
        await InitializeAsync();
    }

    public async Task DisposeAsync()
    {
        await StopAsync();
        Directory.Delete(_directory, recursive: true);
    }

    private async Task StopAsync()
    {
        _channel?.Dispose();
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }
    }
}
