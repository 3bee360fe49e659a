using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Squall.House.Tests;

/// <summary>What no source may hold: the machine's clock, sleeps, blocking, swallowed errors, leftovers.</summary>
internal static partial class Banned
{
    /// <summary>Files that may block on a task, each with the reason.</summary>
    private static readonly Dictionary<string, string> MayBlock = new()
    {
        ["src/Rpc/Core/"] = "a generated stub has a blocking form of each unary call",
        ["src/Rpc/Client/"] = "a generated stub has a blocking form of each unary call",
    };

    public static IEnumerable<string> Apis(Tree tree) =>
        from path in tree.CSharp
        from node in Source.Parse(tree, path).DescendantNodes()
        let fault = FaultOf(node, path)
        where fault is not null
        select $"{path}:{Source.Line(node)}: {fault}";

    public static IEnumerable<string> Leftovers(Tree tree) =>
        from path in tree.CSharp
        from trivia in Source.Parse(tree, path).DescendantTrivia(descendIntoTrivia: true)
        let fault = trivia.Kind() switch
        {
            SyntaxKind.RegionDirectiveTrivia => "a region",
            SyntaxKind.SingleLineCommentTrivia or SyntaxKind.MultiLineCommentTrivia
                or SyntaxKind.SingleLineDocumentationCommentTrivia when Todo().IsMatch(trivia.ToString())
                => "a note to do something later",
            _ => null,
        }
        where fault is not null
        select $"{path}:{trivia.GetLocation().GetLineSpan().StartLinePosition.Line + 1}: {fault}";

    private static string? FaultOf(SyntaxNode node, string path) => node switch
    {
        MemberAccessExpressionSyntax access => FaultOf(access, path),
        InvocationExpressionSyntax call when Called(call, "Delay", "Task") => FaultOfDelay(call, path),
        InvocationExpressionSyntax call when Called(call, "Wait") && LooksLikeTask(Receiver(call)) && !Blocks(path) =>
            "waits for a task by blocking",
        CatchClauseSyntax { Block.Statements.Count: 0 } empty when !HasReason(empty) =>
            "an empty catch without a word why",
        _ => null,
    };

    private static string? FaultOf(MemberAccessExpressionSyntax access, string path) =>
        (LastName(access.Expression), access.Name.Identifier.Text) switch
        {
            ("DateTime" or "DateTimeOffset", "Now" or "UtcNow") => "reads the machine's clock: take a TimeProvider",
            ("Thread", "Sleep") => "sleeps",
            (_, "GetResult") when access.Expression is InvocationExpressionSyntax call
                && Called(call, "GetAwaiter") && !Blocks(path) => "waits for a task by blocking",
            (_, "Result") when LooksLikeTask(access.Expression) && !Blocks(path) => "waits for a task by blocking",
            _ => null,
        };

    /// <summary>
    /// A test waits for a signal; src, and the tools that break things on purpose, wait by a TimeProvider. Waiting for
    /// ever is neither.
    /// </summary>
    private static string? FaultOfDelay(InvocationExpressionSyntax call, string path)
    {
        var arguments = call.ArgumentList.Arguments.Select(argument => argument.ToString()).ToList();
        if (arguments.Count > 0 && arguments[0].Contains("Timeout.Infinite", StringComparison.Ordinal))
        {
            return null;
        }

        if (path.StartsWith("tests/", StringComparison.Ordinal) && path.Contains(".Tests/", StringComparison.Ordinal))
        {
            return "a test sleeps: wait for a signal";
        }

        var timed = arguments.Count == 3 || (arguments.Count == 2 && Clock().IsMatch(arguments[1]));
        return !timed && (path.StartsWith("src/", StringComparison.Ordinal)
            || path.StartsWith("tests/", StringComparison.Ordinal)) ? "a delay without a TimeProvider" : null;
    }

    /// <summary>A call, or a name that ends in task or pending; a message's field of that name is none.</summary>
    private static bool LooksLikeTask(ExpressionSyntax? expression) => expression switch
    {
        InvocationExpressionSyntax call => LastName(call.Expression).EndsWith("Async", StringComparison.Ordinal),
        AwaitExpressionSyntax or ParenthesizedExpressionSyntax or null => false,
        _ => LastName(expression).EndsWith("task", StringComparison.OrdinalIgnoreCase)
            || LastName(expression).EndsWith("pending", StringComparison.OrdinalIgnoreCase),
    };

    private static bool Called(InvocationExpressionSyntax call, string name, string? receiver = null) =>
        LastName(call.Expression) == name && (receiver is null || LastName(Receiver(call)) == receiver);

    private static ExpressionSyntax? Receiver(InvocationExpressionSyntax call) =>
        (call.Expression as MemberAccessExpressionSyntax)?.Expression;

    private static string LastName(ExpressionSyntax? expression) => expression switch
    {
        MemberAccessExpressionSyntax access => access.Name.Identifier.Text,
        SimpleNameSyntax name => name.Identifier.Text,
        _ => "",
    };

    private static bool HasReason(CatchClauseSyntax clause) =>
        clause.Block.DescendantTrivia().Any(trivia => trivia.IsKind(SyntaxKind.SingleLineCommentTrivia));

    private static bool Blocks(string path) =>
        MayBlock.Keys.Any(allowed => path.StartsWith(allowed, StringComparison.Ordinal));

    [GeneratedRegex(@"\b(TO(?:DO)|FIX(?:ME)|HA(?:CK)|X{3})\b")]
    private static partial Regex Todo();

    [GeneratedRegex("time|clock", RegexOptions.IgnoreCase)]
    private static partial Regex Clock();
}
