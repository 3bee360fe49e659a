using Squall.Client;
using Squall.V1;

namespace Squall.Cli.Tests;

/// <summary>The examples in the help texts do what they say, by a shell, as a reader would try them.</summary>
public sealed class ExampleTests(ExampleTests.Neighbours neighbours) : IClassFixture<ExampleTests.Neighbours>
{
    private const string Id = "4f3a91c2";

    public static TheoryData<string> Examples => new(UsageTests.AllVerbs.Select(one => one.Verb.Example));

    [Theory, MemberData(nameof(Examples))]
    public async Task An_example_runs(string example)
    {
        var isOfSessions = ((string[])["squall log", "squall password", "squall account"]).Any(example.StartsWith);
        using var own = isOfSessions ? await Person.LoggedInAsync(neighbours.Server) : null;
        var person = own ?? neighbours.Reader;
        person.Environment["SQUALL_PASSWORD"] = Person.Password;
        await foreach (var list in person.Client.Lists.List())
        {
            await person.Client.Lists.DeleteAsync(list.Id);
        }

        var home = await person.Client.Lists.CreateAsync("Home");
        await person.Client.Lists.CreateAsync("Garden");
        var task = await person.Client.Tasks.CreateAsync(home.Id, "Buy milk");
        if (example.StartsWith("squall reopen", StringComparison.Ordinal))
        {
            await person.Client.Tasks.CompleteAsync(task.Id);
        }

        if (example.StartsWith("squall lists unshare", StringComparison.Ordinal))
        {
            await person.Client.Lists.SetMemberAsync(home.Id, "bob", Role.Viewer);
        }

        var id = example.StartsWith("squall keys", StringComparison.Ordinal) ? await AddKeyAsync(person)
            : example.StartsWith("squall sessions", StringComparison.Ordinal) ? await AddSessionAsync(person)
            : task.Id;
        var command = example.Replace(Id, id[^8..], StringComparison.Ordinal);
        var isWatch = example.StartsWith("squall watch", StringComparison.Ordinal);
        if (!isWatch)
        {
            (await person.ShellAsync(command)).Well();
            return;
        }

        // It ends when told to, and is told so as soon as it says that it watches.
        var ran = await person.ShellAsync(
            $"coproc ({command.Replace("squall", $"exec dotnet {Person.Program}", StringComparison.Ordinal)} 2>&1);"
            + " read -r line <&${COPROC[0]}; echo $line; kill -INT $COPROC_PID; wait $COPROC_PID");
        Assert.Equal("Watching; Ctrl-C ends it.\n", ran.Well().Output);
    }

    private static async Task<string> AddKeyAsync(Person person) =>
        (await person.Client.Access.CreateKeyAsync(new ApiKey { Role = Role.Viewer })).ApiKey.Id;

    private async Task<string> AddSessionAsync(Person person)
    {
        await using var other = new SquallClient(neighbours.Server.Address);
        await other.LoginAsync(person.Name, Person.Password);
        return (await other.Access.ListSessionsAsync()).Single(session => session.Current).Id;
    }

    /// <summary>A server on which the examples' bob has an account, and whoever tries them out.</summary>
    public sealed class Neighbours : IAsyncLifetime
    {
        public ServerProcess Server { get; } = new();

        internal Person Reader { get; private set; } = null!;

        public async Task InitializeAsync()
        {
            await Server.InitializeAsync();
            await using var client = new SquallClient(Server.Address);
            await client.RegisterAsync("bob", Person.Password);
            Reader = await Person.LoggedInAsync(Server);
        }

        public Task DisposeAsync()
        {
            Reader.Dispose();
            return Server.DisposeAsync();
        }
    }
}
