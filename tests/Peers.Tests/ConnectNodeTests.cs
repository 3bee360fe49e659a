using Squall.Interop;

namespace Squall.Peers.Tests;

/// <summary>
/// @connectrpc/connect-node by each of its transports, in proto and JSON, over each version of HTTP that it can: our
/// interop service, and the contract, in clear text and over TLS.
/// </summary>
[Collection(WithServer.Name)]
public sealed class ConnectNodeTests(ConnectNode peer) : IClassFixture<ConnectNode>
{
    private static readonly string[] Worlds =
    [
        "connect-1", "connect-2", "connect-json-1", "connect-json-2", "web-1", "web-2", "web-json-1", "web-json-2",
        "grpc-2", "grpc-json-2",
    ];

    private static readonly string[] SecureWorlds =
        ["connect-1-tls", "connect-2-tls", "web-1-tls", "web-2-tls", "grpc-2-tls"];

    private static readonly string[] InteropChecks =
    [
        "empty", "unary", "client_stream", "server_stream", "bidi", "metadata", "error", "unimplemented", "deadline",
        "cancel", "gzip_requests", "gzip_responses", "nothing_is_left",
    ];

    private static readonly string[] ContractChecks =
    [
        "hello", "login", "subscribe_and_create", "error_with_details", "stream_error_with_details", "unauthenticated",
    ];

    private static readonly string[] Names =
    [
        "connect.by_get",
        .. Worlds.SelectMany(world => InteropChecks.Concat(ContractChecks).Select(check => $"{world}.{check}")),
        .. SecureWorlds.SelectMany(world => ContractChecks.Select(check => $"{world}.{check}")),
    ];

    public static TheoryData<string> Checks => new(Names);

    [Theory, MemberData(nameof(Checks))]
    public void The_peer_does(string check) => Assert.Equal($"ok {check}", peer.Said(check));

    [Fact]
    public void The_peer_makes_these_checks_and_no_others() => Assert.Equal(Names.Order(), peer.Checks.Order());
}

/// <summary>The checks, which one script makes.</summary>
public sealed class ConnectNode(RunningServer server) : Peer
{
    protected override async Task<Command> RunAsync()
    {
        await using var interop = await InteropServer.StartAsync();
        return await NodeAsync(
            "connect/node.mjs", Bare(interop.Address), await ImageAsync("tests/Interop/protos"), Bare(server.Address),
            Bare(server.SecureAddress), server.Certificate, await ImageAsync("."));
    }
}
