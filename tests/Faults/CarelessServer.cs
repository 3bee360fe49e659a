using Grpc.AspNetCore.Server;
using Microsoft.Extensions.DependencyInjection;
using Squall.Server;

namespace Squall.Faults;

/// <summary>
/// The server, with the control's interceptor behind its own: a process to be killed like the real one.
/// </summary>
internal static class CarelessServer
{
    public static async Task<int> RunAsync(string[] args)
    {
        ServerOptions options =
            OptionReader.Read(args, Environment.GetEnvironmentVariables(), AppContext.BaseDirectory);
        await using SquallServer server = await SquallServer.StartAsync(
            options,
            replace: services => services.Configure<GrpcServiceOptions>(
                grpc => grpc.Interceptors.Add<EarlyAnswers>()));
        await EarlyAnswers.ListenAsync(server.Services.GetRequiredService<Journal>());
        await Console.Out.WriteLineAsync($"Listening on {server.Addresses[0]}");
        await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, server.Failed)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return 0;
    }
}
