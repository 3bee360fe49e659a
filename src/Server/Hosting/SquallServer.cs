using Grpc.Core;

namespace Squall.Server;

/// <summary>A running server: what the program runs, and what tests and benches run within their own process.</summary>
internal sealed class SquallServer : IAsyncDisposable
{
    /// <summary>What the journal may take beyond the limit for calls, so that the two are within 10 s.</summary>
    private static readonly TimeSpan CommitRest = TimeSpan.FromSeconds(1.5);
    private readonly WebApplication _app;
    private readonly StateDirectory _directory;
    private readonly ServerOptions _options;
    private Task<bool>? _stopped;

    private SquallServer(WebApplication app, StateDirectory directory, ServerOptions options)
    {
        (_app, _directory, _options) = (app, directory, options);
        Addresses = app.Services.Addresses();
    }

    /// <summary>Where it takes calls, as <c>http://127.0.0.1:7080</c>, clear text first.</summary>
    public IReadOnlyList<Uri> Addresses { get; }

    public string DirectoryPath => _directory.FullPath;

    public IServiceProvider Services => _app.Services;

    /// <summary>Set when the server ends by itself.</summary>
    public CancellationToken Failed => _app.Lifetime.ApplicationStopping;

    /// <summary>
    /// (1) Sees that the ports are free, (2) takes the data directory, (3) wires the features, (4) brings the database
    /// and the memory up to date, (5) takes calls. If it cannot, nothing stays of it.
    /// </summary>
    /// <param name="replace">Registers over what the features have registered; for tests.</param>
    /// <exception cref="StartRefusedException">It cannot start; the message names the cause.</exception>
    public static async Task<SquallServer> StartAsync(
        ServerOptions options, TimeProvider? time = null, Action<IServiceCollection>? replace = null)
    {
        Ports.Check(options);
        StateDirectory directory = StateDirectory.Open(options.DirectoryPath);
        WebApplication? app = null;
        try
        {
            app = Build(options, directory, time ?? TimeProvider.System, replace);
            await Program.LoadAsync(app.Services);
            await app.StartAsync();
            return new SquallServer(app, directory, options);
        }
        catch (Exception failure)
        {
            await UndoAsync(app, directory);
            throw StartRefusedException.Of(failure, directory.Database);
        }
    }

    /// <summary>
    /// (1) Tells health checkers and ends the streams, (2) lets the accepted calls finish, (3) commits what was
    /// accepted, (4) lets go of the data directory.
    /// </summary>
    /// <param name="cut">Calls that still run are cut.</param>
    /// <returns>False: what was accepted could not all be committed in time.</returns>
    public Task<bool> StopAsync(CancellationToken cut = default) => _stopped ??= StopOnceAsync(cut);

    public async ValueTask DisposeAsync() => await StopAsync();

    private static WebApplication Build(
        ServerOptions options, StateDirectory directory, TimeProvider time, Action<IServiceCollection>? replace)
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(
            new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        TlsCertificate? certificate =
            options.Https is null ? null : new TlsCertificate(options, directory, time);
        builder.AddLogs(options.LogLevel);
        builder.Listen(options, certificate);
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        builder.Services.AddSingleton(options);
        builder.Services.AddSingleton(options.Limits);
        builder.Services.AddSingleton(directory);
        builder.Services.AddSingleton(time);
        builder.Services.AddSingleton<IStartupFilter, BrowserHeaders>();
        if (certificate is not null)
        {
            builder.Services.AddSingleton(certificate);
            builder.Services.AddHostedService<TlsUpkeep>();
        }

        Program.Add(builder.Services, options);
        replace?.Invoke(builder.Services);
        WebApplication app = builder.Build();
        app.UseRouting();
        app.UseRpc();
        Program.Map(app);
        app.UseEndpoints(_ => { });
        return app;
    }

    private static async Task UndoAsync(WebApplication? app, StateDirectory directory)
    {
        if (app is not null)
        {
            await app.Services.GetRequiredService<Journal>().StopAsync();
            await app.DisposeAsync();
        }

        directory.Forget();
        directory.Dispose();
    }

    /// <summary>All that was accepted, and what the audit trail was told of the last second.</summary>
    private async Task CommitAsync()
    {
        try
        {
            await _app.Services.GetRequiredService<AuditTrail>().FlushAsync(CancellationToken.None);
        }
        catch (RpcException)
        {
            // It could not be stored, which the journal has logged.
        }

        await _app.Services.GetRequiredService<Journal>().StopAsync();
    }

    private async Task<bool> StopOnceAsync(CancellationToken cut)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cut);
        end.CancelAfter(_options.Limits.StopTimeMax);
        try
        {
            await _app.StopAsync(end.Token);
        }
        catch (OperationCanceledException)
        {
            // The calls that still ran have been cut; what they had stored is committed below.
        }

        // The writer's connection, closed last, leaves one file behind.
        _app.Services.GetRequiredService<Store>().Dispose();
        Task committed = CommitAsync();
        bool inTime = await Task.WhenAny(committed, Task.Delay(CommitRest, TimeProvider.System)) == committed;
        if (inTime)
        {
            await _app.DisposeAsync();
        }

        _directory.Dispose();
        return inTime;
    }
}
