using System.Collections.Concurrent;
using Grpc.AspNetCore.Server;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Squall.Server;
using Squall.Server.Tests;

namespace Squall.Client.Tests;

/// <summary>A server, a proxy before it, and clients of accounts, signed in without hashing a password.</summary>
public sealed class World : IAsyncLifetime, IAsyncDisposable
{
    internal static readonly string Password = Secrets.Password();

    private readonly ServerFixture server;
    private readonly List<SquallClient> clients = [];
    private readonly ErrorLog errors = new();
    private Proxy? proxy;

    public World()
        : this(null)
    {
    }

    internal World(Action<ServerOptions>? adjust, TimeProvider? time = null) => server = new ServerFixture(
        adjust, time, services =>
        {
            services.AddSingleton(Log);
            services.Configure<GrpcServiceOptions>(grpc => grpc.Interceptors.Add<CallLog>());
            services.AddSingleton<ILoggerProvider>(errors);
        });

    /// <summary>The server's own address, past the proxy.</summary>
    public Uri Address => server.Address;

    internal CallLog Log { get; } = new();

    internal Proxy Proxy => proxy ?? throw new InvalidOperationException("It has not been started.");

    internal ServerFixture Server => server;

    internal static async Task<World> StartAsync(Action<ServerOptions>? adjust = null, TimeProvider? time = null)
    {
        var world = new World(adjust, time);
        await world.InitializeAsync();
        return world;
    }

    public async Task InitializeAsync()
    {
        await server.InitializeAsync();
        proxy = Proxy.To(server.Address);
    }

    public async Task DisposeAsync()
    {
        clients.ForEach(client => client.Dispose());
        await Proxy.DisposeAsync();
        await server.DisposeAsync();
        // Whatever its clients do, it is none of the server's errors.
        Assert.Empty(errors.Told);
    }

    ValueTask IAsyncDisposable.DisposeAsync() => new(DisposeAsync());

    /// <summary>Stops the server and starts another on its data; behind the proxy, at the same address.</summary>
    internal async Task RestartAsync()
    {
        await server.RestartAsync();
        Proxy.Upstream = server.Address;
    }

    /// <summary>The same, with a journal that no cursor of before leads to, as a restored backup has it.</summary>
    internal async Task RestoreAsync()
    {
        await server.Get<Journal>().RunAsync(
            scope => scope.Db.Journals.ExecuteUpdate(set => set.SetProperty(row => row.Epoch, row => row.Epoch + 1)),
            null, 0, CancellationToken.None);
        await RestartAsync();
    }

    /// <summary>A client that reaches the server through the proxy.</summary>
    internal SquallClient Client(Action<SquallClientOptions>? adjust = null)
    {
        var options = new SquallClientOptions { Endpoint = Proxy.Address };
        adjust?.Invoke(options);
        var client = new SquallClient(options);
        lock (clients)
        {
            clients.Add(client);
        }

        return client;
    }

    /// <summary>A client of a new account.</summary>
    internal async Task<SquallClient> SignedInAsync(Action<SquallClientOptions>? adjust = null)
    {
        var store = new MemoryTokenStore(await SignInAsync());
        return Client(options =>
        {
            options.TokenStore = store;
            adjust?.Invoke(options);
        });
    }

    /// <summary>A session of a new account.</summary>
    internal async Task<SessionTokens> SignInAsync(string? username = null)
    {
        username ??= $"u{Guid.NewGuid():N}"[..20];
        var tokens = await server.Get<Journal>().RunAsync(
            scope =>
            {
                var row = new AccountRow { Id = Ids.New(scope.NowMicros), Username = username };
                scope.Db.Accounts.Add(row);
                return server.Get<SessionChanges>().Begin(scope, row.Id, "test");
            },
            null, 0, CancellationToken.None);
        Secrets.Remember("access", tokens.AccessToken);
        Secrets.Remember("refresh", tokens.RefreshToken);
        return SessionTokens.From(tokens);
    }
}

/// <summary>Keeps a session in memory, and remembers each that was saved.</summary>
internal sealed class MemoryTokenStore(SessionTokens? first = null) : ITokenStore
{
    private readonly Lock gate = new();
    private readonly List<SessionTokens?> saved = [first];
    private Task hold = Task.CompletedTask;
    private TaskCompletionSource? reached;

    public SessionTokens? Current
    {
        get
        {
            lock (gate)
            {
                return saved[^1];
            }
        }
    }

    public int Saves
    {
        get
        {
            lock (gate)
            {
                return saved.Count - 1;
            }
        }
    }

    /// <summary>Whether it saves alone, and finds nothing again.</summary>
    public bool IsBlind { get; set; }

    public ValueTask<SessionTokens?> LoadAsync(CancellationToken cancellationToken) =>
        new(IsBlind ? null : Current);

    /// <summary>Makes the next save wait; what it gives is done when that save has begun.</summary>
    public Task HoldSave(Task until)
    {
        hold = until;
        reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        return reached.Task;
    }

    public async ValueTask SaveAsync(SessionTokens? tokens, CancellationToken cancellationToken)
    {
        var until = hold;
        hold = Task.CompletedTask;
        reached?.TrySetResult();
        await until;
        lock (gate)
        {
            saved.Add(tokens);
        }
    }
}

/// <summary>What a server logs as its errors.</summary>
internal sealed class ErrorLog : ILoggerProvider, ILogger
{
    private readonly ConcurrentQueue<string> told = [];

    public IReadOnlyCollection<string> Told => told;

    public ILogger CreateLogger(string categoryName) => this;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Error;

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception,
        Func<TState, Exception?, string> formatter)
    {
        if (IsEnabled(logLevel))
        {
            told.Enqueue($"{formatter(state, exception)} {exception}");
        }
    }

    public void Dispose()
    {
        // What was told is looked at after the server is gone.
    }
}
