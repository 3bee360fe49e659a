using System.Xml.Linq;

namespace Squall.House.Tests;

/// <summary>Which project may use which, and what may never be reached, however indirectly.</summary>
internal static class ProjectArrows
{
    /// <summary>
    /// Contracts → Rpc/Core ← Rpc/Server ← Server; Rpc/Core ← Rpc/Client ← ClientSdk ← Cli;
    /// Server and ClientSdk use Contracts.
    /// </summary>
    public static readonly IReadOnlyDictionary<string, string[]> Allowed = new Dictionary<string, string[]>
    {
        ["src/Contracts"] = ["src/Rpc/Core"],
        ["src/Rpc/Core"] = [],
        ["src/Rpc/Server"] = ["src/Rpc/Core"],
        ["src/Rpc/Client"] = ["src/Rpc/Core"],
        ["src/Rpc/ClientFactory"] = ["src/Rpc/Client", "src/Rpc/Server", "src/Rpc/Core"],
        ["src/Rpc/Testing"] = ["src/Rpc/Client", "src/Rpc/Server", "src/Rpc/Core"],
        ["src/Server"] = ["src/Contracts", "src/Rpc/Server", "src/Rpc/Core"],
        ["src/ClientSdk"] = ["src/Contracts", "src/Rpc/Client", "src/Rpc/Core"],
        ["src/Cli"] = ["src/ClientSdk"],
        ["src/Web"] = ["src/Contracts"],
    };

    private static readonly string[] AspNet = ["Microsoft.AspNetCore", "Microsoft.NET.Sdk.Web"];
    private static readonly string[] Database =
        ["Microsoft.EntityFrameworkCore", "Microsoft.Data", "SQLitePCLRaw", "Npgsql"];

    /// <summary>Packages, frameworks and SDKs that a project may not reach by any way, by how they begin.</summary>
    private static readonly Dictionary<string, string[]> Unreachable = new()
    {
        ["src/Contracts"] = [.. AspNet, .. Database],
        ["src/Rpc/Core"] = [.. AspNet, .. Database],
        ["src/Rpc/Client"] = [.. AspNet, .. Database],
        ["src/Rpc/Server"] = Database,
        ["src/ClientSdk"] = [.. AspNet, .. Database],
        ["src/Cli"] = [.. AspNet, .. Database],
    };

    public static IEnumerable<string> References(Tree tree)
    {
        foreach (var path in tree.Projects.Where(path => path.StartsWith("src/", StringComparison.Ordinal)))
        {
            var project = Folder(path);
            if (!Allowed.TryGetValue(project, out var allowed))
            {
                yield return $"{path}: {project} is not in the table of projects";
                continue;
            }

            foreach (var used in Uses(tree, path).Select(Folder).Except(allowed))
            {
                yield return $"{path}: {project} may not use {used}";
            }
        }
    }

    public static IEnumerable<string> Dependencies(Tree tree)
    {
        foreach (var path in tree.Projects.Where(path => Unreachable.ContainsKey(Folder(path))))
        {
            foreach (var reached in Reaches(tree, path))
            {
                foreach (var name in Outside(tree, reached).Where(name => IsIn(name, Unreachable[Folder(path)])))
                {
                    yield return $"{path}: {Folder(path)} may not reach {name}, which {reached} names";
                }
            }
        }
    }

    private static bool IsIn(string name, string[] beginnings) =>
        beginnings.Any(beginning => name.StartsWith(beginning, StringComparison.OrdinalIgnoreCase));

    private static HashSet<string> Reaches(Tree tree, string path)
    {
        var reached = new HashSet<string> { path };
        var waiting = new Queue<string>([path]);
        while (waiting.TryDequeue(out var next))
        {
            foreach (var used in Uses(tree, next).Where(used => tree.Has(used) && reached.Add(used)))
            {
                waiting.Enqueue(used);
            }
        }

        return reached;
    }

    private static IEnumerable<string> Uses(Tree tree, string path) =>
        from reference in XDocument.Parse(tree.Text(path)).Descendants("ProjectReference")
        where (string?)reference.Attribute("ReferenceOutputAssembly") != "false"
        select Path.GetRelativePath("/", Path.GetFullPath(
            ((string)reference.Attribute("Include")!).Replace('\\', '/'), "/" + Folder(path)));

    private static IEnumerable<string> Outside(Tree tree, string path)
    {
        var project = XDocument.Parse(tree.Text(path));
        var names = project.Descendants()
            .Where(item => item.Name.LocalName is "PackageReference" or "FrameworkReference" or "Reference")
            .Select(item => (string?)item.Attribute("Include") ?? "");
        return names.Append((string?)project.Root!.Attribute("Sdk") ?? "");
    }

    private static string Folder(string path) => path[..path.LastIndexOf('/')];
}
