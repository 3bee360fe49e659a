using System.Reflection;

namespace Squall.Rpc.Tests;

/// Says which of the requirements in wire.txt a test shows.
[AttributeUsage(AttributeTargets.Method | AttributeTargets.Class)]
public sealed class WireAttribute(params string[] numbers) : Attribute
{
    public IReadOnlyList<string> Numbers => numbers;
}

/// Holds wire.txt and the tests together.
public sealed class WireListTests
{
    [Fact]
    public void Each_requirement_of_the_wire_has_a_test_and_each_number_a_requirement()
    {
        string[] required = [.. Requirements()];
        HashSet<string> shown = [.. Shown(typeof(WireListTests).Assembly)];
        Assert.Equal(required.Length, required.Distinct().Count());
        Assert.Empty(required.Except(shown));
        Assert.Empty(shown.Except(required));
    }

    [Fact]
    public void A_number_counts_only_on_a_test() => Assert.Empty(Shown(typeof(Control)));

    private static IEnumerable<string> Requirements() =>
        File.ReadLines(Path.Combine(AppContext.BaseDirectory, "wire.txt"))
            .Where(line => line.Length > 0 && line[0] is not '#' and not ' ')
            .Select(line => line[..line.IndexOf(' ')]);

    private static IEnumerable<string> Shown(Assembly assembly) => assembly.GetTypes().SelectMany(Shown);

    private static IEnumerable<string> Shown(Type type) => type.GetMethods()
        .Where(method => method.GetCustomAttribute<FactAttribute>() is { Skip: null })
        .SelectMany(method => Numbers(method).Concat(Numbers(type)));

    private static IReadOnlyList<string> Numbers(MemberInfo member) =>
        member.GetCustomAttribute<WireAttribute>()?.Numbers ?? [];

    private static class Control
    {
        [Wire("0.0.00")]
        public static void IsNoTest()
        {
        }
    }
}
