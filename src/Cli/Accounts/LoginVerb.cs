using System.CommandLine;
using Squall.Client;
using Squall.V1;

namespace Squall.Cli;

/// <summary>squall login: opens a session, and keeps its tokens for later commands.</summary>
internal static class LoginVerb
{
    private static readonly Argument<string?> Username = new("USERNAME")
    {
        Description = "Whom to log in; asked for if it is left out.",
        Arity = ArgumentArity.ZeroOrOne,
    };

    private static readonly Option<bool> FromInput = new("--password-stdin")
    {
        Description = $"Read the password from standard input; else from {Password.Variable}, else it is asked for.",
    };

    private static readonly Option<bool> Register = new("--register") { Description = "Create the account first." };

    public static Verb Make() => new Verb(
        "login", "Opens a session with a server and keeps it for the commands that follow.",
        "squall login ada --register")
    {
        Username, FromInput, Register,
    }.Does(LoginAsync);

    private static async Task LoginAsync(Invocation run)
    {
        if (run.HasToken)
        {
            throw new UsageException(
                $"{SquallClientOptions.TokenVariable} is set, and would be used instead of a session: unset it.");
        }

        var username = run.GivenOrNull(Username) ?? await AskForUsernameAsync(run.Cancel);
        var isNew = run.Given(Register);
        var password = await Password.ReadAsync(run.Given(FromInput), isNew, run.Cancel);
        if (isNew)
        {
            await run.Client.RegisterAsync(username, password, cancellationToken: run.Cancel);
        }

        var account = await run.Client.LoginAsync(username, password, cancellationToken: run.Cancel);
        AccountVerbs.Tell(run, account, $"Logged in to {AccountVerbs.Shown(run.Server)} as {account.Username}.");
    }

    private static async Task<string> AskForUsernameAsync(CancellationToken cancellationToken)
    {
        if (Console.IsInputRedirected)
        {
            throw new UsageException("There is no terminal to ask for a username: name one.");
        }

        await Console.Error.WriteAsync("Username: ");
        return await Task.Run(Console.ReadLine, cancellationToken).WaitAsync(cancellationToken) is { Length: > 0 } name
            ? name.Trim()
            : throw new UsageException("There is no one to log in without a username.");
    }
}
