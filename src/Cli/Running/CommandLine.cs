using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;

namespace Squall.Cli;

/// <summary>The command line as a whole: its parts, its help, and what happens to one that is wrong.</summary>
internal static class CommandLine
{
    public static readonly Option<string?> Server = new("--server")
    {
        Description = $"The server's address; else SQUALL_ENDPOINT, else {Invocation.DefaultServer}.",
        HelpName = "URL",
        Recursive = true,
    };

    public static readonly Option<bool> Json = new("--json")
    {
        Description = "Print JSON, one object a line; an error is one on standard error.",
        Recursive = true,
    };

    public static readonly Option<bool> AllowClearText = new("--allow-clear-text")
    {
        Description = "Send passwords and tokens without TLS to a server on another host.",
        Recursive = true,
    };

    public static RootCommand Of(params Verb[] verbs)
    {
        var root = new RootCommand("Tasks that people and programs share, from the command line.")
        {
            HelpName = "squall",
        };
        foreach (var shared in (Option[])[Server, Json, AllowClearText])
        {
            root.Add(shared);
        }

        foreach (var verb in verbs)
        {
            root.Add(verb);
        }

        var help = new HelpWithExample();
        var option = root.Options.OfType<HelpOption>().Single();
        option.Action = help;
        option.Description = "Show what there is to know of a command.";
        root.Options.OfType<VersionOption>().Single().Description = "Show the version.";
        root.SetAction(help.Invoke);
        return root;
    }

    public static async Task<int> RunAsync(RootCommand root, string[] args)
    {
        // A title may begin with '@', and '-x' is no bundle of options.
        var given = root.Parse(args, new ParserConfiguration
        {
            ResponseFileTokenReplacer = null,
            EnablePosixBundling = false,
        });
        var isJson = given.GetResult(Json) is { Implicit: false };
        var wrong = given is { Action: ParseErrorAction, Errors: [var first, ..] } ? first.Message : Mistaken(given);
        if (wrong is not null)
        {
            var command = given.CommandResult.Command;
            var name = command is RootCommand ? "squall" : $"squall {Path(command)}";
            var line = string.Join(' ', wrong.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
            return Failure.Of(new UsageException($"{line.TrimEnd('.')}. See '{name} --help'."))
                .Report(isJson);
        }

        try
        {
            // A command decides what Ctrl-C means to it, and has two seconds to end.
            return await given.InvokeAsync(new InvocationConfiguration
            {
                EnableDefaultExceptionHandler = false,
                ProcessTerminationTimeout = TimeSpan.FromSeconds(2),
            });
        }
        catch (Exception e)
        {
            // Help that cannot be written, for one.
            return Failure.Of(e).Report(isJson);
        }
    }

    /// <summary>A word of a title that looks like an option is a mistyped option, unless it comes after --.</summary>
    private static string? Mistaken(ParseResult given)
    {
        var options = given.Tokens.TakeWhile(token => token.Type != TokenType.DoubleDash).ToHashSet(
            ReferenceEqualityComparer.Instance);
        return given.CommandResult.Children.OfType<ArgumentResult>().SelectMany(argument => argument.Tokens)
            .Where(token => token.Value.StartsWith("--", StringComparison.Ordinal) && options.Contains(token))
            .Select(token => $"There is no option '{token.Value}'; words that begin so come after --.")
            .FirstOrDefault();
    }

    private static string Path(Command command) =>
        command.Parents.OfType<Verb>().FirstOrDefault() is { } parent ? $"{parent.Name} {command.Name}" : command.Name;

    private sealed class HelpWithExample : SynchronousCommandLineAction
    {
        private const string Environment = """
            Environment:
              SQUALL_ENDPOINT  The server's address, unless --server names it.
              SQUALL_TOKEN     An API key or access token to use instead of a session.
              SQUALL_PASSWORD  The password for 'squall login'.
              NO_COLOR         Anything: no colours.

            Exit codes:
              0  done     1  refused by the server, or not reachable     2  wrong usage

            """;

        private readonly HelpAction help = new();

        public override bool ClearsParseErrors => true;

        public override int Invoke(ParseResult given)
        {
            help.Invoke(given);
            given.InvocationConfiguration.Output.WriteLine(
                given.CommandResult.Command is Verb verb ? $"Example:\n  {verb.Example}\n" : Environment);
            return Failure.Done;
        }
    }
}
