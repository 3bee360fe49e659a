using System.Text.Json;

namespace Squall.Peers.Tests;

/// <summary>With one property the application stands on grpc-dotnet's packages, and on nothing of src/Rpc.</summary>
public sealed class OfficialStackTests
{
    public static TheoryData<string, string[]> Projects => new()
    {
        { "src/Contracts", ["Grpc.Core.Api", "Grpc.StatusProto"] },
        {
            "src/Server",
            [
                "Grpc.AspNetCore", "Grpc.AspNetCore.HealthChecks", "Grpc.AspNetCore.Server.Reflection",
                "Grpc.AspNetCore.Web",
            ]
        },
        { "src/ClientSdk", ["Grpc.Net.Client", "Grpc.Net.ClientFactory"] },
        { "src/Cli", [] },
        { "samples/Quickstart", [] },
    };

    [Theory, MemberData(nameof(Projects))]
    public async Task The_official_packages_stand_in_for_the_runtime(string project, string[] packages)
    {
        var evaluated = await EvaluateAsync(project, "-p:GrpcStack=Official");
        var versions = Items(evaluated, "PackageVersion");
        Assert.Equal(packages, Identities(evaluated, "PackageReference")
            .Where(name => name.StartsWith("Grpc.", StringComparison.Ordinal) && name != "Grpc.Tools").Order());
        Assert.All(packages, package => Assert.Matches(
            "^[0-9]+\\.[0-9]+", versions.Single(item => Name(item) == package).GetProperty("Version").GetString()));
        Assert.DoesNotContain(
            Identities(evaluated, "ProjectReference"), path => path.Contains("Rpc", StringComparison.Ordinal));
        Assert.NotEqual("true", Property(evaluated, "RestorePackagesWithLockFile"));
        Assert.DoesNotContain("packages.lock.json", Property(evaluated, "NuGetLockFilePath"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Each_package_has_a_version_of_its_own()
    {
        var evaluated = await EvaluateAsync(
            "src/Server", "-p:GrpcStack=Official", "-p:GrpcDotnetVersion=9.8.7", "-p:GrpcWebVersion=1.2.3");
        var versions = Items(evaluated, "PackageVersion").ToDictionary(
            Name, item => item.GetProperty("Version").GetString());
        Assert.Equal("9.8.7", versions["Grpc.AspNetCore"]);
        Assert.Equal("1.2.3", versions["Grpc.AspNetCore.Web"]);
    }

    [Fact]
    public async Task Without_the_property_nothing_of_them_is_left()
    {
        var evaluated = await EvaluateAsync("src/Server");
        Assert.DoesNotContain("Grpc.AspNetCore", Identities(evaluated, "PackageReference"));
        Assert.Contains(
            Identities(evaluated, "ProjectReference"),
            path => path.EndsWith("Squall.Rpc.Server.csproj", StringComparison.Ordinal));
        Assert.Equal("true", Property(evaluated, "RestorePackagesWithLockFile"));
    }

    private static async Task<JsonElement> EvaluateAsync(string project, params string[] properties)
    {
        var output = await Command.OutputAsync(Repository.Root, "dotnet", [
            "msbuild", Directory.GetFiles(Repository.PathOf(project), "*.csproj").Single(), .. properties,
            "-getItem:PackageReference,PackageVersion,ProjectReference",
            "-getProperty:RestorePackagesWithLockFile,NuGetLockFilePath"]);
        return JsonDocument.Parse(output).RootElement;
    }

    private static JsonElement[] Items(JsonElement evaluated, string type) =>
        [.. evaluated.GetProperty("Items").GetProperty(type).EnumerateArray()];

    private static IEnumerable<string> Identities(JsonElement evaluated, string type) =>
        Items(evaluated, type).Select(Name);

    private static string Name(JsonElement item) => item.GetProperty("Identity").GetString()!;

    private static string Property(JsonElement evaluated, string name) =>
        evaluated.GetProperty("Properties").GetProperty(name).GetString()!;
}
