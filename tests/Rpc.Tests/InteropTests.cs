using Squall.Interop;

namespace Squall.Rpc.Tests;

/// gRPC's classic interop cases, our client against our server.
public sealed class InteropTests : IAsyncLifetime
{
    private InteropServer server = null!;

    public static TheoryData<string> Cases => [.. InteropClient.Cases.Keys];

    public async Task InitializeAsync() => server = await InteropServer.StartAsync();

    public async Task DisposeAsync() => await server.DisposeAsync();

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task The_case_holds(string name)
    {
        using var client = new InteropClient(server.Address);
        await InteropClient.Cases[name](client).WaitAsync(ScriptedServer.Net);
    }
}
