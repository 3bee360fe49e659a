using System.Net;
using Grpc.AspNetCore.Server;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Squall.Rpc.Tests;

/// The runtime over Kestrel on a free port of loopback, with the echo service.
public sealed class ServerHost : IAsyncDisposable
{
    private readonly WebApplication app;

    private ServerHost(WebApplication app)
    {
        this.app = app;
        Address = app.Services.ListeningAddresses().Single();
        Http2 = Client(HttpVersion.Version20);
        Http1 = Client(HttpVersion.Version11);
    }

    public Uri Address { get; }

    public IPEndPoint EndPoint => new(IPAddress.Loopback, Address.Port);

    public EchoProbe Probe => app.Services.GetRequiredService<EchoProbe>();

    public HealthStatus Health => app.Services.GetRequiredService<HealthStatus>();

    public LogLines Logs => app.Services.GetRequiredService<LogLines>();

    public HttpClient Http2 { get; }

    public HttpClient Http1 { get; }

    public static async Task<ServerHost> StartAsync(
        Action<GrpcServiceOptions>? grpc = null,
        Action<IServiceCollection>? services = null,
        Action<WebApplication>? map = null,
        Action<KestrelServerOptions>? kestrel = null)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton<LogLines>();
        builder.Services.AddSingleton<ILoggerProvider>(provider => provider.GetRequiredService<LogLines>());
        builder.Logging.SetMinimumLevel(LogLevel.Debug);
        builder.Services.AddSingleton<EchoProbe>();
        builder.Services.Configure<HostOptions>(options => options.ShutdownTimeout = TimeSpan.FromSeconds(5));
        services?.Invoke(builder.Services);
        builder.Services.AddGrpc(grpc ?? (_ => { }));
        builder.WebHost.ConfigureKestrel(options =>
        {
            options.UseRpcDefaults();
            kestrel?.Invoke(options);
            options.ListenClearText(new IPEndPoint(IPAddress.Loopback, 0));
        });
        WebApplication app = builder.Build();
        app.MapGrpcService<EchoRpcs>();
        map?.Invoke(app);
        await app.StartAsync();
        return new ServerHost(app);
    }

    public T Service<T>()
        where T : notnull => app.Services.GetRequiredService<T>();

    public Task StopAsync() => app.StopAsync();

    public async ValueTask DisposeAsync()
    {
        Http1.Dispose();
        Http2.Dispose();
        await app.DisposeAsync();
    }

    public HttpClient Client(Version version) => new(new SocketsHttpHandler { AllowAutoRedirect = false })
    {
        BaseAddress = Address,
        DefaultRequestVersion = version,
        DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
        Timeout = TimeSpan.FromSeconds(30),
    };
}

/// Keeps what is logged.
public sealed class LogLines : ILoggerProvider
{
    private readonly System.Collections.Concurrent.ConcurrentQueue<(LogLevel Level, string Text)> lines = new();

    public IEnumerable<string> At(LogLevel level) => lines.Where(line => line.Level == level).Select(line => line.Text);

    public string All => string.Join('\n', lines.Select(line => line.Text));

    public ILogger CreateLogger(string categoryName) => new Lines(lines);

    public void Dispose()
    {
    }

    private sealed class Lines(System.Collections.Concurrent.ConcurrentQueue<(LogLevel, string)> lines) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel level, EventId id, TState state, Exception? exception, Func<TState, Exception?, string> format) =>
            lines.Enqueue((level, format(state, exception) + exception));
    }
}
