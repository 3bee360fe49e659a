using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Squall.Faults;

/// <summary>Writes RESULTS.md beside the tool, of which each command has its own section.</summary>
internal static class Results
{
    private const string Title = """
        # Results

        Written by `dotnet run -c Release --project tests/Faults -- disk --results`, by
        `-- kill --kills 200 --changes 1000000 --results`, `-- loginload --pairs 3 --seconds 60 --results`,
        `-- logins --pairs 500 --runs 3 --results`, `-- power --rounds 50 --writers 64 --results`,
        `-- revoke --races 10000 --results`, `-- slow --results`, `-- snapshot --snapshots 1000 --results` and
        `-- stall --stalled 1000 --deadline 30 --results`; do not edit. Client and server share the machine.


        """;

    public static async Task WriteAsync(string section, IEnumerable<string> lines, TimeProvider time)
    {
        string file = Path.Combine(await GitAsync("rev-parse", "--show-toplevel"), "tests", "Faults", "RESULTS.md");
        string commit = await GitAsync("rev-parse", "--short", "HEAD");
        bool isClean = (await GitAsync("status", "--porcelain", "src", "tests/Faults/*.cs")).Length == 0;
        string[] made =
        [
            $"## {section}", "",
            $"Commit {commit}{(isClean ? "" : ", with changes")}, {time.GetUtcNow():yyyy-MM-dd}; "
                + $"{Environment.ProcessorCount} cores, {RuntimeInformation.OSDescription}, "
                + $"{RuntimeInformation.FrameworkDescription}.",
            "", .. lines.Select(line => $"    {line}"), "",
        ];
        string before = File.Exists(file) ? await File.ReadAllTextAsync(file) : "";
        IEnumerable<string> others = before.Split("\n## ").Skip(1)
            .Where(other => !other.StartsWith(section, StringComparison.Ordinal))
            .Select(other => $"## {other.TrimEnd()}\n");
        IEnumerable<string> all = others.Append(string.Join('\n', made)).Order(StringComparer.Ordinal);
        await File.WriteAllTextAsync(file, Title + string.Join('\n', all));
    }

    private static async Task<string> GitAsync(params string[] arguments)
    {
        using Process git = Process.Start(new ProcessStartInfo("git", arguments) { RedirectStandardOutput = true })!;
        string said = await git.StandardOutput.ReadToEndAsync();
        await git.WaitForExitAsync();
        return said.Trim();
    }
}
