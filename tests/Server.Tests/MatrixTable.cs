using Google.Protobuf.Reflection;
using Grpc.Health.V1;
using Alpha = Grpc.Reflection.V1Alpha;
using Stable = Grpc.Reflection.V1;

namespace Squall.Server.Tests;

/// <summary>What the list that a call is about is to its caller.</summary>
internal enum ListKind
{
    Own,
    Shared,
    Foreign,
    Deleted,
}

/// <summary>What is expected of one RPC.</summary>
/// <param name="Name">The RPC's, and in brackets what of it, where it has several rows.</param>
/// <param name="Cells">By kind of list and letter of the caller.</param>
internal sealed record MatrixRow(string Name, IReadOnlyDictionary<(ListKind Kind, char Caller), char> Cells)
{
    public string Rpc => Name.Split('(')[0];

    public IEnumerable<ListKind> Kinds => Cells.Keys.Select(cell => cell.Kind).Distinct().Order();
}

/// <summary>matrix.txt, which was written by hand; nothing of it comes from the server.</summary>
internal static class MatrixTable
{
    /// <summary>The callers that nobody lets in, whatever the list.</summary>
    public const string Nobodies = "NGXRrx";
    public const string Callers = "SVWEOvweoanu";

    /// <summary>Everything that the table can say of a cell.</summary>
    public const string Answers = "+0d-skl?p~";
    private const string File = "tests/Server.Tests/matrix.txt";
    private const string Package = "squall.v1.";

    public static IReadOnlyList<MatrixRow> Rows { get; } = Parse(Repository.Lines(File));

    /// <summary>Every RPC that the server serves, by the name that the table gives it.</summary>
    public static IReadOnlyDictionary<string, MethodDescriptor> Methods { get; } = Services()
        .SelectMany(service => service.Methods)
        .ToDictionary(NameOf);

    public static MatrixRow Row(string name) => Rows.Single(row => row.Name == name);

    public static MatrixRow[] Parse(IEnumerable<string> lines) =>
        [.. lines.Where(line => line.Length > 0 && line[0] != '#').Select(ParseRow)];

    private static MatrixRow ParseRow(string line)
    {
        string[] parts = line.Split('|', StringSplitOptions.TrimEntries);
        string[] first = parts[0].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        Assert.True(first.Length == 2 && first[1].Length == Nobodies.Length, line);
        Assert.True(parts.Length is 2 or 5, line);
        var cells = new Dictionary<(ListKind, char), char>();
        for (int kind = 0; kind < parts.Length - 1; kind++)
        {
            string band = first[1] + parts[kind + 1].Replace(" ", "", StringComparison.Ordinal);
            string callers = Nobodies + Callers;
            Assert.True(band.Length == callers.Length && band.All(Answers.Contains), line);
            for (int at = 0; at < callers.Length; at++)
            {
                cells.Add(((ListKind)kind, callers[at]), band[at]);
            }
        }

        return new MatrixRow(first[0], cells);
    }

    private static IEnumerable<ServiceDescriptor> Services() =>
    [
        .. Needs.Contract, .. HealthReflection.Descriptor.Services, .. Stable.ReflectionReflection.Descriptor.Services,
        .. Alpha.ReflectionReflection.Descriptor.Services,
    ];

    private static string NameOf(MethodDescriptor method)
    {
        string service = method.Service.FullName;
        return $"{(service.StartsWith(Package, StringComparison.Ordinal) ? service[Package.Length..] : service)}"
            + $"/{method.Name}";
    }
}
