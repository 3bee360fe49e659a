using System.Text.Json;
using Squall.Client;
using Squall.V1;

namespace Squall.Cli.Tests;

/// <summary>watch: what happens, as it happens.</summary>
public sealed class WatchTests(ServerProcess server) : IClassFixture<ServerProcess>, IAsyncLifetime
{
    private Person _ada = null!;
    private TaskList _home = null!;

    public async Task InitializeAsync()
    {
        _ada = await Person.LoggedInAsync(server);
        _home = await _ada.Client.Lists.CreateAsync("Home");
    }

    public Task DisposeAsync()
    {
        _ada.Dispose();
        return Task.CompletedTask;
    }

    [Fact]
    public async Task Programs_are_told_each_change_with_the_cursor_to_resume_from()
    {
        await using var watch = _ada.Start("watch", "--json");
        var synced = await watch.JsonAsync();
        Assert.Equal("synced", synced.GetProperty("event").GetString());
        var first = await _ada.Client.Tasks.CreateAsync(_home.Id, "first");
        var second = await _ada.Client.Tasks.CreateAsync(_home.Id, "second");
        var done = await _ada.Client.Tasks.CompleteAsync(first.Id);
        var told = await NotificationsAsync(watch, 3);
        Assert.Equal(first, told[0].TaskCreated.Task);
        Assert.Equal(second, told[1].TaskCreated.Task);
        Assert.Equal(done, told[2].TaskCompleted.Task);
        Assert.Equal(0, (await watch.StopAsync()).ExitCode);

        await using var resumed = _ada.Start("watch", "--json", "--from", told[0].Cursor);
        Assert.Equal(told.Skip(1), await NotificationsAsync(resumed, 2));
        await using var late = _ada.Start("watch", "--json", "--from", synced.GetProperty("cursor").GetString()!);
        Assert.Equal(told, await NotificationsAsync(late, 3));
    }

    [Fact]
    public async Task A_resumed_program_has_each_change_once_however_often_it_is_stopped()
    {
        var cursor = "";
        var told = new List<string>();
        for (var round = 0; round < 3; round++)
        {
            await using var watch = round == 0
                ? _ada.Start("watch", "--json")
                : _ada.Start("watch", "--json", "--from", cursor);
            if (round == 0)
            {
                cursor = (await watch.EventAsync("synced")).GetProperty("cursor").GetString()!;
            }

            for (var number = 0; number < 4; number++)
            {
                await _ada.Client.Tasks.CreateAsync(_home.Id, $"{round}.{number}");
            }

            // It is stopped in the middle of what there is to tell.
            for (var number = 0; number < 3; number++)
            {
                var json = await watch.EventAsync("changed");
                cursor = json.GetProperty("cursor").GetString()!;
                told.Add(Ran.Read<Notification>(json.GetProperty("notification")).TaskCreated.Task.Title);
            }

            await watch.StopAsync();
        }

        var all = Enumerable.Range(0, 3).SelectMany(round => Enumerable.Range(0, 4), (round, n) => $"{round}.{n}");
        Assert.Equal(all.Take(told.Count), told);
    }

    [Fact]
    public async Task People_see_who_did_what_in_which_list()
    {
        using var bob = await Person.LoggedInAsync(server);
        await _ada.Client.Lists.SetMemberAsync(_home.Id, bob.Name, Role.Editor);
        await using var watch = _ada.Start("watch");
        await watch.ErrorAsync();
        var task = await bob.Client.Tasks.CreateAsync(_home.Id, "Buy milk");
        await bob.Client.Tasks.CommentAsync(task.Id, "two\nlitres");
        await _ada.Client.Tasks.CompleteAsync(task.Id);
        await _ada.Client.Lists.RenameAsync(_home.Id, "House");
        var id = task.Id[^8..];
        foreach (var expected in (string[])
        [
            $"added\t{id}\tBuy milk\tHome\t{bob.Name}",
            $"comment\t{id}\ttwo litres\tHome\t{bob.Name}",
            $"done\t{id}\tBuy milk\tHome\t{_ada.Name}",
            $"renamed\t{_home.Id[^8..]}\t\tHouse\t{_ada.Name}",
        ])
        {
            var line = await watch.LineAsync();
            Assert.Matches(@"^\d\d:\d\d:\d\d\t", line);
            Assert.Equal(expected, line[9..]);
        }
    }

    [Fact]
    public async Task One_list_is_watched_without_what_happens_to_others()
    {
        var garden = await _ada.Client.Lists.CreateAsync("Garden");
        await using var watch = _ada.Start("watch", "Home", "--filter", "labels:\"shop\"", "--json");
        await watch.EventAsync("synced");
        await _ada.Client.Lists.RenameAsync(garden.Id, "The garden");
        await _ada.Client.Tasks.CreateAsync(
            new TaskItem { TaskListId = garden.Id, Title = "elsewhere", Labels = { "shop" } });
        await _ada.Client.Tasks.CreateAsync(_home.Id, "without the label");
        var task = await _ada.Client.Tasks.CreateAsync(
            new TaskItem { TaskListId = _home.Id, Title = "here", Labels = { "shop" } });
        Assert.Equal(task, Assert.Single(await NotificationsAsync(watch, 1)).TaskCreated.Task);
        await _ada.Client.Tasks.UpdateAsync(task.Id, changed => changed.Labels.Clear());
        var left = await watch.JsonAsync();
        Assert.Equal("left", left.GetProperty("event").GetString());
        await _ada.Client.Lists.RenameAsync(_home.Id, "House");
        Assert.Equal("House", Assert.Single(await NotificationsAsync(watch, 1)).TaskListUpdated.TaskList.Title);
    }

    [Fact]
    public async Task A_snapshot_is_told_first_and_has_no_cursor_before_it_is_complete()
    {
        var one = await _ada.Client.Tasks.CreateAsync(_home.Id, "one");
        var two = await _ada.Client.Tasks.CreateAsync(_home.Id, "two");
        await using var watch = _ada.Start("watch", "--snapshot", "--json");
        JsonElement[] tasks = [await watch.JsonAsync(), await watch.JsonAsync()];
        Assert.All(tasks, line => Assert.Equal(JsonValueKind.Null, line.GetProperty("cursor").ValueKind));
        Assert.Equal(
            new[] { one, two }.OrderBy(task => task.Id),
            tasks.Select(line => Ran.Read<TaskItem>(line.GetProperty("task"))).OrderBy(task => task.Id));
        Assert.NotEqual("", (await watch.EventAsync("synced")).GetProperty("cursor").GetString());
        await _ada.Client.Tasks.CompleteAsync(one.Id);
        Assert.Equal(one.Id, Assert.Single(await NotificationsAsync(watch, 1)).TaskCompleted.Task.Id);
    }

    [Fact]
    public async Task A_reader_that_goes_away_ends_it()
    {
        var shell = _ada.ShellAsync("set -o pipefail; squall watch --json | head -1");
        // The reader goes after the first line; whatever comes then ends the writer, and it is not idle for long.
        while (!shell.IsCompleted)
        {
            await _ada.Client.Tasks.CreateAsync(_home.Id, "x");
        }

        var ran = (await shell).Well();
        Assert.Equal("", ran.Errors);
        Assert.Contains("\"synced\"", Assert.Single(ran.Lines), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_cannot_be_resumed_is_refused_in_one_line()
    {
        var wrong = (await _ada.RunAsync("watch", "--from", "nonsense", "--json")).ErrorJson(1);
        Assert.Equal("INVALID_ARGUMENT", wrong.GetProperty("code").GetString());
        (await _ada.RunAsync("watch", "--from", "x", "--snapshot")).Refused(2, "exclude");
        (await _ada.RunAsync("watch", "--filter", "x = 1")).Refused(1, "field");
    }

    [Fact]
    public async Task The_end_of_its_session_ends_it()
    {
        await using var watch = _ada.Start("watch", "--json");
        await watch.EventAsync("synced");
        (await _ada.RunAsync("logout")).Well();
        var ran = await watch.EndAsync();
        Assert.Equal(1, ran.ExitCode);
        Assert.Contains("UNAUTHENTICATED", ran.OnlyError(), StringComparison.Ordinal);
    }

    private static async Task<List<Notification>> NotificationsAsync(Live watch, int count)
    {
        var told = new List<Notification>();
        while (told.Count < count)
        {
            var json = await watch.EventAsync("changed");
            var notification = Ran.Read<Notification>(json.GetProperty("notification"));
            Assert.Equal(notification.Cursor, json.GetProperty("cursor").GetString());
            told.Add(notification);
        }

        return told;
    }
}
