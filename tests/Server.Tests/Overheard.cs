using System.Collections.Concurrent;
using System.Diagnostics;
using Grpc.AspNetCore.Server;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Squall.V1;

namespace Squall.Server.Tests;

/// <summary>
/// Whatever a server within the test's process says to whoever operates it: its log at the finest level, and all that
/// its traces hold. Where ./test.sh asks for it, each server is heard, and what it said is searched for secrets.
/// </summary>
internal sealed class Overheard : ILoggerProvider, ILogger
{
    private static readonly TextWriter? File = Open();
    private readonly ConcurrentQueue<string>? _lines;
    private readonly ActivityListener _listener;

    /// <param name="keeps">Keeps it for <see cref="Lines"/>, too.</param>
    public Overheard(bool keeps = false)
    {
        _lines = keeps ? new() : null;
        _listener = new ActivityListener
        {
            ShouldListenTo = _ => keeps,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = activity => Take(
                $"trace: {activity.Source.Name} {activity.DisplayName} {activity.StatusDescription} "
                + string.Join(' ', activity.TagObjects.Concat(activity.Events.SelectMany(told => told.Tags))
                    .Select(tag => $"{tag.Key}={tag.Value}"))),
        };
        ActivitySource.AddActivityListener(_listener);
    }

    public IReadOnlyList<string> Lines => [.. _lines ?? []];

    /// <summary>
    /// Has a server heard, and the tokens remembered that it hands out, if somebody will search; after what else is to
    /// be done with its services.
    /// </summary>
    public static Action<IServiceCollection>? After(Action<IServiceCollection>? replace) =>
        File is null
            ? replace
            : services =>
            {
                replace?.Invoke(services);
                new Overheard().Register(services);
                services.Configure<GrpcServiceOptions>(grpc => grpc.Interceptors.Add<Remembering>());
            };

    public void Register(IServiceCollection services)
    {
        services.AddSingleton<ILoggerProvider>(_ => this);
        services.Configure<LoggerFilterOptions>(filters => filters.Rules.Add(
            new LoggerFilterRule(typeof(Overheard).FullName, null, LogLevel.Trace, null)));
    }

    public ILogger CreateLogger(string categoryName) => this;

    public bool IsEnabled(LogLevel logLevel) => true;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception,
        Func<TState, Exception?, string> formatter)
    {
        Take($"{logLevel}: {formatter(state, exception)} {exception}");
        if (state is IEnumerable<KeyValuePair<string, object?>> values)
        {
            Take(string.Join(' ', values.Select(value => $"{value.Key}={value.Value}")));
        }
    }

    public void Dispose()
    {
        _listener.Dispose();
        File?.Flush();
    }

    private void Take(string line)
    {
        _lines?.Enqueue(line);
        File?.WriteLine(line);
    }

    private static TextWriter? Open() =>
        Environment.GetEnvironmentVariable("TESTS_LOGS") is { Length: > 0 } directory
            ? TextWriter.Synchronized(new StreamWriter(Path.Combine(
                directory, $"{AppDomain.CurrentDomain.FriendlyName}-{Environment.ProcessId}.log"), append: true))
            : null;

    /// <summary>Sees what a call is answered with.</summary>
    private sealed class Remembering : Interceptor
    {
        public override async Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
            TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation)
        {
            TResponse response = await continuation(request, context);
            Tokens? tokens = response switch
            {
                LoginResponse login => login.Tokens,
                LoginWithIdTokenResponse login => login.Tokens,
                RefreshSessionResponse refreshed => refreshed.Tokens,
                _ => null,
            };
            Secrets.Remember("access", tokens?.AccessToken ?? "");
            Secrets.Remember("refresh", tokens?.RefreshToken ?? "");
            Secrets.Remember("key", (response as CreateApiKeyResponse)?.Secret ?? "");
            return response;
        }
    }
}
