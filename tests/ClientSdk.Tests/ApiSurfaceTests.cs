using System.Reflection;
using System.Xml.Linq;
using Squall.Rpc.Tests;

namespace Squall.Client.Tests;

/// <summary>
/// What the SDK offers stands in api.txt, so that a change of it is seen: after one that is meant, take api.actual.txt
/// from the tests' output in its place. All of it is documented.
/// </summary>
public sealed class ApiSurfaceTests
{
    private static readonly Assembly Sdk = typeof(SquallClient).Assembly;

    [Fact]
    public async Task What_the_SDK_offers_is_what_is_listed()
    {
        var lines = ApiSurface.Of([Sdk])
            .SelectMany(type => type.Value.Where(IsWritten).Select(member => $"    {member}").Prepend(type.Key));
        var offered = string.Join('\n', lines) + "\n";
        var listed = await File.ReadAllTextAsync(PathOf("api.txt"));
        await File.WriteAllTextAsync(PathOf("api.actual.txt"), offered);
        Assert.Equal(listed, offered);
    }

    [Fact]
    public void All_that_the_SDK_offers_is_documented()
    {
        // The compiler refuses what has no comment at all; an empty one, it lets pass.
        var members = XDocument.Load(Path.ChangeExtension(Sdk.Location, ".xml")).Descendants("member").ToList();
        Assert.NotEmpty(members);
        Assert.All(members, member => Assert.True(
            member.Element("inheritdoc") is not null || member.Element("summary")?.Value.Trim().Length > 0,
            $"{member.Attribute("name")?.Value} has an empty comment."));
    }

    private static string PathOf(string name) => Path.Combine(AppContext.BaseDirectory, name);

    /// <summary>Not what the compiler makes of a record.</summary>
    private static bool IsWritten(string member) =>
        !member.Contains("<Clone>$", StringComparison.Ordinal)
        && !member.Contains("PrintMembers", StringComparison.Ordinal)
        && !member.Contains("EqualityContract", StringComparison.Ordinal);
}
