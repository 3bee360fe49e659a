using Microsoft.Extensions.Logging.Console;

namespace Squall.Server;

/// <summary>Logs, a line each, on standard error; standard output is for what the program has to say.</summary>
internal static class Logs
{
    private const int LinesMax = 10_000;

    public static void AddLogs(this WebApplicationBuilder builder, LogLevel level)
    {
        builder.Logging.SetMinimumLevel(level);
        if (level > LogLevel.Debug)
        {
            // The framework tells of each request and connection; that is for whoever looks for a fault.
            builder.Logging.AddFilter("Microsoft", level > LogLevel.Warning ? level : LogLevel.Warning);
            // It warns of nothing, and makes an activity for each request as soon as it may.
            builder.Logging.AddFilter("Microsoft.AspNetCore.Hosting.Diagnostics", LogLevel.None);
        }

        builder.Logging.AddSimpleConsole(console =>
        {
            console.SingleLine = true;
            console.UseUtcTimestamp = true;
            console.TimestampFormat = "yyyy-MM-ddTHH:mm:ss.fffZ ";
            console.ColorBehavior = LoggerColorBehavior.Disabled;
        });
        builder.Services.Configure<ConsoleLoggerOptions>(
            console =>
            {
                console.LogToStandardErrorThreshold = LogLevel.Trace;

                // Where nobody reads standard error, lines are dropped, of which it tells, and no call waits for it.
                console.MaxQueueLength = LinesMax;
                console.QueueFullMode = ConsoleLoggerQueueFullMode.DropWrite;
            });
    }
}
