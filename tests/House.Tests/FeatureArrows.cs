using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Squall.House.Tests;

/// <summary>
/// Which feature folder of src/Server may use which. The namespace is flat, so a use is a name in one folder of a type
/// that another folder declares.
/// </summary>
internal static class FeatureArrows
{
    private const string Server = "src/Server/";

    /// <summary>A folder may use itself and what stands here. Files beside Program.cs may use all.</summary>
    public static readonly IReadOnlyDictionary<string, string[]> Allowed = new Dictionary<string, string[]>
    {
        ["Greeting"] = ["Hosting"],
        ["Accounts"] = ["Hosting", "Storage"],
        ["Tasks"] = ["Hosting", "Storage", "Accounts"],
        ["Notifications"] = ["Hosting", "Storage", "Accounts", "Tasks"],
        ["Leasing"] = ["Hosting", "Storage", "Accounts", "Tasks"],
        ["Storage"] = ["Hosting"],
        ["Hosting"] = ["Storage", "Accounts"],
    };

    /// <summary>Files that use more than their folder may, each with the reason.</summary>
    private static readonly Dictionary<string, string> Exempt = new()
    {
        ["src/Server/Storage/SquallDb.cs"] = "the DbContext names the rows of all features, and nothing else of them",
        ["src/Server/Accounts/Caller.cs"] = "what a caller may do in a list stands in the list's member rows",
    };

    public static IEnumerable<string> Uses(Tree tree)
    {
        var files = tree.CSharp.Where(path => Feature(path) is not null)
            .Select(path => (Path: path, Root: Source.Parse(tree, path))).ToList();
        var owners = files
            .SelectMany(file => TopTypes(file.Root).Select(type => (Type: type, Owner: Feature(file.Path)!)))
            .GroupBy(pair => pair.Type)
            .Where(group => group.Select(pair => pair.Owner).Distinct().Count() == 1)
            .ToDictionary(group => group.Key, group => group.First().Owner);
        return from file in files
               where !Exempt.ContainsKey(file.Path)
               let feature = Feature(file.Path)!
               from name in TypeNames(file.Root)
               where owners.TryGetValue(name.Identifier.Text, out var owner) && !MayUse(feature, owner)
               select $"{file.Path}:{Source.Line(name)}: {feature} may not use {name.Identifier.Text} of "
                   + owners[name.Identifier.Text];
    }

    public static IEnumerable<string> Folders(Tree tree) =>
        from feature in tree.CSharp.Select(Feature).OfType<string>().Distinct()
        where !Allowed.ContainsKey(feature)
        select $"{Server}{feature}: not in the table of features";

    private static bool MayUse(string feature, string owner) =>
        feature == owner || !Allowed.TryGetValue(feature, out var allowed) || allowed.Contains(owner);

    private static string? Feature(string path) =>
        path.StartsWith(Server, StringComparison.Ordinal) && path.Split('/') is { Length: > 3 } parts ? parts[2] : null;

    private static IEnumerable<string> TopTypes(CompilationUnitSyntax root) =>
        root.DescendantNodes(node => node is not BaseTypeDeclarationSyntax).Select(node => node switch
        {
            BaseTypeDeclarationSyntax type => type.Identifier.Text,
            DelegateDeclarationSyntax type => type.Identifier.Text,
            _ => null,
        }).OfType<string>();

    /// <summary>Names that stand where a type can: not a member after a dot, not the name of an argument.</summary>
    private static IEnumerable<SimpleNameSyntax> TypeNames(CompilationUnitSyntax root) =>
        root.DescendantNodes().OfType<SimpleNameSyntax>().Where(name => name.Parent switch
        {
            MemberAccessExpressionSyntax access => access.Name != name,
            MemberBindingExpressionSyntax or NameColonSyntax or NameEqualsSyntax => false,
            AssignmentExpressionSyntax { Parent: InitializerExpressionSyntax } assignment => assignment.Left != name,
            _ => true,
        });
}
