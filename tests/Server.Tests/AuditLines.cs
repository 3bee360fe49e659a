using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Squall.Server.Tests;

/// <summary>A line of the log as a program gets it.</summary>
internal sealed record AuditLine(
    LogLevel Level, EventId Id, IReadOnlyDictionary<string, object?> Fields, string Text);

/// <summary>What a server within the test's process logs of its audit trail.</summary>
internal sealed class AuditLines : ILoggerProvider, ILogger
{
    private readonly Lock _gate = new();
    private readonly List<AuditLine> _lines = [];

    public AuditLine[] All
    {
        get
        {
            lock (_gate)
            {
                return [.. _lines];
            }
        }
    }

    public void Register(IServiceCollection services)
    {
        services.AddSingleton<ILoggerProvider>(this);
        services.Configure<LoggerFilterOptions>(filters => filters.Rules.Add(
            new LoggerFilterRule(typeof(AuditLines).FullName, typeof(AuditLog).FullName, LogLevel.Information, null)));
    }

    public void Clear()
    {
        lock (_gate)
        {
            _lines.Clear();
        }
    }

    public ILogger CreateLogger(string categoryName) => this;

    public bool IsEnabled(LogLevel logLevel) => true;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception,
        Func<TState, Exception?, string> formatter)
    {
        // Others' lines come here too where they are errors.
        if (eventId.Id >= (int)AuditEvent.Registered
            && state is IReadOnlyList<KeyValuePair<string, object?>> fields)
        {
            lock (_gate)
            {
                _lines.Add(new AuditLine(logLevel, eventId, fields.ToDictionary(), formatter(state, exception)));
            }
        }
    }

    public void Dispose()
    {
    }
}
