using System.CommandLine;

namespace Squall.Cli;

/// <summary>squall password: changes it, which ends all other sessions.</summary>
internal static class PasswordVerb
{
    private static readonly Option<bool> FromInput = new("--password-stdin")
    {
        Description = "Read the current password and the new one from two lines of standard input; else both are asked"
            + " for.",
    };

    public static Verb Make() => new Verb(
        "password", "Changes your password, which ends all your other sessions.",
        "squall password --password-stdin <<< \"$SQUALL_PASSWORD\"$'\\n'\"a few words of your own\"")
    {
        FromInput,
    }.Does(async run =>
    {
        var (current, next) = await Password.ReadChangeAsync(run.Given(FromInput), run.Cancel);
        await run.Client.Access.ChangePasswordAsync(current, next, cancellationToken: run.Cancel);
        AccountVerbs.Tell(run, "Changed the password; your other sessions have ended.");
    });
}
