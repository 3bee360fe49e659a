using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Squall.Rpc;

/// Cuts connections that begin and do not go on, where nobody sorts them: Kestrel itself waits for the rest of
/// HTTP/2's preface as long as for the next request.
internal static class ConnectionStart
{
    public static void UseConnectionStart(this ListenOptions listen)
    {
        RpcServerOptions? options = listen.ApplicationServices.GetService<IOptions<RpcServerOptions>>()?.Value;
        if (options is not null)
        {
            TimeProvider time = listen.ApplicationServices.GetRequiredService<TimeProvider>();
            listen.Use(next => connection => ServeAsync(connection, next, options.ConnectionStartTimeMax, time));
        }
    }

    private static async Task ServeAsync(
        ConnectionContext connection, ConnectionDelegate next, TimeSpan startTimeMax, TimeProvider time)
    {
        try
        {
            using var late = new CancellationTokenSource(startTimeMax, time);
            await ConnectionSorter.SpeaksHttp2Async(connection.Transport.Input, late.Token);
        }
        catch (Exception exception) when (exception is OperationCanceledException or IOException)
        {
            connection.Abort(new ConnectionAbortedException("The connection did not begin in time.", exception));
            return;
        }

        await next(connection);
    }
}
