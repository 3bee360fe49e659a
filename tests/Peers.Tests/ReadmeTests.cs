using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Squall.Peers.Tests;

/// <summary>README.md's first screen works: each snippet is run as it stands, in a clone, beside the server.</summary>
public sealed class ReadmeTests(FreshClone clone, Packages packages)
    : IClassFixture<FreshClone>, IClassFixture<Packages>
{
    public static TheoryData<int> ShellSnippets => new(Enumerable.Range(0, Readme.Shell.Count()));

    public static TheoryData<int> CSharpSnippets => new(Enumerable.Range(0, Readme.CSharp.Count()));

    [Theory, MemberData(nameof(ShellSnippets))]
    public async Task A_shell_snippet_prints_what_the_readme_shows(int index)
    {
        var snippet = Readme.Shell.ElementAt(index);
        var path = $"{Path.GetDirectoryName(Repository.Buf)}:{Environment.GetEnvironmentVariable("PATH")}";
        var printed = await Command.OutputAsync(
            clone.Folder, "env", $"PATH={path}", $"XDG_CONFIG_HOME={clone.Configuration}",
            "bash", "-euo", "pipefail", "-c", snippet.Text);
        Assert.True(snippet.Shows(printed), $"{snippet.Text}\nshould print\n{snippet.Output}\nbut prints\n{printed}");
    }

    [Theory, MemberData(nameof(CSharpSnippets))]
    public async Task A_CSharp_snippet_runs_on_the_packages(int index)
    {
        var snippet = Readme.CSharp.ElementAt(index);
        var project = await packages.MakeConsoleAsync($"snippet{index}", snippet.Text);
        var printed = await Command.OutputAsync(project, "dotnet", "run", "--no-launch-profile");
        Assert.True(snippet.Shows(printed), $"{snippet.Text}\nshould print\n{snippet.Output}\nbut prints\n{printed}");
    }

    [Fact]
    public void The_first_screen_has_a_command_a_curl_a_buf_curl_and_a_CSharp_snippet()
    {
        Assert.Equal("dotnet run --project src/Server\n", Readme.Start.Text);
        Assert.Contains(Readme.Shell, one => one.Text.StartsWith("curl ", StringComparison.Ordinal));
        Assert.Contains(Readme.Shell, one => one.Text.StartsWith("buf curl ", StringComparison.Ordinal));
        Assert.NotEmpty(Readme.CSharp);
        Assert.All(Readme.Shell.Concat(Readme.CSharp), one => Assert.NotNull(one.Output));
    }

    [Fact]
    public void Output_that_the_readme_does_not_show_is_told_apart()
    {
        var snippet = Readme.Read("```sh\ncurl\n```\n\n```json\n{\"a\": 1, \"time\": \"…\"}\n```\n").Single();
        Assert.True(snippet.Shows("{\"a\":1,\"time\":\"2031\"}\n"));
        Assert.False(snippet.Shows("{\"a\":2,\"time\":\"2031\"}\n"));
        Assert.False(snippet.Shows(""));
    }
}

/// <summary>What is committed, cloned as a reader clones it, with a server started by the README's command.</summary>
public sealed class FreshClone : IAsyncLifetime
{
    private static readonly int[] Ports = [7080, 7443];

    private readonly string _root = Directory.CreateTempSubdirectory("squall-readme-").FullName;
    private Process? _server;

    public string Folder => Path.Combine(_root, "squall");

    /// <summary>Where programs keep what is their user's, and not the user's of these tests.</summary>
    public string Configuration => Path.Combine(_root, "config");

    public async Task InitializeAsync()
    {
        foreach (var port in Ports)
        {
            MustBeFree(port);
        }

        await Command.OutputAsync(_root, "git", "clone", "--quiet", Repository.Root, Folder);
        (_server, _) = await RunningServer.StartAsync(Folder, "bash", "-c", Readme.Start.Text);
    }

    public Task DisposeAsync()
    {
        _server?.Kill(entireProcessTree: true);
        _server?.WaitForExit();
        _server?.Dispose();
        Directory.Delete(_root, recursive: true);
        return Task.CompletedTask;
    }

    private static void MustBeFree(int port)
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
        }
        catch (SocketException)
        {
            throw new InvalidOperationException($"Port {port} is in use: the README's snippets need it.");
        }
    }
}
