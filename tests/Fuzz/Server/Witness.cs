using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Text.Json;
using Grpc.Core;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Squall.Fuzz.V1;

namespace Squall.Fuzz;

/// <summary>What a server says of itself when it is asked.</summary>
/// <param name="HeapBytes">Managed, after a full collection if one was asked for.</param>
/// <param name="Requests">That HTTP let through to the application.</param>
/// <param name="Handled">Of these, whose handler was given a message.</param>
/// <param name="OpenRequests">From where they came.</param>
/// <param name="Errors">Logged as such, or in work that nobody waited for.</param>
/// <param name="Different">One of each kind of them.</param>
internal sealed record ServerState(
    long HeapBytes, long Requests, long Handled, string[] OpenRequests, long OpenConnections, long Errors,
    string[] Different)
{
    public string ToJson() => JsonSerializer.Serialize(this);

    public static ServerState FromJson(string json) => JsonSerializer.Deserialize<ServerState>(json)!;
}

/// <summary>Sees within the server what no caller can.</summary>
internal sealed class Witness : ILoggerProvider
{
    public const string HealthyHeader = "healthy";

    private static readonly object Handled = new();
    private readonly MeterListener _meters = new();
    private readonly Planted _planted;
    private readonly ConcurrentDictionary<string, string> _errors = new();
    private long _requests;
    private long _handled;
    private readonly ConcurrentDictionary<HttpContext, string> _open = new();
    private long _connections;
    private long _errorCount;

    public Witness(Plant plant, int? answersMax)
    {
        _planted = new Planted(plant);
        AnswersMax = answersMax;
        _meters.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Name == "kestrel.active_connections")
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _meters.SetMeasurementEventCallback<long>((_, change, _, _) => Interlocked.Add(ref _connections, change));
        _meters.Start();
        TaskScheduler.UnobservedTaskException += (_, unseen) => Add("Nobody waited for it.", unseen.Exception);
    }

    /// <summary>How many answers a stream may have; null: as the service itself bounds them.</summary>
    public int? AnswersMax { get; }

    /// <summary>A handler was given a message.</summary>
    public void Took(Mixed request, ServerCallContext context)
    {
        if (context.RequestHeaders.Get(HealthyHeader) is not null)
        {
            return;
        }

        if (context.UserState.TryAdd(Handled, Handled))
        {
            Interlocked.Increment(ref _handled);
        }

        _planted.Harm(request);
    }

    /// <summary>Serves a request of which it is known whether it is still open.</summary>
    public async Task WatchAsync(HttpContext http, RequestDelegate serve)
    {
        if (http.Request.Headers.ContainsKey(HealthyHeader))
        {
            await serve(http);
            return;
        }

        Interlocked.Increment(ref _requests);
        _open[http] = $"{http.Connection.RemoteIpAddress}:{http.Connection.RemotePort}";
        try
        {
            if (_planted.Swallows())
            {
                await Task.Delay(Timeout.Infinite, http.RequestAborted);
            }

            if (_planted.HoldsOn)
            {
                await Task.Delay(Timeout.Infinite);
            }

            await serve(http);
        }
        finally
        {
            _open.TryRemove(http, out _);
        }
    }

    public ServerState Tell() => new(
        GC.GetTotalMemory(false), _requests, _handled, [.. _open.Values],
        Interlocked.Read(ref _connections), Interlocked.Read(ref _errorCount), _errors.Values.ToArray());

    public ServerState CollectAndTell()
    {
        // What pools give back, and what finalizers free, takes more than one round.
        for (int round = 0; round < 3; round++)
        {
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
            GC.WaitForPendingFinalizers();
        }

        return Tell();
    }

    public ILogger CreateLogger(string categoryName) => new Lines(this, categoryName);

    public void Dispose() => _meters.Dispose();

    private void Add(string what, Exception? exception)
    {
        const int KindsMax = 10;
        Interlocked.Increment(ref _errorCount);
        Exception? cause = exception?.GetBaseException();
        string kind = cause is null ? what : $"{cause.GetType()} {cause.TargetSite}";
        if (_errors.Count < KindsMax)
        {
            _errors.TryAdd(kind, $"{what} {exception}");
        }
    }

    private sealed class Lines(Witness witness, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Error;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception,
            Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel))
            {
                witness.Add($"{category}: {formatter(state, exception)}", exception);
            }
        }
    }
}
