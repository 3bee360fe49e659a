using System.Text.RegularExpressions;

namespace Squall.House.Tests;

/// <summary>
/// A test's passwords come from tests/Secrets.cs, which remembers them, so that all output can be searched for them.
/// What a password may be is shown by examples, which are nobody's.
/// </summary>
internal static partial class Passwords
{
    private static readonly string[] Folders = ["tests/", "bench/"];

    private static readonly string[] Examples =
    [
        "tests/Server.Tests/AuthPasswordTests.cs", "tests/Server.Tests/BadInputTable.cs",
        "tests/Server.Tests/WeakPasswordTests.cs", "tests/House.Tests/ControlTests.cs",
    ];

    public static IEnumerable<string> Literal(Tree tree) =>
        from path in tree.CSharp.Concat(tree.WithEnding(".js", ".mjs", ".py"))
        where Folders.Any(folder => path.StartsWith(folder, StringComparison.Ordinal)) && !Examples.Contains(path)
        from line in tree.Lines(path).Index()
        where Assigned().IsMatch(line.Item) || Given().IsMatch(line.Item) || Told().IsMatch(line.Item)
        select $"{path}:{line.Index + 1}: a password that is not from tests/Secrets.cs";

    /// <summary>A field, a variable or a property: but for the empty text, and for names of variables.</summary>
    [GeneratedRegex("""(?i)\b\w*password\s*=\s*\$*@?["'](?!["'])""")]
    private static partial Regex Assigned();

    /// <summary>An argument of a call that takes one; an address is none.</summary>
    [GeneratedRegex("""\b((Login|Register)Async\("[^"]*", *"(?![\da-f:.]+")|(ChangePassword|DeleteAccount)Async\(")""")]
    private static partial Regex Given();

    /// <summary>A member of JSON, or of an object; a prompt is none.</summary>
    [GeneratedRegex("""(?i)["']?password["']?\s*:\s*\[?\s*["'](?![{"',)])""")]
    private static partial Regex Told();
}
