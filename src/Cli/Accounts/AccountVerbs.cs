using System.CommandLine;
using Squall.Client;
using Squall.V1;

namespace Squall.Cli;

/// <summary>squall logout, whoami and account.</summary>
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

            Tell(run, had
                ? $"Logged out of {Shown(run.Server)}."
                : $"There was no session with {Shown(run.Server)}.");
        });

    public static Verb Whoami() => new Verb(
        "whoami", "Shows the account that commands act for, and the server.",
        "squall whoami")
        .Does(ShowAsync);

    public static Verb Account() => new Verb(
        "account", "Shows your account, or with a further word renames or deletes it.",
        "squall account")
    {
        Rename(), Delete(),
    }.Does(ShowAsync);

    private static Verb Rename()
    {
        var name = Words.Argument("NAME", "What others read beside your username.");
        return new Verb(
            "rename", "Gives your account another display name.",
            "squall account rename Ada Lovelace")
        {
            name,
        }.Does(async run =>
        {
            var account = await run.Client.Access.RenameAsync(
                Words.Of(run.Given(name)), cancellationToken: run.Cancel);
            Tell(run, account, $"{account.Username} is {account.DisplayName} now");
        });
    }

    private static Verb Delete()
    {
        var yes = Confirmation.Yes();
        var fromInput = new Option<bool>("--password-stdin")
        {
            Description = "Read the password from standard input; else from "
                + $"{Password.Variable}, else it is asked for.",
        };
        return new Verb(
            "delete", "Deletes your account with your own lists, and ends your memberships.",
            "squall account delete --yes")
        {
            yes, fromInput,
        }.Does(async run =>
        {
            var account = await run.Client.GetAccountAsync(cancellationToken: run.Cancel);
            await Confirmation.AskAsync(
                run, yes, $"Delete the account '{Printable.Line(account.Username)}' with all its own lists?");
            var password = await Password.ReadAsync(run.Given(fromInput), isNew: false, run.Cancel);
            await run.Client.Access.DeleteAccountAsync(password, cancellationToken: run.Cancel);
            run.Output.Deleted(account.Id, $"Deleted {account.Username}");
        });
    }

    private static async Task ShowAsync(Invocation run)
    {
        var account = await run.Client.GetAccountAsync(cancellationToken: run.Cancel);
        var name = account.DisplayName.Length > 0 ? $" ({account.DisplayName})" : "";
        Tell(run, account, $"{account.Username}{name} on {Shown(run.Server)}");
    }

    public static string Shown(Uri server) => server.GetLeftPart(UriPartial.Authority);

    public static void Tell(Invocation run, string line)
    {
        if (run.Output.IsJson)
        {
            run.Output.Raw(JsonText.Object(json => json.WriteString("server", Shown(run.Server))));
        }
        else
        {
            run.Output.Line(line);
        }
    }

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
