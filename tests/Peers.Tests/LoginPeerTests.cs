using Xunit.Abstractions;

namespace Squall.Peers.Tests;

/// <summary>
/// grpcio, grpc-js and our SDK log in, renew and are refused alike: the same code, the same reason and the same words.
/// </summary>
public sealed class LoginPeerTests(LoginPeers peers, ITestOutputHelper output) : IClassFixture<LoginPeers>
{
    private const string Refused = "UNAUTHENTICATED TOKEN_INVALID ";

    /// <summary>What each is told, by the contract; the words that follow are the server's.</summary>
    private static readonly (string Case, string Outcome)[] Table =
    [
        ("log in", "OK"),
        ("call", "OK"),
        ("call without a token", "UNAUTHENTICATED TOKEN_MISSING "),
        ("call with a malformed token", Refused),
        ("call with a token of nobody's", Refused),
        ("call with a refresh token", Refused),
        ("log in with a wrong password", "UNAUTHENTICATED CREDENTIALS_WRONG "),
        ("log in as nobody", "UNAUTHENTICATED CREDENTIALS_WRONG "),
        ("log in without a password", "INVALID_ARGUMENT FIELD_REQUIRED "),
        ("refresh", "OK"),
        ("call after it", "OK"),
        ("refresh with a token of nobody's", Refused),
        ("refresh once more with the spent one, in time", "OK"),
        ("call with the pair that this replaces", Refused),
        ("refresh with the pair that this replaces", Refused),
        ("call with the new pair", "OK"),
        ("stream of a session that is revoked", "UNAUTHENTICATED SESSION_ENDED "),
        ("log out", "OK"),
        ("call after logging out", Refused),
        ("refresh after logging out", Refused),
        ("refresh once more with the spent one, too late", Refused),
        ("call of the session that this ends", Refused),
        ("refresh of the session that this ends", Refused),
    ];

    public static TheoryData<string> Clients => ["grpcio", "grpc-js", "our SDK"];

    [Theory, MemberData(nameof(Clients))]
    public void Each_is_let_in_and_refused_as_the_contract_says(string client)
    {
        string[] told = peers.Told(client);
        output.WriteLine(string.Join('\n', told));
        Assert.Equal(Table.Select(row => row.Case), told.Select(line => line.Split(": ")[0]));
        Assert.All(Table.Zip(told), pair =>
            Assert.StartsWith($"{pair.First.Case}: {pair.First.Outcome}", pair.Second, StringComparison.Ordinal));
    }

    [Fact]
    public void All_three_are_told_the_same_word_for_word()
    {
        Assert.Empty(Differences(peers.Told("grpcio"), peers.Told("our SDK")));
        Assert.Empty(Differences(peers.Told("grpc-js"), peers.Told("our SDK")));

        // Of a wrong password and of an unknown name, too.
        string[] wrong = [.. peers.Told("our SDK").Where(line => line.Contains("CREDENTIALS_WRONG"))];
        Assert.Equal(2, wrong.Length);
        Assert.Single(wrong.Select(line => line.Split(": ", 2)[1]).Distinct());
    }

    [Fact]
    public async Task A_server_that_refuses_otherwise_is_seen() => Assert.Equal(
        [
            "refresh once more with the spent one, in time", "call with the new pair",
            "stream of a session that is revoked", "log out", "refresh once more with the spent one, too late",
        ],
        Differences(peers.Told("grpcio"), await peers.SwappedAsync()));

    /// <summary>The cases in which two were not told the same.</summary>
    private static IEnumerable<string> Differences(string[] one, string[] other) =>
        from pair in one.Zip(other) where pair.First != pair.Second select pair.First.Split(": ")[0];
}

/// <summary>
/// Two servers, and what three clients were told by them: one lets a spent refresh token be used again for longer than
/// any test lasts, the other never does, so that no clock decides.
/// </summary>
public sealed class LoginPeers : Peer
{
    private readonly RunningServer _patient = new("--refresh-grace", "10m");
    private readonly RunningServer _strict = new("--refresh-grace", "0s");
    private readonly Dictionary<string, string[]> _told = [];

    public string[] Told(string client) => _told[client];

    /// <summary>The control: each server in the place of the other.</summary>
    public Task<string[]> SwappedAsync() => LoginSdk.RunAsync(_strict.Address, _patient.Address);

    public override async Task InitializeAsync()
    {
        await _patient.InitializeAsync();
        await _strict.InitializeAsync();
        _told["grpcio"] = Lines(await RunAsync());
        _told["grpc-js"] = Lines(await NodeAsync("login.js", _patient.Target, _strict.Target, Repository.Root));
        _told["our SDK"] = await LoginSdk.RunAsync(_patient.Address, _strict.Address);
    }

    public override async Task DisposeAsync()
    {
        await _patient.DisposeAsync();
        await _strict.DisposeAsync();
        await base.DisposeAsync();
    }

    protected override async Task<Command> RunAsync()
    {
        await PythonStubsAsync();
        return await Command.RunAsync(
            Repository.Root, "/usr/bin/python3", "-B", "tests/Peers/login.py", _patient.Target, _strict.Target,
            Scratch);
    }

    private static string[] Lines(Command run)
    {
        Assert.True(run.ExitCode == 0, run.Output + run.Errors);
        return run.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }
}
