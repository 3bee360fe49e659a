using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Squall.House.Tests;

/// <summary>How long things may be. Migrations, generated files and proto modules are exempt.</summary>
internal static class Sizes
{
    public const int FileLinesMax = 400;
    public const int MethodLinesMax = 70;
    public const int LineColumnsMax = 120;
    public const int FoldersMax = 2;
    public const int RootEntriesMax = 20;
    public const int ReadmeLinesMax = 120;

    public static IEnumerable<string> Files(Tree tree) =>
        from path in tree.CSharp.Concat(tree.WithEnding(".sh", ".py", ".js", ".mjs", ".ts")).Append("README.md")
        where tree.Has(path)
        let lines = tree.Lines(path).Length
        let most = path == "README.md" ? ReadmeLinesMax : FileLinesMax
        where lines > most
        select $"{path}: {lines} lines, at most {most}";

    public static IEnumerable<string> Widths(Tree tree) =>
        from path in tree.CSharp.Concat(tree.WithEnding(".proto"))
        from line in tree.Lines(path).Index()
        let columns = line.Item.EnumerateRunes().Count()
        where columns > LineColumnsMax
        select $"{path}:{line.Index + 1}: {columns} columns, at most {LineColumnsMax}";

    /// <summary>A local function counts in its method; top-level statements count as one method.</summary>
    public static IEnumerable<string> Methods(Tree tree)
    {
        foreach (var path in tree.CSharp)
        {
            var root = Source.Parse(tree, path);
            foreach (var (name, first, last) in root.DescendantNodesAndSelf().Select(Body).OfType<(string, int, int)>())
            {
                if (last - first + 1 > MethodLinesMax)
                {
                    yield return $"{path}:{first}: {name} has {last - first + 1} lines, at most {MethodLinesMax}";
                }
            }
        }
    }

    /// <summary>Folders below src/&lt;Project&gt;; src/Rpc holds projects, and a proto module.</summary>
    public static IEnumerable<string> Folders(Tree tree) =>
        from path in tree.Paths
        where path.StartsWith("src/", StringComparison.Ordinal) && !path.EndsWith(".proto", StringComparison.Ordinal)
        let folders = path.Split('/').Length - (path.StartsWith("src/Rpc/", StringComparison.Ordinal) ? 4 : 3)
        where folders > FoldersMax
        select $"{path}: {folders} folders below its project, at most {FoldersMax}";

    public static IEnumerable<string> Root(Tree tree)
    {
        var entries = tree.Paths.Select(path => path.Split('/')[0]).Where(name => name[0] != '.').Distinct().ToList();
        return entries.Count > RootEntriesMax
            ? [$"The root has {entries.Count} entries, at most {RootEntriesMax}: {string.Join(' ', entries)}"]
            : [];
    }

    private static (string Name, int First, int Last)? Body(SyntaxNode node) => node switch
    {
        BaseMethodDeclarationSyntax method => Span(Source.NameOf(method), method, method.AttributeLists),
        AccessorDeclarationSyntax accessor => Span(accessor.Keyword.Text, accessor, accessor.AttributeLists),
        CompilationUnitSyntax unit when unit.Members.OfType<GlobalStatementSyntax>().Any() => (
            "The top level",
            Source.Line(unit.Members.OfType<GlobalStatementSyntax>().First().GetFirstToken()),
            Source.LastLine(unit.Members.OfType<GlobalStatementSyntax>().Last())),
        _ => null,
    };

    private static (string, int, int) Span(string name, SyntaxNode node, SyntaxList<AttributeListSyntax> attributes)
    {
        var first = attributes.Count == 0 ? node.GetFirstToken() : attributes.Last().GetLastToken().GetNextToken();
        return (name, Source.Line(first), Source.LastLine(node));
    }
}
