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

    /// <summary>Hashes nothing for a name that nobody has; or hides that behind a random delay.</summary>
    public static Task<int> LoginHastilyAsync(string[] args, bool hides) => RunAsync(
        args,
        services =>
        {
            services.AddSingleton(provider => new HastyLogins(
                provider.GetRequiredService<Store>(), TimeProvider.System, hides));
            services.Configure<GrpcServiceOptions>(grpc => grpc.Interceptors.Add<HastyLogins>());
        },
        _ => Task.CompletedTask);

    /// <summary>Refuses logins without when to try again, and ends a session for one.</summary>
    public static Task<int> RefuseHarshlyAsync(string[] args) => RunAsync(
        args,
        services =>
        {
            services.AddSingleton<HarshLogins>();
            services.Configure<GrpcServiceOptions>(grpc => grpc.Interceptors.Add<HarshLogins>());
        },
        _ => Task.CompletedTask);

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
