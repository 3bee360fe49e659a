using Grpc.Core;
using Microsoft.Extensions.Logging.Abstractions;

namespace Squall.Server;

/// <summary>
/// The commands of whoever runs the server: done by the server that runs, or, if none does, by this process, which
/// holds the data directory meanwhile. There is never a second writer.
/// </summary>
internal static class OperatorCommand
{
    private const int Done = 0;
    private const int NotDone = 1;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    /// <summary>How long a server that starts or stops, and takes no orders meanwhile, is waited for.</summary>
    private static readonly TimeSpan WaitMax = TimeSpan.FromSeconds(5);

    public static bool IsOne(string[] args) => args is ["account", ..];

    /// <exception cref="StartRefusedException">It is no command, or the data directory is not to be used.</exception>
    public static async Task<int> RunAsync(string[] args)
    {
        (string verb, string username, string[] rest) = args switch
        {
            [_, "list", .. var more] => ("list", "", more),
            [_, var named, var name, .. var more]
                when AccountCommands.Verbs.ContainsKey(named) && !name.StartsWith('-') => (named, name, more),
            _ => throw new StartRefusedException(
                "account needs create, reset-password, disable or enable with a USERNAME, or list (see --help)"),
        };
        ServerOptions options =
            OptionReader.Read(rest, Environment.GetEnvironmentVariables(), AppContext.BaseDirectory);
        if (verb != "create" && !File.Exists(Path.Combine(options.DirectoryPath, "squall.db")))
        {
            throw new StartRefusedException($"there are no accounts in {Path.GetFullPath(options.DirectoryPath)}");
        }

        string password = AccountCommands.Verbs[verb] ? await PasswordPrompt.ReadAsync() : "";
        string? next = username;
        while (next is not null)
        {
            AccountAnswer answer = await DoAsync(options, new AccountOrder(verb, next, password));
            if (answer.Refusal is not null)
            {
                await Console.Error.WriteLineAsync("squall: " + answer.Refusal.ReplaceLineEndings(" "));
                return NotDone;
            }

            await Console.Out.WriteAsync(string.Concat(answer.Lines.Select(line => line + '\n')));
            next = answer.Next;
        }

        return Done;
    }

    private static async Task<AccountAnswer> DoAsync(ServerOptions options, AccountOrder order)
    {
        string socket = OperatorSocket.PathIn(Path.GetFullPath(options.DirectoryPath));
        long started = TimeProvider.System.GetTimestamp();
        while (true)
        {
            if (await OperatorSocket.AskAsync(socket, order, CancellationToken.None) is { } answer)
            {
                return answer;
            }

            try
            {
                using StateDirectory directory = StateDirectory.Open(options.DirectoryPath);
                return await DoOrForgetAsync(options, directory, order);
            }
            catch (StartRefusedException refused)
                when (refused.IsInUse && TimeProvider.System.GetElapsedTime(started) < WaitMax)
            {
                await Task.Delay(Pause, TimeProvider.System);
            }
        }
    }

    /// <summary>If it is not done, nothing that was made for it stays.</summary>
    private static async Task<AccountAnswer> DoOrForgetAsync(
        ServerOptions options, StateDirectory directory, AccountOrder order)
    {
        try
        {
            return await DoAsync(options, directory, order);
        }
        catch (RpcException refused)
        {
            directory.Forget();
            return AccountAnswer.Refused(refused.Status.Detail);
        }
        catch
        {
            directory.Forget();
            throw;
        }
    }

    private static async Task<AccountAnswer> DoAsync(
        ServerOptions options, StateDirectory directory, AccountOrder order)
    {
        using var store = new Store(directory.Database);
        using var journal = new Journal(
            store, options.Limits, TimeProvider.System, NullLogger<Journal>.Instance);
        using var passwords = new Passwords(options.Limits);
        try
        {
            journal.Start();
            return await new AccountCommands(store, journal, passwords).RunAsync(order, CancellationToken.None);
        }
        catch (Exception failure) when (failure is not RpcException)
        {
            throw StartRefusedException.Of(failure, directory.Database);
        }
        finally
        {
            // The writer's connection, closed last, leaves one file behind.
            store.Dispose();
            await journal.StopAsync();
        }
    }
}
