namespace Squall.Server.Tests;

/// <summary>The source tree that the tests were built from.</summary>
internal static class Repository
{
    public static string Root { get; } = Find(new DirectoryInfo(AppContext.BaseDirectory));

    public static string[] Lines(string file) => File.ReadAllLines(Path.Combine(Root, file));

    private static string Find(DirectoryInfo? directory) =>
        directory is null ? throw new InvalidOperationException("The tests do not lie within the source tree.")
        : File.Exists(Path.Combine(directory.FullName, "Grpc.sln")) ? directory.FullName
        : Find(directory.Parent);
}
