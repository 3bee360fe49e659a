namespace Squall.Server.Tests;

/// <summary>A server whose clock stands, so that nothing happens in it but what a test does.</summary>
public sealed class FrozenServer : IAsyncLifetime
{
    internal ServerFixture Server { get; } = new(null, new FakeTime());

    public Task InitializeAsync() => Server.InitializeAsync();

    public Task DisposeAsync() => Server.DisposeAsync();
}
