using System.Diagnostics;

namespace Squall.House.Tests;

/// <summary>The files of a repository, by their paths below its root. Every rule is a function over one.</summary>
internal sealed class Tree
{
    private static readonly Lazy<Tree> Own = new(() => Tracked(FindRoot()));
    private readonly Func<string, string> _read;

    private Tree(IEnumerable<string> paths, Func<string, string> read)
    {
        _read = read;
        Paths = [.. paths.Order(StringComparer.Ordinal)];
    }

    /// <summary>This repository: what git tracks, and what it would if all were added.</summary>
    public static Tree Repository => Own.Value;

    /// <summary>With '/' between folders, whatever the machine.</summary>
    public IReadOnlyList<string> Paths { get; }

    public IEnumerable<string> CSharp => WithEnding(".cs").Where(path => !path.Contains("/Storage/Migrations/"));

    public IEnumerable<string> Projects => WithEnding(".csproj");

    /// <summary>A tree that is nowhere on disk, for a control that breaks a rule on purpose.</summary>
    public static Tree Of(params (string Path, string Text)[] files) =>
        new(files.Select(file => file.Path), path => files.First(file => file.Path == path).Text);

    public IEnumerable<string> WithEnding(params string[] endings) =>
        Paths.Where(path => endings.Any(ending => path.EndsWith(ending, StringComparison.Ordinal)));

    public string Text(string path) => _read(path);

    public string[] Lines(string path)
    {
        var lines = Text(path).Split('\n');
        return lines[^1].Length == 0 ? lines[..^1] : lines;
    }

    public bool Has(string path) => Paths.Contains(path);

    private static Tree Tracked(string root)
    {
        var start = new ProcessStartInfo("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        {
            WorkingDirectory = root,
            RedirectStandardOutput = true,
        };
        using var git = Process.Start(start)!;
        var paths = git.StandardOutput.ReadToEnd().Split('\0', StringSplitOptions.RemoveEmptyEntries).Distinct();
        git.WaitForExit();
        Assert.Equal(0, git.ExitCode);
        return new Tree(
            paths.Where(path => File.Exists(Path.Combine(root, path))),
            path => File.ReadAllText(Path.Combine(root, path)));
    }

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
