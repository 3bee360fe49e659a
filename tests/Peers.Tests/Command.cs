using System.Diagnostics;

namespace Squall.Peers.Tests;

/// <summary>A program that ran to its end, and what it said.</summary>
public sealed record Command(int ExitCode, string Output, string Errors)
{
    // A net under programs that hang; a build in a fresh clone takes the longest.
    private static readonly TimeSpan TimeMax = TimeSpan.FromMinutes(8);

    public static async Task<Command> RunAsync(string folder, string program, params string[] arguments)
    {
        using var process = Start(folder, program, arguments);
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        using var late = new CancellationTokenSource(TimeMax);
        try
        {
            await process.WaitForExitAsync(late.Token);
        }
        finally
        {
            process.Kill(entireProcessTree: true);
        }

        return new Command(process.ExitCode, await output, await errors);
    }

    /// <summary>Like <see cref="RunAsync"/>, for what must end well: gives its output.</summary>
    public static async Task<string> OutputAsync(string folder, string program, params string[] arguments)
    {
        var command = await RunAsync(folder, program, arguments);
        Assert.True(
            command.ExitCode == 0,
            $"{program} {string.Join(' ', arguments)} ended with {command.ExitCode}:\n{command}");
        return command.Output;
    }

    public static Process Start(string folder, string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        // What the test host and MSBuild set for themselves would steer a dotnet that is started from here.
        foreach (var name in start.Environment.Keys.Where(IsOfTheHost).ToList())
        {
            start.Environment.Remove(name);
        }

        (start.Environment["PEER_PASSWORD"], start.Environment["PEER_WRONG_PASSWORD"]) =
            (LoginSdk.Password, LoginSdk.Wrong);
        var process = Process.Start(start)!;
        process.StandardInput.Close();
        return process;
    }

    private static bool IsOfTheHost(string name) =>
        (name.StartsWith("MSBUILD", StringComparison.OrdinalIgnoreCase) && name != "MSBUILDDISABLENODEREUSE")
        || name.StartsWith("VSTEST", StringComparison.OrdinalIgnoreCase)
        || name is "DOTNET_HOST_PATH" or "DOTNET_STARTUP_HOOKS" or "ASPNETCORE_ENVIRONMENT";
}
