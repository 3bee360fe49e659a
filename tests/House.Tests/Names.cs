using System.Text.RegularExpressions;

namespace Squall.House.Tests;

/// <summary>Words that say nothing may not be part of the name of a type, a file or a folder.</summary>
internal static partial class Names
{
    private static readonly HashSet<string> Banned =
    [
        "Helper", "Helpers", "Manager", "Managers", "Common", "Util", "Utils", "Utilities", "Base", "Impl", "Data",
        "Info",
    ];

    private static readonly HashSet<string> BannedFolders = [.. Banned, "Shared", "Internal"];

    /// <summary>Names that gRPC's API or google.rpc fix.</summary>
    private static readonly HashSet<string> Exempt =
    [
        "ClientBase", "ClientBaseConfiguration", "ServiceBinderBase", "ChannelBase",
        "CallCredentialsConfiguratorBase", "ChannelCredentialsConfiguratorBase", "VersionInfo",
        "ErrorInfo", "RetryInfo", "DebugInfo", "ResourceInfo", "RequestInfo",
    ];

    public static IEnumerable<string> Types(Tree tree) =>
        from path in tree.CSharp
        from type in Source.Types(Source.Parse(tree, path))
        where !Exempt.Contains(type.Name)
        from word in Words().Matches(type.Name).Select(match => match.Value)
        where Banned.Contains(word)
        select $"{path}:{type.Line}: the type {type.Name} says '{word}'";

    public static IEnumerable<string> Files(Tree tree) =>
        from path in tree.CSharp
        let name = Path.GetFileNameWithoutExtension(path)
        where !Exempt.Contains(name)
        from word in Words().Matches(name).Select(match => match.Value)
        where Banned.Contains(word)
        select $"{path}: the file's name says '{word}'";

    public static IEnumerable<string> Folders(Tree tree) =>
        from path in tree.CSharp
        from folder in path.Split('/').SkipLast(1)
        from word in Words().Matches(folder).Select(match => match.Value)
        where BannedFolders.Contains(word)
        select $"{path}: the folder {folder} says '{word}'";

    [GeneratedRegex("[A-Z]+(?![a-z])|[A-Z][a-z0-9]*|[a-z0-9]+")]
    private static partial Regex Words();
}
