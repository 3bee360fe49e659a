using System.Reflection;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.Extensions.DependencyInjection;

namespace Squall.Rpc.Tests;

/// Holds the runtime to the surface that api.txt lists, so that neither a member is lost nor one offered by chance.
public sealed class ApiSurfaceTests
{
    private static readonly Assembly[] Assemblies =
    [
        typeof(CallInvoker).Assembly, typeof(GrpcChannel).Assembly, typeof(GrpcServicesExtensions).Assembly,
        typeof(GrpcClientServiceExtensions).Assembly,
    ];

    [Fact]
    public void The_surface_is_the_listed_one()
    {
        string[] lines = File.ReadAllLines(Path.Combine(AppContext.BaseDirectory, "api.txt"));
        HashSet<string> listed = Read(lines);
        HashSet<string> offered = [.. ApiSurface.Of(Assemblies)
            .Where(type => !type.Key.Contains(" Squall.Rpc.", StringComparison.Ordinal))
            .SelectMany(type => type.Value.Select(member => $"{type.Key} / {member}").Prepend(type.Key))];
        string report = string.Join('\n',
        [
            .. listed.Except(offered).Order().Select(line => $"missing: {line}"),
            .. offered.Except(listed).Order().Select(line => $"not listed: {line}"),
        ]);
        Assert.True(report.Length == 0, report);
    }

    [Fact]
    public void A_lost_a_new_and_a_changed_member_would_be_told()
    {
        IEnumerable<string> members = ApiSurface.Of([typeof(ApiSurfaceTests).Assembly])
            .Where(type => type.Key.Contains("SurfaceSample", StringComparison.Ordinal))
            .SelectMany(type => type.Value);
        Assert.Equal(
        [
            "SurfaceSample(int size = 3)",
            "int Size { get; }",
            "protected virtual TItem Pick<TItem>(params TItem[] items) where TItem : class, new()",
            "static Task<string> NameAsync(this Stream stream, DateTime? at = default)",
        ], members.Order(StringComparer.Ordinal));
    }

    /// The types and members that are listed; a member stands after its type.
    private static HashSet<string> Read(string[] lines)
    {
        HashSet<string> listed = [];
        string type = "";
        foreach (string line in lines.Where(line => line.Length > 0 && line[0] != '#'))
        {
            bool isMember = line[0] == ' ';
            string text = line.Trim();
            type = isMember ? type : text;
            listed.Add(isMember ? $"{type} / {text}" : text);
        }

        return listed;
    }
}

public static class SurfaceSampleExtensions
{
    public static Task<string> NameAsync(this Stream stream, DateTime? at = null) => Task.FromResult($"{stream}{at}");
}

public class SurfaceSample(int size = 3)
{
    public int Size { get; } = size;

    public override string ToString() => $"{Size}";

    protected virtual TItem Pick<TItem>(params TItem[] items) where TItem : class, new() => items[0];

    private void Hidden() => ToString();
}
