using System.Text.Json;
using Google.Rpc;

namespace Squall.Peers.Tests;

/// <summary>
/// What someone does with buf curl, which asks the server what it offers, by each of its protocols over each version of
/// HTTP: in clear text, where HTTP/2 is known beforehand, and over TLS, where both ends agree on it.
/// </summary>
[Collection(WithServer.Name)]
public sealed class BufCurlTests(RunningServer server, BufAccount account) : IClassFixture<BufAccount>
{
    private const int InvalidArgument = 3;
    private static readonly TimeSpan Net = TimeSpan.FromSeconds(60);

    public static TheoryData<string, string> Worlds => new()
    {
        { "grpc", "http/2" },
        { "grpcweb", "http/1.1" },
        { "grpcweb", "http/2" },
        { "connect", "http/1.1" },
        { "connect", "http/2" },
        { "grpc", "https" },
        { "grpcweb", "https" },
        { "connect", "https" },
    };

    [Fact]
    public async Task It_lists_what_the_server_offers()
    {
        var services = await OutputAsync("connect", "http/2", "", "--list-services");
        Assert.Contains("squall.v1.GreeterService", services, StringComparison.Ordinal);
        Assert.Contains("grpc.health.v1.Health", services, StringComparison.Ordinal);
        var methods = await OutputAsync("connect", "https", "", "--list-methods");
        Assert.Contains("squall.v1.GreeterService/SayHello", methods, StringComparison.Ordinal);
    }

    [Theory, MemberData(nameof(Worlds))]
    public async Task It_says_hello_by_reflection(string protocol, string transport)
    {
        var answer = await OutputAsync(
            protocol, transport, "squall.v1.GreeterService/SayHello", "--data", """{"name":"buf"}""");
        Assert.Equal("Hello, buf", JsonDocument.Parse(answer).RootElement.GetProperty("message").GetString());
    }

    [Theory, MemberData(nameof(Worlds))]
    public async Task It_calls_with_a_header(string protocol, string transport)
    {
        var answer = await OutputAsync(
            protocol, transport, "squall.v1.AccountService/GetAccount", "--header", account.Authorization);
        var known = JsonDocument.Parse(answer).RootElement.GetProperty("account");
        Assert.Equal(account.Username, known.GetProperty("username").GetString());
    }

    [Theory, MemberData(nameof(Worlds))]
    public async Task It_prints_a_stream_as_it_comes(string protocol, string transport)
    {
        using var process = Command.Start(Repository.Root, Repository.Buf, Arguments(
            protocol, transport, "squall.v1.NotificationService/Subscribe", "--header", account.Authorization,
            "--data", """{"snapshot":true}"""));
        var errors = process.StandardError.ReadToEndAsync();
        try
        {
            // The stream goes on: what it holds so far is printed, and nothing ends it but its reader.
            var printed = "";
            while (!printed.Contains("synced", StringComparison.Ordinal))
            {
                var line = await process.StandardOutput.ReadLineAsync().WaitAsync(Net);
                Assert.True(line is not null, $"The stream ended: {(line is null ? await errors : "")}");
                printed += line;
            }

            Assert.False(process.HasExited);
        }
        finally
        {
            process.Kill(entireProcessTree: true);
        }
    }

    [Theory, MemberData(nameof(Worlds))]
    public async Task It_prints_an_error_with_its_details(string protocol, string transport)
    {
        var name = new string('x', 201);
        var run = await Command.RunAsync(Repository.Root, Repository.Buf, Arguments(
            protocol, transport, "squall.v1.GreeterService/SayHello", "--data", $$"""{"name":"{{name}}"}"""));
        Assert.Equal(InvalidArgument * 8, run.ExitCode);
        var error = JsonDocument.Parse(run.Errors).RootElement;
        Assert.Equal("invalid_argument", error.GetProperty("code").GetString());
        Assert.Contains("name", error.GetProperty("message").GetString(), StringComparison.Ordinal);
        var details = error.GetProperty("details").EnumerateArray().ToDictionary(
            detail => detail.GetProperty("type").GetString()!);
        Assert.Equal("squall", ErrorInfo.Parser.ParseFrom(Value("google.rpc.ErrorInfo")).Domain);
        var request = BadRequest.Parser.ParseFrom(Value("google.rpc.BadRequest"));
        Assert.Equal("name", request.FieldViolations.Single().Field);
        if (protocol == "connect")
        {
            // It knows these types no more than others do: what it shows decoded is what the server says of them.
            var shown = details["google.rpc.BadRequest"].GetProperty("debug").GetProperty("fieldViolations");
            Assert.Equal("name", shown[0].GetProperty("field").GetString());
        }

        byte[] Value(string type)
        {
            var value = details[type].GetProperty("value").GetString()!;
            return Convert.FromBase64String(value.PadRight((value.Length + 3) / 4 * 4, '='));
        }
    }

    private Task<string> OutputAsync(string protocol, string transport, string path, params string[] arguments) =>
        Command.OutputAsync(Repository.Root, Repository.Buf, Arguments(protocol, transport, path, arguments));

    private string[] Arguments(string protocol, string transport, string path, params string[] arguments)
    {
        string[] how = transport switch
        {
            "http/2" => ["--http2-prior-knowledge"],
            "https" => ["--cacert", server.Certificate],
            _ => [],
        };
        var address = new Uri(transport == "https" ? server.SecureAddress : server.Address, path);
        return ["curl", "--protocol", protocol, .. how, .. arguments, address.ToString().TrimEnd('/')];
    }
}

/// <summary>Somebody to call as, made and logged in with buf curl as well.</summary>
public sealed class BufAccount(RunningServer server) : IAsyncLifetime
{
    public string Username { get; } = $"buf-{Guid.NewGuid():N}"[..16];

    /// <summary>The header that each call as this account carries.</summary>
    public string Authorization { get; private set; } = "";

    public async Task InitializeAsync()
    {
        var data = $$"""{"username":"{{Username}}","password":"{{Secrets.Password()}}"}""";
        await CallAsync("squall.v1.AccountService/RegisterAccount", data);
        var tokens = (await CallAsync("squall.v1.AuthService/Login", data)).GetProperty("tokens");
        Authorization = $"authorization: Bearer {tokens.GetProperty("accessToken").GetString()}";
    }

    public Task DisposeAsync() => Task.CompletedTask;

    private async Task<JsonElement> CallAsync(string path, string data)
    {
        var answer = await Command.OutputAsync(
            Repository.Root, Repository.Buf, "curl", "--data", data, new Uri(server.Address, path).ToString());
        return JsonDocument.Parse(answer).RootElement;
    }
}
