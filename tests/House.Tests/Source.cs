using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Squall.House.Tests;

/// <summary>C# as Roslyn reads it: what the rules that look into files share.</summary>
internal static class Source
{
    public static CompilationUnitSyntax Parse(Tree tree, string path) =>
        CSharpSyntaxTree.ParseText(tree.Text(path)).GetCompilationUnitRoot();

    public static int Line(SyntaxToken token) => token.GetLocation().GetLineSpan().StartLinePosition.Line + 1;

    public static int Line(SyntaxNode node) => Line(node.GetFirstToken());

    public static int LastLine(SyntaxNode node) => node.GetLocation().GetLineSpan().EndLinePosition.Line + 1;

    public static string NameOf(BaseMethodDeclarationSyntax method) => method switch
    {
        MethodDeclarationSyntax named => named.Identifier.Text,
        ConstructorDeclarationSyntax constructor => constructor.Identifier.Text,
        _ => method.Kind().ToString(),
    };

    /// <summary>Each type that a file declares, nested ones too, with the line of its name.</summary>
    public static IEnumerable<(string Name, int Line)> Types(CompilationUnitSyntax root) =>
        root.DescendantNodes().Select(node => node switch
        {
            BaseTypeDeclarationSyntax type => type.Identifier,
            DelegateDeclarationSyntax type => type.Identifier,
            _ => default,
        }).Where(name => name != default).Select(name => (name.Text, Line(name)));
}
