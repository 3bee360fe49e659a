using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Squall.Rpc;

/// Ends connections that are old, so that their clients spread anew over servers that came since.
internal static class ConnectionAges
{
    private const double Jitter = 0.1;

    public static void UseConnectionAges(this ListenOptions listen)
    {
        RpcServerOptions? options = listen.ApplicationServices.GetService<IOptions<RpcServerOptions>>()?.Value;
        if (options?.ConnectionAgeMax is { } ageMax)
        {
            TimeProvider time = listen.ApplicationServices.GetRequiredService<TimeProvider>();
            listen.Use(next => connection => ServeAsync(connection, next, ageMax, options.ConnectionAgeGrace, time));
        }
    }

    private static async Task ServeAsync(
        ConnectionContext connection, ConnectionDelegate next, TimeSpan ageMax, TimeSpan? grace, TimeProvider time)
    {
        // Connections that began at once would end at once.
        TimeSpan age = ageMax * (1 + (Random.Shared.NextDouble() * 2 - 1) * Jitter);
        await using ITimer old = time.CreateTimer(
            _ => connection.Features.Get<IConnectionLifetimeNotificationFeature>()?.RequestClose(),
            null, age, Timeout.InfiniteTimeSpan);
        await using ITimer? tooOld = grace is null ? null : time.CreateTimer(
            _ => connection.Abort(new ConnectionAbortedException("The connection is too old.")),
            null, age + grace.Value, Timeout.InfiniteTimeSpan);
        await next(connection);
    }
}
