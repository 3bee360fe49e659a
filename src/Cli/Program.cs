using System.CommandLine;
using System.Globalization;

namespace Squall.Cli;

/// <summary>The table of contents: what squall does, a line a command.</summary>
internal static class Program
{
    public static Task<int> Main(string[] args)
    {
        foreach (var set in (Action<CultureInfo>[])
        [
            culture => CultureInfo.CurrentCulture = culture,
            culture => CultureInfo.CurrentUICulture = culture,
            culture => CultureInfo.DefaultThreadCurrentCulture = culture,
        ])
        {
            set(CultureInfo.InvariantCulture);
        }

        return CommandLine.RunAsync(Root(), args);
    }

    public static RootCommand Root() => CommandLine.Of(
        LoginVerb.Make(),
        AccountVerbs.Logout(),
        AccountVerbs.Whoami(),
        AccountVerbs.Account(),
        PasswordVerb.Make(),
        SessionVerbs.Sessions(),
        KeyVerbs.Keys(),
        ListVerbs.Lists(),
        AddVerb.Make(),
        ListTasksVerb.Make(),
        ShowVerb.Make(),
        EndVerbs.Done(),
        EndVerbs.Cancel(),
        EndVerbs.Reopen(),
        EndVerbs.Remove(),
        EditVerb.Make(),
        MoveVerb.Make(),
        CommentVerb.Make(),
        WatchVerb.Make());
}
