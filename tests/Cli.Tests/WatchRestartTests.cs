using Squall.Client;

namespace Squall.Cli.Tests;

/// <summary>watch, whose server comes and goes.</summary>
public sealed class WatchRestartTests(ServerProcess server) : IClassFixture<ServerProcess>
{
    [Fact]
    public async Task It_goes_on_over_a_restart_of_theserver_and_misses_nothing()
    {
        using var ada = await Person.LoggedInAsync(server);
        var home = await ada.Client.Lists.CreateAsync("Home");
        await using var watch = ada.Start("watch", "--json");
        await using var human = ada.Start("watch", "Home");
        await watch.EventAsync("synced");
        Assert.Equal("Watching; Ctrl-C ends it.", await human.ErrorAsync());
        var titles = new List<string>();
        for (var round = 0; round < 3; round++)
        {
            titles.Add($"before {round}");
            await ada.Client.Tasks.CreateAsync(home.Id, titles[^1]);
            await server.StopAsync();
            var away = await watch.EventAsync("reconnecting");
            Assert.NotEqual("", away.GetProperty("cursor").GetString());
            await server.StartAsync();
            titles.Add($"after {round}");
            await ada.Client.Tasks.CreateAsync(home.Id, titles[^1]);
        }

        var shown = new List<string>();
        for (var line = 0; line < titles.Count; line++)
        {
            shown.Add((await human.LineAsync()).Split('\t')[3]);
        }

        Assert.Equal(titles, shown);
        Assert.Equal("The connection is lost; trying again.", await human.ErrorAsync());
        Assert.Equal(0, (await watch.StopAsync()).ExitCode);
        Assert.Equal(0, (await human.StopAsync(Live.Terminate)).ExitCode);
    }

    [Fact]
    public async Task A_server_that_is_away_at_the_start_is_told_at_once()
    {
        using var ada = await Person.LoggedInAsync(server);
        await server.StopAsync();
        (await ada.RunAsync("watch")).Refused(1, "No server answers");
        await server.StartAsync();
    }
}
