using System.CommandLine;

namespace Squall.Cli;

/// <summary>An argument of several words, so that a title need not be quoted.</summary>
internal static class Words
{
    public static Argument<string[]> Argument(string name, string description) => new(name)
    {
        Description = description,
        Arity = ArgumentArity.OneOrMore,
    };

    public static string Of(string[] words) => string.Join(' ', words);
}
