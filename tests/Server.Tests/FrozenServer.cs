namespace Squall.Server.Tests;

/// <summary>A server whose clock stands, so that nothing happens in it but what a test does.</summary>
public sealed class FrozenServer : IAsyncLifetime
{
    internal ServerFixture Server { get; } = new(StaticIssuer.Name, new FakeTime(), StaticIssuer.Register);

    public Task InitializeAsync() => Server.InitializeAsync();

    public Task DisposeAsync() => Server.DisposeAsync();
}
