namespace Squall.Peers.Tests;

/// <summary>
/// A script of tests/Peers, and what it said of each of its checks: a line that begins with a word and its name.
/// </summary>
public abstract class Peer : IAsyncLifetime
{
    private Dictionary<string, string> _lines = [];
    private string _errors = "";

    /// <summary>The names of the checks that it made.</summary>
    public IEnumerable<string> Checks => _lines.Keys;

    /// <summary>A folder for what is made for the script.</summary>
    protected string Scratch { get; } = Directory.CreateTempSubdirectory("squall-peer-").FullName;

    public async Task InitializeAsync()
    {
        var run = await RunAsync();
        _errors = run.Errors;
        _lines = run.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .ToDictionary(line => line.Split(' ', ':')[1], line => line);
    }

    public Task DisposeAsync()
    {
        Directory.Delete(Scratch, recursive: true);
        return Task.CompletedTask;
    }

    /// <summary>The line about a check.</summary>
    public string Said(string check) => _lines.GetValueOrDefault(check, $"missing {check}\n{_errors}");

    protected static Task<Command> NodeAsync(string script, params string[] arguments) =>
        Command.RunAsync(Repository.Root, "node", [$"tests/Peers/{script}", .. arguments]);

    /// <summary>The address as Connect's transports want it: without the slash at its end.</summary>
    protected static string Bare(Uri address) => address.GetLeftPart(UriPartial.Authority);

    protected abstract Task<Command> RunAsync();

    /// <summary>The descriptors of a folder's protos, and of what they use, in a file.</summary>
    protected async Task<string> ImageAsync(string folder)
    {
        var image = Path.Combine(Scratch, $"{Path.GetFileName(Path.GetDirectoryName($"{folder}/"))}.binpb");
        await Command.OutputAsync(Repository.Root, Repository.Buf, "build", folder, "--output", image);
        return image;
    }
}
