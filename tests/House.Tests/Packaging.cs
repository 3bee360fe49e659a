using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Squall.House.Tests;

/// <summary>How projects stand together: one solution, one version, packages pinned in one place and locked.</summary>
internal static partial class Packaging
{
    public static IEnumerable<string> Nesting(Tree tree) =>
        from outer in tree.Projects
        from inner in tree.Projects
        where outer != inner && Folder(inner).StartsWith(Folder(outer), StringComparison.Ordinal)
        select $"{inner}: lies in or below the folder of {outer}";

    public static IEnumerable<string> Solution(Tree tree) =>
        from path in tree.Projects
        where !tree.Has("Grpc.sln")
            || !tree.Text("Grpc.sln").Contains($"\"{path.Replace('/', '\\')}\"", StringComparison.Ordinal)
        select $"{path}: not in Grpc.sln";

    public static IEnumerable<string> OneVersion(Tree tree)
    {
        var found = MsBuild(tree).SelectMany(path => Elements(tree, path)
            .Where(element => element.Name.LocalName is "Version" or "VersionPrefix" or "PackageVersion"
                && element.Parent?.Name.LocalName == "PropertyGroup")
            .Select(_ => path)).ToList();
        return found is ["Directory.Build.props"]
            ? []
            : [$"One <Version>, in Directory.Build.props: {string.Join(' ', found)}"];
    }

    public static IEnumerable<string> CentralVersions(Tree tree) =>
        from path in MsBuild(tree)
        from element in Elements(tree, path)
        let name = (string?)element.Attribute("Include") ?? (string?)element.Attribute("Update")
        let fault = element.Name.LocalName switch
        {
            "PackageReference" when (Version(element, "Version") ?? Version(element, "VersionOverride")) is not null
                => "has a version of its own",
            "PackageDownload" when Version(element, "Version") is not ['[', '$', '(', ..] => "has a version of its own",
            "PackageVersion" when element.Parent?.Name.LocalName == "ItemGroup" && path != "Directory.Packages.props"
                => "is pinned beside Directory.Packages.props",
            "PackageVersion" when Version(element, "Version") is { } version && !Exact().IsMatch(version)
                => "is not pinned to one version",
            _ => null,
        }
        where fault is not null
        select $"{path}: {name} {fault}";

    public static IEnumerable<string> Locks(Tree tree) =>
        from path in tree.Projects
        where !tree.Has(Folder(path) + "packages.lock.json")
        select $"{path}: without its packages.lock.json";

    public static IEnumerable<string> Globalization(Tree tree) =>
        from path in MsBuild(tree)
        from element in Elements(tree, path)
        where element.Name.LocalName == "InvariantGlobalization" && element.Value.Trim() != "false"
        select $"{path}: InvariantGlobalization makes normalisation do nothing, silently";

    /// <summary>A lock file of npm names what to install and its hash, not where it came from that day.</summary>
    public static IEnumerable<string> Addresses(Tree tree) =>
        from path in tree.Paths
        where Path.GetFileName(path) == "package-lock.json"
            && tree.Text(path).Contains("\"resolved\": \"http", StringComparison.Ordinal)
        select $"{path}: records download addresses";

    /// <summary>Whoever may not install packages, or asks first, reads in CONTRIBUTING.md which they are.</summary>
    public static IEnumerable<string> Installed(Tree tree) =>
        from path in tree.Paths
        where path == "test.sh"
        from line in tree.Lines(path)
        from Match adds in Adds().Matches(line)
        from package in adds.Groups[1].Value.Split(' ', StringSplitOptions.RemoveEmptyEntries)
        where !tree.Has("CONTRIBUTING.md")
            || !tree.Text("CONTRIBUTING.md").Contains($"`{package}`", StringComparison.Ordinal)
        select $"{path}: installs {package}, which CONTRIBUTING.md does not name";

    private static IEnumerable<string> MsBuild(Tree tree) => tree.WithEnding(".csproj", ".props", ".targets");

    private static IEnumerable<XElement> Elements(Tree tree, string path) =>
        XDocument.Parse(tree.Text(path)).Descendants();

    private static string? Version(XElement element, string name) =>
        (string?)element.Attribute(name) ?? (string?)element.Element(name);

    /// <summary>With the slash at its end, so that src/Rpc is no beginning of src/RpcMore.</summary>
    private static string Folder(string path) => path[..(path.LastIndexOf('/') + 1)];

    [GeneratedRegex(@"\bpackages\+=\(([^)$]*)\)")]
    private static partial Regex Adds();

    [GeneratedRegex(@"^([0-9]+(\.[0-9A-Za-z-]+)+|\$\([A-Za-z]+\))$")]
    private static partial Regex Exact();
}
