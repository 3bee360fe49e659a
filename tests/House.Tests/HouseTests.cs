namespace Squall.House.Tests;

/// <summary>The rules that this repository keeps. <see cref="ControlTests"/> shows that each can be broken.</summary>
public sealed class HouseTests
{
    internal static readonly Dictionary<string, Func<Tree, IEnumerable<string>>> Rules = new()
    {
        ["files are short"] = Sizes.Files,
        ["lines are narrow"] = Sizes.Widths,
        ["methods are short"] = Sizes.Methods,
        ["folders are shallow"] = Sizes.Folders,
        ["the root is small"] = Sizes.Root,
        ["types are named"] = Names.Types,
        ["files are named"] = Names.Files,
        ["folders are named"] = Names.Folders,
        ["nothing sleeps or blocks"] = Banned.Apis,
        ["no regions, no notes for later"] = Banned.Leftovers,
        ["projects use what they may"] = ProjectArrows.References,
        ["projects reach what they may"] = ProjectArrows.Dependencies,
        ["features use what they may"] = FeatureArrows.Uses,
        ["features are in the table"] = FeatureArrows.Folders,
        ["applications use gRPC's own API"] = RpcUse.Names,
        ["what the runtime refuses has a reason"] = RpcUse.Reasons,
        ["applications can do without the runtime"] = RpcUse.References,
        ["no project above another"] = Packaging.Nesting,
        ["every project in the solution"] = Packaging.Solution,
        ["one version"] = Packaging.OneVersion,
        ["versions in one place"] = Packaging.CentralVersions,
        ["a lock file for each project"] = Packaging.Locks,
        ["what is installed is named"] = Packaging.Installed,
        ["globalization is on"] = Packaging.Globalization,
        ["no download addresses"] = Packaging.Addresses,
        ["no paths of a machine"] = Places.Machines,
        ["no hosts of registries"] = Places.Registries,
        ["passwords are remembered"] = Passwords.Literal,
    };

    public static TheoryData<string> RuleNames => new(Rules.Keys);

    [Theory, MemberData(nameof(RuleNames))]
    public void The_repository_keeps_the_rule(string rule)
    {
        var found = Rules[rule](Tree.Repository).ToList();
        Assert.True(found.Count == 0, $"{rule}:\n  {string.Join("\n  ", found)}");
    }

    [Fact]
    public void The_rules_see_the_repository()
    {
        Assert.Contains("src/Server/Program.cs", Tree.Repository.CSharp);
        Assert.Contains("src/Rpc/Core/Squall.Rpc.Core.csproj", Tree.Repository.Projects);
        Assert.DoesNotContain(Tree.Repository.Paths, path => path.Contains("/obj/"));
    }
}
