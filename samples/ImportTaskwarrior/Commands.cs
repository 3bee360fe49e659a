using System.CommandLine;
using Squall.Client;

namespace ImportTaskwarrior;

/// <summary>The commands, the options that several of them have, and how each ends.</summary>
internal static class Commands
{
    public static readonly Option<string> User = new("--user")
    {
        Description = $"The account; its password is asked for, or taken from {Login.PasswordVariable}",
        Required = true,
    };

    public static readonly Option<bool> Register = new("--register") { Description = "Create the account first" };

    public static readonly Option<string> Record = new("--record")
    {
        Description = "The file that notes how far the import came; a later run goes on from there",
        Required = true,
    };

    public static readonly Option<string> NoProject = new("--no-project")
    {
        Description = "The title of the list for tasks without a project",
        DefaultValueFactory = _ => "No project",
    };

    private static readonly Option<string> Endpoint = new("--endpoint")
    {
        Description = "The server's address",
        DefaultValueFactory = _ => Environment.GetEnvironmentVariable("SQUALL_ENDPOINT") ?? "http://localhost:7080",
        Recursive = true,
    };

    public static RootCommand Root() => new("Brings Taskwarrior's tasks into Squall, and watches them come.")
    {
        Endpoint,
        ImportCommand.Make(),
        WatchCommands.Watch(),
        WatchCommands.History(),
        VerifyCommand.Make(),
        WatchCommands.Compare(),
    };

    public static Task<Login> LoginAsync(ParseResult parsed, CancellationToken cancellationToken) => Login.AsAsync(
        parsed.GetRequiredValue(Endpoint), parsed.GetRequiredValue(User), parsed.GetValue(Register), cancellationToken);

    /// <summary>Prints them; true: there are none.</summary>
    public static bool Print(IReadOnlyList<string> differences)
    {
        foreach (var difference in differences)
        {
            Console.WriteLine(difference);
        }

        return differences.Count == 0;
    }

    /// <summary>Exit code 0: done, and no differences; 1: not so, and a line on standard error says why.</summary>
    public static Command Runs(this Command command, Func<ParseResult, CancellationToken, Task<bool>> run)
    {
        command.SetAction(async (parsed, cancellationToken) =>
        {
            try
            {
                return await run(parsed, cancellationToken) ? 0 : 1;
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                await Console.Error.WriteLineAsync("Stopped.");
                return 1;
            }
            catch (Exception e) when (e is ImportException or SquallException or IOException or ArgumentException
                or UnauthorizedAccessException or InvalidOperationException)
            {
                await Console.Error.WriteLineAsync(e.Message);
                return 1;
            }
        });
        return command;
    }
}
