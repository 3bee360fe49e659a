namespace Squall.House.Tests;

/// <summary>No file names a place on someone's machine, or a host that packages come from.</summary>
internal static class Places
{
    // Each is written in two pieces, or this file would report itself.
    private static readonly string[] Paths =
        ["/wo" + "rk/", "/tmp/sq" + "uall", "/ho" + "me/", "/ro" + "ot/", "C:\\Us" + "ers"];

    private static readonly string[] Hosts =
    [
        "nuget" + ".org", "npmjs" + ".", "pypi" + ".org", "pythonhosted" + ".org", "crates" + ".io",
        "deb.debian" + ".org", "proxy.golang" + ".org", "repo.maven" + ".", "yarnpkg" + ".com",
    ];

    private static readonly string[] Binary = [".binpb", ".png", ".ico", ".pfx", ".db"];

    public static IEnumerable<string> Machines(Tree tree) => Mentions(tree, Paths, "a path of a machine");

    public static IEnumerable<string> Registries(Tree tree) => Mentions(tree, Hosts, "a host that packages come from");

    private static IEnumerable<string> Mentions(Tree tree, string[] banned, string what) =>
        from path in tree.Paths
        where !Binary.Contains(Path.GetExtension(path))
        from line in tree.Lines(path).Index()
        from text in banned
        where line.Item.Contains(text, StringComparison.OrdinalIgnoreCase)
        select $"{path}:{line.Index + 1}: {what}, '{text}'";
}
