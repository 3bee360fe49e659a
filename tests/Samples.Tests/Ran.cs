using System.Diagnostics;

namespace Squall.Samples.Tests;

/// <summary>A program that has run to its end.</summary>
internal sealed record Ran(int ExitCode, string Output, string Errors)
{
#if DEBUG
    private const string Configuration = "Debug";
#else
    private const string Configuration = "Release";
#endif

    // A net under a program that hangs.
    private static readonly TimeSpan TimeMax = TimeSpan.FromMinutes(3);

    private static readonly string Root = FindRoot();

    private static readonly string Importer =
        Path.Combine(Root, "samples", "ImportTaskwarrior", "bin", Configuration, "net10.0", "ImportTaskwarrior.dll");

    /// <summary>Runs a project of the repository as it stands.</summary>
    public static Task<Ran> ProjectAsync(string project, Uri server) => EndAsync(StartProject(project, server, ""));

    /// <summary>Starts a project of the repository as it stands.</summary>
    public static Process StartProject(string project, Uri server, string password, params string[] arguments) => Start(
        server, password,
        [
            "run", "--no-build", "--configuration", Configuration, "--project", Path.Combine(Root, project), "--",
            .. arguments,
        ]);

    /// <summary>A text file of the repository.</summary>
    public static string Text(string path) => File.ReadAllText(Path.Combine(Root, path));

    /// <summary>Runs the import's program.</summary>
    public static Task<Ran> ImporterAsync(Uri server, string password, params string[] arguments) =>
        EndAsync(StartImporter(server, password, arguments));

    public static Process StartImporter(Uri server, string password, params string[] arguments) =>
        Start(server, password, [Importer, .. arguments]);

    private static Process Start(Uri server, string password, string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["SQUALL_ENDPOINT"] = server.ToString();
        start.Environment["SQUALL_PASSWORD"] = password;
        var process = Process.Start(start)!;
        process.StandardInput.Close();
        return process;
    }

    private static async Task<Ran> EndAsync(Process process)
    {
        using (process)
        {
            var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
            using var late = new CancellationTokenSource(TimeMax);
            try
            {
                await process.WaitForExitAsync(late.Token);
            }
            finally
            {
                process.Kill(entireProcessTree: true);
            }

            return new Ran(process.ExitCode, await output, await errors);
        }
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
