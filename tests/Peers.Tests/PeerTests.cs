namespace Squall.Peers.Tests;

/// <summary>
/// Other people's gRPC clients, with their default options, do what people do with a server. A script makes the checks,
/// each of which stands on its own here.
/// </summary>
public abstract class PeerTests(Peer peer)
{
    private static readonly string[] Names =
    [
        "hello", "register", "login", "subscribe_from_now", "create_list", "create_task", "list_tasks", "update",
        "complete", "subscribe_saw_each_change", "subscribe_resumes", "subscribe_to_a_snapshot", "list_the_largest",
        "error_invalid_argument", "error_not_found", "error_aborted", "error_unauthenticated", "error_unimplemented",
        "logout",
    ];

    public static TheoryData<string> Checks => new(Names);

    [Theory, MemberData(nameof(Checks))]
    public void The_peer_does(string check) =>
        Assert.Equal($"ok {check}", peer.Said(check));

    [Fact]
    public void The_peer_makes_these_checks_and_no_others() => Assert.Equal(Names.Order(), peer.Checks.Order());
}

/// <summary>grpcio, with stubs that protoc makes from our protos.</summary>
public sealed class Python(RunningServer server) : Peer
{
    protected override async Task<Command> RunAsync()
    {
        await PythonStubsAsync();
        // Debian's own, which finds Debian's modules.
        return await Command.RunAsync(
            Repository.Root, "/usr/bin/python3", "-B", "tests/Peers/peer.py", server.Target, Scratch);
    }
}

/// <summary>@grpc/grpc-js, which reads our protos as they are.</summary>
public sealed class Node(RunningServer server) : Peer
{
    protected override Task<Command> RunAsync() => NodeAsync("peer.js", server.Target, Repository.Root);
}

[Collection(WithServer.Name)]
public sealed class PythonTests(Python peer) : PeerTests(peer), IClassFixture<Python>;

[Collection(WithServer.Name)]
public sealed class NodeTests(Node peer) : PeerTests(peer), IClassFixture<Node>;
