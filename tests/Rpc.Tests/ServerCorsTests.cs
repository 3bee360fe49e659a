using Microsoft.Extensions.DependencyInjection;
using static Squall.Rpc.Tests.ServerWire;

namespace Squall.Rpc.Tests;

public sealed class ServerCorsTests
{
    private const string Page = "https://app.example";

    [Theory, InlineData(1), InlineData(2), Wire("1.7.30", "1.6.10")]
    public async Task A_configured_origin_is_told_what_it_may_send(int http)
    {
        await using ServerHost host = await StartAsync(Page);
        RawAnswer answer = await AskAsync(host, http, Page);
        Assert.Equal(204, (int)answer.Http);
        Assert.Equal(Page, answer.Header("access-control-allow-origin"));
        Assert.Equal("GET, POST", answer.Header("access-control-allow-methods"));
        Assert.Equal("7200", answer.Header("access-control-max-age"));
        string[] allowed = answer.Header("access-control-allow-headers")!.Split(", ");
        foreach (string name in (string[])
            ["Content-Type", "Authorization", "Connect-Protocol-Version", "Connect-Timeout-Ms", "Grpc-Timeout",
            "X-Grpc-Web", "X-User-Agent", "x-of-the-app"])
        {
            Assert.Contains(name, allowed);
        }

        Assert.Equal("Origin,Access-Control-Request-Method,Access-Control-Request-Headers", answer.Header("vary"));
        Assert.Equal(0, host.Probe.Calls);
    }

    [Fact, Wire("1.7.31", "1.6.10")]
    public async Task A_configured_origin_is_shown_what_the_answer_holds()
    {
        await using ServerHost host = await StartAsync(Page);
        foreach (int http in (int[])[1, 2])
        {
            RawAnswer answer = await host.Http(http).JsonAsync(Unary, "{}", ("origin", Page), ("echo-a", "1"));
            Assert.Equal(Page, answer.Header("access-control-allow-origin"));
            string[] shown = answer.Header("access-control-expose-headers")!.Split(", ");
            foreach (string name in (string[])
                ["grpc-status", "grpc-message", "grpc-status-details-bin", "echo-a", "trailer-trail-a"])
            {
                Assert.Contains(name, shown);
            }
        }
    }

    [Fact, Wire("1.7.32")]
    public async Task Any_other_origin_is_told_nothing()
    {
        await using ServerHost host = await StartAsync(Page);
        foreach (string origin in (string[])["https://app.example.evil", "http://app.example", "null"])
        {
            RawAnswer answer = await AskAsync(host, 1, origin);
            Assert.Equal(403, (int)answer.Http);
            Assert.Null(answer.Header("access-control-allow-origin"));
            answer = await host.Http1.JsonAsync(Unary, "{}", ("origin", origin));
            Assert.Null(answer.Header("access-control-allow-origin"));
            Assert.Equal("Origin", answer.Header("vary"));
        }
    }

    [Fact, Wire("1.7.32")]
    public async Task Unless_configured_no_origin_is()
    {
        await using ServerHost host = await StartAsync();
        RawAnswer answer = await AskAsync(host, 1, Page);
        Assert.Equal(405, (int)answer.Http);
        answer = await host.Http1.JsonAsync(Unary, "{}", ("origin", Page));
        Assert.DoesNotContain(answer.Headers.Keys, name => name.StartsWith("access-", StringComparison.Ordinal));
    }

    [Fact, Wire("1.7.32")]
    public async Task A_star_is_any_origin()
    {
        await using ServerHost host = await StartAsync("*");
        RawAnswer answer = await AskAsync(host, 2, "http://anything.example:5173");
        Assert.Equal("http://anything.example:5173", answer.Header("access-control-allow-origin"));
    }

    private static Task<ServerHost> StartAsync(params string[] origins) => ServerHost.StartAsync(
        services: services => services.Configure<RpcServerOptions>(rpc =>
        {
            foreach (string origin in origins)
            {
                rpc.CorsOrigins.Add(origin);
            }
        }));

    private static Task<RawAnswer> AskAsync(ServerHost host, int http, string origin) => host.Http(http).SendAsync(
        Unary,
        new ByteArrayContent([]),
        "",
        [("origin", origin), ("access-control-request-method", "POST"),
            ("access-control-request-headers", "content-type,x-of-the-app")],
        HttpMethod.Options);
}
