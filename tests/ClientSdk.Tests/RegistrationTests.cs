using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Squall.Server.Tests;

namespace Squall.Client.Tests;

/// <summary>How an application gets its clients from its container.</summary>
public sealed class RegistrationTests(World world) : IClassFixture<World>
{
    [Fact]
    public async Task An_application_is_given_one_client_that_works()
    {
        await using var provider = new ServiceCollection().AddSquallClient(world.Address).BuildServiceProvider();
        var client = provider.GetRequiredService<ISquallClient>();
        Assert.Same(client, provider.GetRequiredService<SquallClient>());
        Assert.Same(client, provider.GetRequiredService<ISquallClient>());
        Assert.Equal("Hello, world", (await client.SayHelloAsync()).Message);
    }

    [Fact]
    public async Task Clients_are_told_apart_by_their_keys()
    {
        var section = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Squall:Here:Endpoint"] = world.Address.ToString(),
        }).Build().GetSection("Squall:Here");
        await using var provider = new ServiceCollection()
            .AddKeyedSquallClient("here", section)
            .AddKeyedSquallClient("nowhere", options => options.Endpoint = new Uri("http://127.0.0.1:1"))
            .BuildServiceProvider();
        await provider.GetRequiredKeyedService<ISquallClient>("here").ConnectAsync();
        await Assert.ThrowsAsync<SquallUnavailableException>(
            () => provider.GetRequiredKeyedService<ISquallClient>("nowhere").ConnectAsync());
        Assert.Null(provider.GetService<ISquallClient>());
    }

    [Fact]
    public async Task Without_arguments_the_environment_says_where()
    {
        using var environment = await SquallEnvironment.SetAsync(world.Address.ToString(), null);
        await using var provider = new ServiceCollection().AddSquallClient().BuildServiceProvider();
        await provider.GetRequiredService<ISquallClient>().ConnectAsync();
    }

    [Fact]
    public async Task Options_may_come_from_other_services()
    {
        var store = new MemoryTokenStore(await world.SignInAsync());
        await using var provider = new ServiceCollection()
            .AddSingleton<ITokenStore>(store)
            .AddSquallClient((services, options) =>
            {
                options.Endpoint = world.Address;
                options.TokenStore = services.GetRequiredService<ITokenStore>();
            })
            .BuildServiceProvider();
        Assert.NotEmpty((await provider.GetRequiredService<ISquallClient>().GetAccountAsync()).Id);
    }

    [Fact]
    public async Task What_cannot_be_used_is_refused_when_the_client_is_made()
    {
        using var environment = await SquallEnvironment.SetAsync(null, null);
        await using var provider = new ServiceCollection().AddSquallClient().BuildServiceProvider();
        var refused = Assert.Throws<ArgumentException>(() => provider.GetRequiredService<ISquallClient>());
        Assert.Contains("SQUALL_ENDPOINT", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_client_follows_the_containers_clock()
    {
        var time = new FakeTime();
        await using var provider = new ServiceCollection()
            .AddSingleton<TimeProvider>(time)
            .AddSquallClient(world.Address)
            .BuildServiceProvider();
        // A clock that is years off the machine's is no reason for a call to be late.
        time.Advance(TimeSpan.FromDays(400));
        await provider.GetRequiredService<ISquallClient>().ConnectAsync();
    }

    [Fact]
    public async Task The_container_closes_its_clients()
    {
        var provider = new ServiceCollection().AddSquallClient(world.Address).BuildServiceProvider();
        var client = provider.GetRequiredService<ISquallClient>();
        await client.ConnectAsync();
        await provider.DisposeAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => client.ConnectAsync());
    }
}
