using Grpc.AspNetCore.Server;
using Microsoft.Extensions.DependencyInjection;
using Squall.Server;

namespace Squall.Faults;

/// <summary>
/// The server as a control has it, wired otherwise than its own program wires it: a process to be killed like the real
/// one.
/// </summary>
internal static class CarelessServer
{
    /// <summary>Acknowledges before it commits.</summary>
    public static Task<int> AnswerEarlyAsync(string[] args) => RunAsync(
        args,
        services => services.Configure<GrpcServiceOptions>(grpc => grpc.Interceptors.Add<EarlyAnswers>()),
        services => EarlyAnswers.ListenAsync(services.GetRequiredService<Journal>()));

    /// <summary>Tells subscribers before it commits.</summary>
    public static Task<int> TellEarlyAsync(string[] args) => RunAsync(args, null, EarlyNotifications.WireAsync);

    private static async Task<int> RunAsync(
        string[] args, Action<IServiceCollection>? replace, Func<IServiceProvider, Task> wire)
    {
        ServerOptions options =
            OptionReader.Read(args, Environment.GetEnvironmentVariables(), AppContext.BaseDirectory);
        await using SquallServer server = await SquallServer.StartAsync(options, replace: replace);
        await wire(server.Services);
        await Console.Out.WriteLineAsync($"Listening on {server.Addresses[0]}");
        await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, server.Failed)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return 0;
    }
}
