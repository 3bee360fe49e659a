using System.Buffers.Text;
using System.Net;
using System.Text;
using Google.Protobuf;
using static Squall.Rpc.Tests.ServerWire;

namespace Squall.Rpc.Tests;

public sealed class ServerConnectGetTests
{
    private const string Look = "/squall.rpc.test.v1.EchoService/Look";

    private static readonly EchoRequest Request = new() { Text = "a>b?c~ÿ☺" };

    [Theory, InlineData(1), InlineData(2), Wire("1.7.10", "1.7.12")]
    public async Task A_method_without_side_effects_is_called_by_get(int http)
    {
        await using ServerHost host = await ServerHost.StartAsync();
        string json = Uri.EscapeDataString(JsonFormatter.Default.Format(Request));
        string base64 = Base64Url.EncodeToString(Request.ToByteArray());
        Assert.Contains(base64, character => character is '-' or '_');
        string padded = Uri.EscapeDataString(base64.PadRight((base64.Length + 3) / 4 * 4, '='));
        string zipped = Base64Url.EncodeToString(Gzip.Provider.Deflate(Request.ToByteArray()).Span);
        string spelled = Base64Url.EncodeToString(Encoding.UTF8.GetBytes(Request.ToString()));
        foreach ((string query, string codec) in ((string, string)[])
        [
            ($"connect=v1&encoding=json&message={json}", "json"),
            ($"message={base64}&base64=1&encoding=proto&connect=v1&unknown=x", "proto"),
            ($"base64=1&encoding=proto&message={padded}", "proto"),
            ($"base64=1&encoding=proto&compression=gzip&message={zipped}", "proto"),
            ($"base64=1&encoding=json&message={spelled}", "json"),
        ])
        {
            RawAnswer answer = await GetAsync(host, http, query);
            Assert.Equal(200, (int)answer.Http);
            Assert.Equal("application/" + codec, answer.Header("content-type"));
            Assert.Equal("no-store", answer.Header("cache-control"));
            Assert.Equal("Accept-Encoding", answer.Header("vary"));
            Assert.Equal(Request.Text, codec == "json"
                ? EchoResponse.Parser.ParseJson(answer.Text).Text
                : EchoResponse.Parser.ParseFrom(answer.Body).Text);
        }

        RawAnswer empty = await GetAsync(host, http, "encoding=proto&message=");
        Assert.Equal((200, 0), ((int)empty.Http, empty.Body.Length));
    }

    [Theory, Wire("1.7.11")]
    [InlineData("", 400)]
    [InlineData("encoding=json", 400)]
    [InlineData("message=%7B%7D", 400)]
    [InlineData("encoding=json&message=%7B", 400)]
    [InlineData("encoding=json&message=", 400)]
    [InlineData("connect=v2&encoding=json&message=%7B%7D", 400)]
    [InlineData("encoding=proto&base64=1&message=%2B%2F%2F%2F", 400)]
    [InlineData("encoding=proto&base64=1&message=*", 400)]
    [InlineData("encoding=xml&message=%7B%7D", 415)]
    [InlineData("encoding=json&compression=br&message=%7B%7D", 501)]
    public async Task A_bad_query_is_refused(string query, int status)
    {
        await using ServerHost host = await ServerHost.StartAsync();
        foreach (int http in (int[])[1, 2])
        {
            RawAnswer answer = await GetAsync(host, http, query);
            Assert.Equal(status, (int)answer.Http);
            Assert.Equal(
                status == 415 ? "text/plain; charset=utf-8" : "application/json", answer.Header("content-type"));
        }

        Assert.Equal(0, host.Probe.Calls);
    }

    [Theory, InlineData(1), InlineData(2), Wire("1.7.13")]
    public async Task A_body_is_415_and_another_method_405(int http)
    {
        await using ServerHost host = await ServerHost.StartAsync();
        RawAnswer answer = await host.Http(http).SendAsync(
            Look + "?encoding=json&message=%7B%7D",
            new StringContent("{}"),
            "application/json",
            method: HttpMethod.Get);
        Assert.Equal(415, (int)answer.Http);
        answer = await host.Http(http).SendAsync(
            Unary + "?encoding=json&message=%7B%7D", new ByteArrayContent([]), "", method: HttpMethod.Get);
        Assert.Equal((405, "POST"), ((int)answer.Http, answer.Header("allow")));
        answer = await host.Http(http).SendAsync(Look, new ByteArrayContent([]), "", method: HttpMethod.Delete);
        Assert.Equal((405, "GET,POST"), ((int)answer.Http, answer.Header("allow")));
        answer = await host.Http(http).JsonAsync(Look, "{}");
        Assert.Equal(200, (int)answer.Http);
        Assert.Null(answer.Header("cache-control"));
    }

    [Fact, Wire("1.7.12")]
    public async Task An_error_is_not_kept_either()
    {
        await using ServerHost host = await ServerHost.StartAsync();
        RawAnswer answer = await GetAsync(host, 1, "encoding=json&message=%7B%22failCode%22:5%7D");
        Assert.Equal(HttpStatusCode.NotFound, answer.Http);
        Assert.Equal("no-store", answer.Header("cache-control"));
    }

    private static async Task<RawAnswer> GetAsync(ServerHost host, int http, string query)
    {
        using HttpResponseMessage response = await host.Http(http).GetAsync($"{Look}?{query}");
        return new RawAnswer(response, await response.Content.ReadAsByteArrayAsync());
    }
}
