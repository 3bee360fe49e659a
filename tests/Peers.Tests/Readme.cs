using System.Text.RegularExpressions;

namespace Squall.Peers.Tests;

/// <summary>A fenced piece of README.md, and the block of output that stands right after it, if any.</summary>
public sealed record Snippet(string Language, string Text, string? Output)
{
    /// <summary>Whether this was printed: '…' stands for anything, and blanks are not compared.</summary>
    public bool Shows(string printed) => Output is null || Regex.IsMatch(
        Squeezed(printed),
        "^" + string.Join(".*", Squeezed(Output).Split('…').Select(Regex.Escape)) + "$",
        RegexOptions.Singleline);

    private static string Squeezed(string text) => Regex.Replace(text, @"\s+", "").Trim();
}

/// <summary>README.md as its reader takes it: piece by piece, as they stand.</summary>
public static partial class Readme
{
    private static readonly string[] Outputs = ["json", "text"];

    public static IReadOnlyList<Snippet> Snippets { get; } = Read(File.ReadAllText(Repository.PathOf("README.md")));

    /// <summary>The command that starts the server.</summary>
    public static Snippet Start => Snippets.First(one => one is { Language: "sh" } && IsStart(one));

    public static IEnumerable<Snippet> Shell => Snippets.Where(one => one is { Language: "sh" } && !IsStart(one));

    public static IEnumerable<Snippet> CSharp => Snippets.Where(one => one.Language == "csharp");

    public static IReadOnlyList<Snippet> Read(string text)
    {
        var blocks = Fences().Matches(text)
            .Select(match => new Snippet(match.Groups["language"].Value, match.Groups["text"].Value, null)).ToList();
        return [.. blocks.Index().Where(block => !Outputs.Contains(block.Item.Language)).Select(block => block.Item with
        {
            Output = blocks.Skip(block.Index + 1).Take(1).FirstOrDefault(next => Outputs.Contains(next.Language))?.Text,
        })];
    }

    private static bool IsStart(Snippet snippet) =>
        snippet.Text.Contains("dotnet run --project src/Server", StringComparison.Ordinal);

    [GeneratedRegex(@"^```(?<language>\w+)\n(?<text>.*?)^```$", RegexOptions.Singleline | RegexOptions.Multiline)]
    private static partial Regex Fences();
}
