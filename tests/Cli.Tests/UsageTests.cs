using System.CommandLine;
using System.Net;
using System.Net.Sockets;
using Squall.Client;

namespace Squall.Cli.Tests;

/// <summary>Help, and what is said to whoever holds it wrong. None of it needs a server.</summary>
public sealed class UsageTests : IDisposable
{
    private readonly Person _ada = new(new ServerProcess()) { Environment = { ["SQUALL_ENDPOINT"] = null } };

    public static TheoryData<string> Commands => new(AllVerbs.Select(one => one.Name));

    internal static IEnumerable<(string Name, Verb Verb)> AllVerbs => Verbs(Program.Root(), "");

    public void Dispose() => _ada.Dispose();

    [Fact]
    public void Each_command_and_all_that_it_takes_are_described_in_a_sentence()
    {
        foreach (var (name, verb) in AllVerbs)
        {
            Assert.Matches(@"^[A-Z][^.]+\.$", verb.Description);
            Assert.StartsWith($"squall {name}", verb.Example, StringComparison.Ordinal);
            Assert.All(
                verb.Options.Concat<Symbol>(verb.Arguments),
                one => Assert.Matches(@"^[A-Z].+\.$", one.Description));
        }
    }

    [Fact]
    public void What_each_command_tells_programs_is_written_down()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder!.FullName, "Grpc.sln")))
        {
            folder = folder.Parent;
        }

        var page = File.ReadAllText(Path.Combine(folder.FullName, "src", "Cli", "README.md"));
        Assert.All(AllVerbs, one => Assert.Matches($@"(?m)^\|[^|]*`{one.Name}`[^|]*\| .+ \|$", page));
        var events = typeof(SubscriptionEvent).GetNestedTypes().Where(kind => kind.Name != "Heartbeat");
        Assert.Equal(8, events.Count());
        foreach (var name in (string[])
            ["task", "synced", "changed", "left", "restarted", "gap", "reconnecting", "resumed"])
        {
            Assert.Contains($"`{name}`", page, StringComparison.Ordinal);
        }
    }

    [Theory, MemberData(nameof(Commands))]
    public async Task Help_has_the_sentence_and_the_example(string command)
    {
        var verb = AllVerbs.Single(one => one.Name == command).Verb;
        var help = (await _ada.RunAsync([.. command.Split(' '), "--help"])).Well().Output;
        Assert.Contains($"\n  {verb.Description}\n", help, StringComparison.Ordinal);
        Assert.Contains($"  squall {command}", help, StringComparison.Ordinal);
        Assert.Contains($"Example:\n  {verb.Example}\n", help, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_a_command_it_shows_what_there_is()
    {
        var help = (await _ada.RunAsync()).Well().Output;
        Assert.Equal(help, (await _ada.RunAsync("--help")).Well().Output);
        Assert.All(
            AllVerbs.Where(one => !one.Name.Contains(' ')),
            one => Assert.Contains($"  {one.Name} ", help, StringComparison.Ordinal));
        foreach (var word in (string[])["SQUALL_ENDPOINT", "SQUALL_TOKEN", "SQUALL_PASSWORD", "NO_COLOR", "Exit codes"])
        {
            Assert.Contains(word, help, StringComparison.Ordinal);
        }

        Assert.Matches(@"^\d+\.\d+\.\d+\n$", (await _ada.RunAsync("--version")).Well().Output);
    }

    [Theory]
    [InlineData("lsit", "'lsit'", "'squall --help'")]
    [InlineData("add", "LIST", "'squall add --help'")]
    [InlineData("add Home", "TITLE", "'squall add --help'")]
    [InlineData("add Home x --due gestern", "'gestern'", "today, tomorrow")]
    [InlineData("add Home x --priority top", "'top'", "urgent")]
    [InlineData("add Home x --colour red", "'--colour'", "'squall add --help'")]
    [InlineData("add Home x --colour", "'--colour'", "after --")]
    [InlineData("done --force 12345678", "'--force'", "after --")]
    [InlineData("lists share Home bob boss", "'boss'", "'squall lists share --help'")]
    [InlineData("lists bogus", "'bogus'", "'squall lists --help'")]
    [InlineData("list Home Garden", "'Garden'", "'squall list --help'")]
    [InlineData("done", "TASK", "'squall done --help'")]
    [InlineData("whoami --server localhost:7080", "--server", "http://")]
    [InlineData("whoami --server ftp://localhost", "--server", "http://")]
    [InlineData("whoami --server http://user:secret@localhost", "--server", "http://")]
    [InlineData("whoami --server http://nas:7080", "nas", "--allow-clear-text")]
    public async Task Wrong_usage_is_one_line_that_says_what_to_do(string line, string what, string hint)
    {
        var said = (await _ada.RunAsync(line.Split(' '))).Refused(2);
        Assert.StartsWith("squall: ", said, StringComparison.Ordinal);
        Assert.Contains(what, said, StringComparison.Ordinal);
        Assert.Contains(hint, said, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", said, StringComparison.Ordinal);
        var json = (await _ada.RunAsync([.. line.Split(' '), "--json"])).ErrorJson(2);
        Assert.Equal("USAGE", json.GetProperty("code").GetString());
        Assert.Equal(said, $"squall: {json.GetProperty("message").GetString()}");
    }

    [Fact]
    public async Task A_server_that_is_not_there_is_named_with_what_to_do()
    {
        foreach (var (address, said) in ((string, string)[])
        [
            ("http://127.0.0.1:1", "No server answers at http://127.0.0.1:1: start one"),
            ("https://squall.invalid", "no host named squall.invalid"),
        ])
        {
            (await _ada.RunAsync("lists", "--server", address)).Refused(1, said);
            _ada.Environment["SQUALL_ENDPOINT"] = address;
            var json = (await _ada.RunAsync("lists", "--json")).ErrorJson(1);
            Assert.Equal("UNAVAILABLE", json.GetProperty("code").GetString());
            Assert.Contains(said, json.GetProperty("message").GetString(), StringComparison.Ordinal);
        }

        _ada.Environment["SQUALL_ENDPOINT"] = "nonsense";
        (await _ada.RunAsync("lists")).Refused(2, "SQUALL_ENDPOINT");
    }

    [Fact]
    public async Task Ctrl_C_ends_a_command_that_waits_without_a_word()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        await using var waiting = _ada.Start("whoami", "--server", $"http://{listener.LocalEndpoint}");
        using var net = new CancellationTokenSource(Ran.Net);
        using var connection = await listener.AcceptTcpClientAsync(net.Token);
        var ran = await waiting.StopAsync();
        Assert.Equal(new Ran(130, "", ""), ran);
    }

    private static IEnumerable<(string Name, Verb Verb)> Verbs(Command command, string above) =>
        from verb in command.Subcommands.OfType<Verb>()
        let name = above + verb.Name
        from one in Verbs(verb, name + " ").Prepend((name, verb))
        select one;
}
