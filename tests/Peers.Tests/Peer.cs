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

    public virtual async Task InitializeAsync()
    {
        var run = await RunAsync();
        _errors = run.Errors;
        _lines = run.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .ToDictionary(line => line.Split(' ', ':')[1], line => line);
    }

    public virtual Task DisposeAsync()
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

    /// <summary>What protoc makes of our protos for grpcio, in <see cref="Scratch"/>.</summary>
    protected async Task PythonStubsAsync()
    {
        // An image of buf's holds the well-known types too, so that protoc's need not be installed.
        var image = await ImageAsync(".");
        var plugin = (await Command.OutputAsync(Repository.Root, "which", "grpc_python_plugin")).Trim();
        await Command.OutputAsync(Repository.Root, "protoc", [
            $"--descriptor_set_in={image}", $"--python_out={Scratch}", $"--grpc_python_out={Scratch}",
            $"--plugin=protoc-gen-grpc_python={plugin}", "google/rpc/status.proto", "google/rpc/error_details.proto",
            .. Directory.GetFiles(Repository.PathOf("protos/squall/v1"), "*.proto")
                .Select(file => $"squall/v1/{Path.GetFileName(file)}")]);
    }
}
