using Squall.Client;
using Squall.V1;

namespace Squall.Cli;

/// <summary>squall logout and whoami.</summary>
internal static class AccountVerbs
{
    public static Verb Logout() => new Verb(
        "logout", "Ends the session with a server and forgets it.",
        "squall logout")
        .Does(async run =>
        {
            if (run.HasToken)
            {
                throw new UsageException($"{SquallClientOptions.TokenVariable} is set: there is no session to end.");
            }

            var had = run.Session.Exists;
            if (had)
            {
                await run.Client.LogoutAsync(cancellationToken: run.Cancel);
            }

            if (run.Output.IsJson)
            {
                run.Output.Raw(JsonText.Object(json => json.WriteString("server", Shown(run.Server))));
            }
            else
            {
                run.Output.Line(had
                    ? $"Logged out of {Shown(run.Server)}."
                    : $"There was no session with {Shown(run.Server)}.");
            }
        });

    public static Verb Whoami() => new Verb(
        "whoami", "Shows the account that commands act for, and the server.",
        "squall whoami")
        .Does(async run =>
        {
            var account = await run.Client.GetAccountAsync(cancellationToken: run.Cancel);
            var name = account.DisplayName.Length > 0 ? $" ({account.DisplayName})" : "";
            Tell(run, account, $"{account.Username}{name} on {Shown(run.Server)}");
        });

    public static string Shown(Uri server) => server.GetLeftPart(UriPartial.Authority);

    public static void Tell(Invocation run, Account account, string line)
    {
        if (run.Output.IsJson)
        {
            run.Output.Raw(JsonText.Object(json =>
            {
                json.WriteString("server", Shown(run.Server));
                json.WriteMessage("account", account);
            }));
        }
        else
        {
            run.Output.Line(line);
        }
    }
}
