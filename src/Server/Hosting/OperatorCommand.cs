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

    public static bool IsOne(string[] args) => args is ["account" or "audit", ..];

    /// <exception cref="StartRefusedException">It is no command, or the data directory is not to be used.</exception>
    public static async Task<int> RunAsync(string[] args)
    {
        (OperatorOrder order, string[] rest) = Parse(args);
        ServerOptions options =
            OptionReader.Read(rest, Environment.GetEnvironmentVariables(), AppContext.BaseDirectory);
        if (order.Verb != "create" && !File.Exists(Path.Combine(options.DirectoryPath, "squall.db")))
        {
            throw new StartRefusedException(
                $"there {(order.Audit is null ? "are no accounts" : "is no audit trail")} in "
                + Path.GetFullPath(options.DirectoryPath));
        }

        OperatorOrder? next = AccountCommands.Verbs[order.Verb]
            ? order with { Password = await PasswordPrompt.ReadAsync() }
            : order;
        while (next is not null)
        {
            OperatorAnswer answer = await DoAsync(options, next);
            if (answer.Refusal is not null)
            {
                await Console.Error.WriteLineAsync("squall: " + answer.Refusal.ReplaceLineEndings(" "));
                return NotDone;
            }

            await Console.Out.WriteAsync(string.Concat(answer.Lines.Select(line => line + '\n')));
            next = next.After(answer);
        }

        return Done;
    }

    private static (OperatorOrder Order, string[] Options) Parse(string[] args)
    {
        switch (args)
        {
            case ["account", "list", .. var more]:
                return (new OperatorOrder("list", "", ""), more);
            case ["account", var verb, var name, .. var more]
                when AccountCommands.Verbs.ContainsKey(verb) && !name.StartsWith('-'):
                return (new OperatorOrder(verb, name, ""), more);
            case ["audit", "list", .. var more]:
                (AuditQuery query, string[] rest) = AuditArguments.Parse(more, TimeProvider.System.GetUtcNow());
                return (new OperatorOrder("list", "", "", query), rest);
            default:
                throw new StartRefusedException(args[0] == "audit"
                    ? "audit needs list (see --help)"
                    : "account needs create, reset-password, disable or enable with a USERNAME, or list (see --help)");
        }
    }

    private static async Task<OperatorAnswer> DoAsync(ServerOptions options, OperatorOrder order)
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
    private static async Task<OperatorAnswer> DoOrForgetAsync(
        ServerOptions options, StateDirectory directory, OperatorOrder order)
    {
        try
        {
            return await DoAsync(options, directory, order);
        }
        catch (RpcException refused)
        {
            directory.Forget();
            return OperatorAnswer.Refused(refused.Status.Detail);
        }
        catch
        {
            directory.Forget();
            throw;
        }
    }

    private static async Task<OperatorAnswer> DoAsync(
        ServerOptions options, StateDirectory directory, OperatorOrder order)
    {
        using var store = new Store(directory.Database);
        using var journal = new Journal(
            store, options.Limits, TimeProvider.System, NullLogger<Journal>.Instance);
        using var passwords = new Passwords(options.Limits);
        try
        {
            journal.Start();
            var commands = new OperatorCommands(new AccountCommands(store, journal, passwords), new AuditList(store));
            return await commands.RunAsync(order, CancellationToken.None);
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
