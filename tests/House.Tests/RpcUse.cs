using System.Text.RegularExpressions;

namespace Squall.House.Tests;

/// <summary>
/// Application code is written against gRPC's own API, so that it compiles on the official packages, too. What the
/// runtime offers beyond that is used by one file of wiring. What the runtime refuses has a reason.
/// </summary>
internal static partial class RpcUse
{
    private const string Wiring = "src/Server/Hosting/RpcWiring.cs";

    private static readonly string[] Application = ["src/Server/", "src/ClientSdk/", "src/Cli/", "samples/"];

    public static IEnumerable<string> Names(Tree tree) =>
        from path in tree.CSharp
        where path != Wiring && Application.Any(folder => path.StartsWith(folder, StringComparison.Ordinal))
        from line in tree.Lines(path).Index()
        where SquallRpc().IsMatch(line.Item)
        select $"{path}:{line.Index + 1}: names Squall.Rpc, which {Wiring} alone may";

    public static IEnumerable<string> References(Tree tree) =>
        from path in tree.Projects
        where Application.Any(folder => path.StartsWith(folder, StringComparison.Ordinal))
            || path.StartsWith("src/Contracts/", StringComparison.Ordinal)
        from items in System.Xml.Linq.XDocument.Parse(tree.Text(path)).Descendants("ItemGroup")
        from reference in items.Elements("ProjectReference")
        where ((string?)reference.Attribute("Include") ?? "").Contains("/Rpc/", StringComparison.Ordinal)
            && (string?)items.Attribute("Condition") != "'$(GrpcStack)' != 'Official'"
        select $"{path}: refers to {(string?)reference.Attribute("Include")} with the official packages, too";

    public static IEnumerable<string> Reasons(Tree tree) =>
        from path in tree.CSharp
        where path.StartsWith("src/Rpc/Server/", StringComparison.Ordinal)
        from line in tree.Lines(path).Index()
        where PlainError().IsMatch(line.Item)
        select $"{path}:{line.Index + 1}: an error without a reason: Refusal.Of gives it one";

    [GeneratedRegex(@"\bnew RpcException\(|\bRpcException \w+\(.*=> new\(")]
    private static partial Regex PlainError();

    [GeneratedRegex(@"\bSquall\.Rpc\b|(?<![\w.])Rpc\.[A-Z]")]
    private static partial Regex SquallRpc();
}
