using System.Diagnostics;
using System.Text;
using Squall.Client;

namespace Squall.Cli.Tests;

/// <summary>Someone at a shell, with a configuration directory of their own, and the squall that was built.</summary>
internal sealed class Person : IDisposable
{
    public static readonly string Password = Secrets.Password();

    private readonly string _home = Directory.CreateTempSubdirectory("squall-cli-").FullName;

    public Person(ServerProcess server, string? name = null)
    {
        Name = name ?? $"p{Guid.NewGuid():N}"[..12];
        Environment = new Dictionary<string, string?>
        {
            ["HOME"] = _home,
            ["XDG_CONFIG_HOME"] = Path.Combine(_home, "config"),
            ["SQUALL_ENDPOINT"] = server.Address.ToString(),
            ["SQUALL_TOKEN"] = null,
            ["SQUALL_PASSWORD"] = null,
            ["NO_COLOR"] = null,
            ["TERM"] = "xterm-256color",
            ["TZ"] = "UTC",
        };
    }

    public string Name { get; }

    /// <summary>What each squall finds in its environment; null: nothing.</summary>
    public Dictionary<string, string?> Environment { get; }

    public string SessionFolder => Path.Combine(Environment["XDG_CONFIG_HOME"]!, "squall", "sessions");

    public string SessionPath => Assert.Single(Directory.GetFiles(SessionFolder, "*.json"));

    /// <summary>The SDK, logged in as this person.</summary>
    public SquallClient Client { get; private set; } = null!;

    /// <summary>Where it was built: beside the tests lie only those of its parts that ASP.NET does not bring.</summary>
    public static string Program { get; } = Path.GetFullPath(Path.Combine(
        AppContext.BaseDirectory, "../../../../../src/Cli/bin", Configuration, "net10.0/Squall.Cli.dll"));

    private static string Configuration =>
        new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name;

    /// <summary>
    /// A person with an account, who is logged in: by the SDK, which keeps the session where squall looks for it. It is
    /// also another way to see what squall does.
    /// </summary>
    public static async Task<Person> LoggedInAsync(ServerProcess server)
    {
        var person = new Person(server);
        Directory.CreateDirectory(person.SessionFolder);
        person.Client = new SquallClient(new SquallClientOptions
        {
            Endpoint = server.Address,
            TokenStore = new FileTokenStore(Path.Combine(
                person.SessionFolder, $"http_{server.Address.Host}_{server.Address.Port}.json")),
        });
        await person.Client.RegisterAsync(person.Name, Password);
        await person.Client.LoginAsync(person.Name, Password);
        return person;
    }

    public async Task LogInAsync(params string[] more) => (await RunAsync(
        ["login", Name, "--password-stdin", .. more], Password + "\n")).Well();

    public Task<Ran> RunAsync(params string[] arguments) => RunAsync(arguments, input: "");

    public async Task<Ran> RunAsync(string[] arguments, string input) =>
        await EndAsync(Start("dotnet", [Program, .. arguments]), input);

    /// <summary>A squall that goes on until it is stopped.</summary>
    public Live Start(params string[] arguments) => new(Start("dotnet", [Program, .. arguments]));

    /// <summary>Runs a line of a shell, in which squall is a command.</summary>
    public Task<Ran> ShellAsync(string line) => EndAsync(
        Start("bash", ["-c", $"squall() {{ dotnet {Quoted(Program)} \"$@\"; }}\n{line}"]), "");

    /// <summary>Runs it at a terminal of so many columns, at which each prompt is answered.</summary>
    public async Task<Ran> TerminalAsync(
        int columns, string[] arguments, params (string Prompt, string Answer)[] dialogue)
    {
        var command = string.Join(' ', arguments.Prepend(Program).Select(Quoted));
        using var process = Start(
            "script", ["-qec", $"stty cols {columns} rows 40; exec dotnet {command}", "/dev/null"]);
        using var net = new CancellationTokenSource(Ran.Net);
        var output = new StringBuilder();
        var unit = new char[1];
        var waiting = new Queue<(string Prompt, string Answer)>(dialogue);
        while (await process.StandardOutput.ReadAsync(unit, net.Token) > 0)
        {
            output.Append(unit[0] == '\r' ? "" : unit[0]);
            if (waiting.TryPeek(out var next) && output.ToString().EndsWith(next.Prompt, StringComparison.Ordinal))
            {
                waiting.Dequeue();
                await process.StandardInput.WriteAsync(next.Answer);
                await process.StandardInput.FlushAsync(net.Token);
            }
        }

        await process.WaitForExitAsync(net.Token);
        Assert.Empty(waiting);
        return new Ran(process.ExitCode, output.ToString(), "");
    }

    public void Dispose()
    {
        Client?.Dispose();
        Directory.Delete(_home, recursive: true);
    }

    private static string Quoted(string text) => $"'{text.Replace("'", "'\\''", StringComparison.Ordinal)}'";

    private static async Task<Ran> EndAsync(Process process, string input)
    {
        using var ending = process;
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        using var net = new CancellationTokenSource(Ran.Net);
        try
        {
            await process.StandardInput.WriteAsync(input);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It ended without reading.
        }

        try
        {
            await process.WaitForExitAsync(net.Token);
        }
        finally
        {
            process.Kill(entireProcessTree: true);
        }

        return new Ran(process.ExitCode, await output, await errors);
    }

    private Process Start(string program, string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = _home,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in Environment)
        {
            start.Environment[name] = value;
        }

        return Process.Start(start)!;
    }
}
