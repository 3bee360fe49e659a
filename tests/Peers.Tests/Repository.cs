namespace Squall.Peers.Tests;

/// <summary>Where this repository is, and what its tests may use of it.</summary>
internal static class Repository
{
#if DEBUG
    public const string Configuration = "Debug";
#else
    public const string Configuration = "Release";
#endif

    public static string Root { get; } = FindRoot();

    /// <summary>The packages that ./test.sh has npm install.</summary>
    public static string NodeModules { get; } = Installed("tests/Peers/node_modules");

    public static string Buf { get; } = Installed("tests/Peers/node_modules/.bin/buf");

    public static string PathOf(string path) => Path.Combine(Root, path);

    private static string Installed(string path) => Path.Exists(PathOf(path))
        ? PathOf(path)
        : throw new InvalidOperationException($"{path} is missing: ./test.sh installs it.");

    private static string FindRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Grpc.sln")))
        {
            folder = folder.Parent;
        }

        return folder?.FullName ?? throw new InvalidOperationException("No Grpc.sln above the tests.");
    }
}
