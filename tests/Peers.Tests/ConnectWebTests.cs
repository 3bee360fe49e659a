namespace Squall.Peers.Tests;

/// <summary>
/// connect-web in Chromium: a page of another origin goes through the contract by Connect and by gRPC-Web, in clear
/// text and over TLS, where the server's option names its origin; and is refused everything where none is named.
/// </summary>
[Collection(WithServer.Name)]
public sealed class ConnectWebTests(Chromium peer) : IClassFixture<Chromium>
{
    private static readonly string[] Worlds =
        ["connect-json", "connect-proto", "web", "connect-json-tls", "connect-proto-tls", "web-tls"];

    private static readonly string[] Calls =
    [
        "hello", "login", "subscribe_and_create", "error_with_details", "stream_error_with_details", "unauthenticated",
    ];

    private static readonly string[] ClosedWorlds = ["connect-closed", "connect-get-closed", "web-closed"];

    private static readonly string[] Refusals = ["refused_a_unary_call", "refused_a_stream"];

    private static readonly string[] Names =
    [
        "connect.by_get",
        .. Worlds.SelectMany(world => Calls.Select(check => $"{world}.{check}")),
        .. ClosedWorlds.SelectMany(world => Refusals.Select(check => $"{world}.{check}")),
    ];

    public static TheoryData<string> Checks => new(Names);

    [Theory, MemberData(nameof(Checks))]
    public void The_page_does(string check) => Assert.Equal($"ok {check}", peer.Said(check));

    [Fact]
    public void The_page_makes_these_checks_and_no_others() => Assert.Equal(Names.Order(), peer.Checks.Order());
}
