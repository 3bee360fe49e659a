using Squall.Interop;

namespace Squall.Peers.Tests;

/// <summary>gRPC's interop cases with @grpc/grpc-js, which is gRPC for Node without the core: its client, our server.
/// </summary>
public sealed class NodeInteropTests(NodeInterop peer) : IClassFixture<NodeInterop>
{
    public static TheoryData<string> Cases => [.. InteropClient.Cases.Keys];

    [Theory, MemberData(nameof(Cases))]
    public void The_case_holds(string name) => Assert.Equal($"ok {name}", peer.Said(name));
}

/// <summary>The cases, which one script goes through.</summary>
public sealed class NodeInterop : Peer
{
    protected override async Task<Command> RunAsync()
    {
        await using var server = await InteropServer.StartAsync();
        return await NodeAsync("interop.js", server.Address.Authority, Repository.Root);
    }
}
