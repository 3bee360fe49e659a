using System.Text.Json;

namespace Squall.Peers.Tests;

/// <summary>What someone does who has no client, but curl.</summary>
[Collection(WithServer.Name)]
public sealed class ProbeTests(RunningServer server)
{
    [Fact]
    public async Task Curl_is_greeted_at_the_root()
    {
        var answer = await CurlAsync("");
        Assert.Equal("Hello, world", answer.GetProperty("message").GetString());
        Assert.Equal("Squall", answer.GetProperty("server").GetString());
    }

    [Fact]
    public async Task Curl_says_hello_in_json()
    {
        var answer = await CurlAsync("squall.v1.GreeterService/SayHello", """{"name":"curl"}""");
        Assert.Equal("Hello, curl", answer.GetProperty("message").GetString());
    }

    [Fact]
    public async Task Curl_is_told_what_is_wrong_in_json()
    {
        var name = new string('x', 201);
        var answer = await CurlAsync("squall.v1.GreeterService/SayHello", $$"""{"name":"{{name}}"}""");
        Assert.Equal("invalid_argument", answer.GetProperty("code").GetString());
        Assert.Contains("name", answer.GetProperty("message").GetString(), StringComparison.Ordinal);
        var kinds = answer.GetProperty("details").EnumerateArray().Select(one => one.GetProperty("type").GetString());
        Assert.Equal(["google.rpc.ErrorInfo", "google.rpc.BadRequest"], kinds);
    }

    private async Task<JsonElement> CurlAsync(string path, string? json = null)
    {
        string[] body = json is null ? [] : ["--header", "content-type: application/json", "--data", json];
        var output = await Command.OutputAsync(
            Repository.Root, "curl", ["--silent", "--show-error", .. body, new Uri(server.Address, path).ToString()]);
        return JsonDocument.Parse(output).RootElement;
    }
}
