using System.Text.RegularExpressions;
using Squall.Client;
using Squall.V1;

namespace Squall.Cli.Tests;

/// <summary>lists, what can be done with one, and how one is named.</summary>
public sealed class ListTests(ServerProcess server) : IClassFixture<ServerProcess>
{
    [Fact]
    public async Task Lists_are_created_shown_renamed_and_deleted()
    {
        using var ada = await Person.LoggedInAsync(server);
        Assert.Equal("", (await ada.RunAsync("lists")).Well().Output);
        var said = (await ada.RunAsync("lists", "create", "Home", "and", "garden")).Well().Output;
        var id = Regex.Match(said, "^Created ([0-9a-f]{8})  Home and garden\n$").Groups[1].Value;
        Assert.NotEqual("", id);
        Assert.Equal($"{id}\towner\tHome and garden\n", (await ada.RunAsync("lists")).Well().Output);
        Assert.Equal($"Renamed {id}  House\n", (await ada.RunAsync("lists", "rename", id, "House")).Well().Output);
        Assert.Equal($"Deleted {id}  House\n", (await ada.RunAsync("lists", "delete", "House", "--yes")).Well().Output);
        Assert.Empty(await AllAsync(ada));
    }

    [Fact]
    public async Task Programs_get_the_lists_as_the_contract_has_them()
    {
        using var ada = await Person.LoggedInAsync(server);
        var made = (await ada.RunAsync("lists", "create", "Home", "--json")).Message<TaskList>();
        Assert.Equal(await AllAsync(ada), [made]);
        var renamed = (await ada.RunAsync("lists", "rename", made.Id, "House", "--json")).Message<TaskList>();
        Assert.Equal("House", renamed.Title);
        await ada.Client.Lists.CreateAsync("Garden");
        Assert.Equal(await AllAsync(ada), (await ada.RunAsync("lists", "--json")).Messages<TaskList>());
        var deleted = (await ada.RunAsync("lists", "delete", "house", "--yes", "--json")).Json();
        Assert.Equal(made.Id, deleted.GetProperty("id").GetString());
        Assert.True(deleted.GetProperty("deleted").GetBoolean());
    }

    [Fact]
    public async Task A_list_is_shared_with_a_role_and_taken_back()
    {
        using var ada = await Person.LoggedInAsync(server);
        using var bob = await Person.LoggedInAsync(server);
        await ada.Client.Lists.CreateAsync("Home");
        Assert.Equal(
            $"Shared Home with {bob.Name} as editor\n",
            (await ada.RunAsync("lists", "share", "Home", bob.Name, "editor")).Well().Output);
        Assert.EndsWith("\teditor\tHome\n", (await bob.RunAsync("lists")).Well().Output, StringComparison.Ordinal);
        Assert.Equal(
            new[] { $"{ada.Name}\towner\t", $"{bob.Name}\teditor\t" }.Order(StringComparer.Ordinal),
            (await bob.RunAsync("lists", "members", "Home")).Well().Lines);
        var member = (await ada.RunAsync("lists", "share", "Home", bob.Name, "Viewer", "--json")).Message<Member>();
        Assert.Equal((bob.Name, Role.Viewer), (member.Username, member.Role));
        Assert.Contains(
            member, (await ada.RunAsync("lists", "members", "Home", "--json")).Messages<Member>());
        (await bob.RunAsync("lists", "rename", "Home", "X")).Refused(1, "Owner");
        Assert.Equal(
            $"Took {bob.Name} off Home\n",
            (await ada.RunAsync("lists", "unshare", "Home", bob.Name)).Well().Output);
        Assert.Equal("", (await bob.RunAsync("lists")).Well().Output);
        (await ada.RunAsync("lists", "unshare", "Home", bob.Name)).Refused(1, "no member");
    }

    [Fact]
    public async Task Whoever_was_given_a_list_leaves_it_by_the_name_me()
    {
        using var ada = await Person.LoggedInAsync(server);
        using var bob = await Person.LoggedInAsync(server);
        var list = await ada.Client.Lists.CreateAsync("Home");
        await ada.Client.Lists.SetMemberAsync(list.Id, bob.Name, Role.Viewer);
        var left = (await bob.RunAsync("lists", "unshare", "Home", "me", "--json")).Message<Member>();
        Assert.Equal(bob.Name, left.Username);
        Assert.Empty(await AllAsync(bob));
    }

    [Fact]
    public async Task A_list_is_named_by_its_id_its_end_its_title_and_nearly_its_title()
    {
        using var ada = await Person.LoggedInAsync(server);
        var list = await ada.Client.Lists.CreateAsync("Zażółć 🎉 @home");
        foreach (var name in (string[])
            [list.Id.ToUpperInvariant(), list.Id[^8..], list.Title, "ZAŻÓŁĆ 🎉 @HOME"])
        {
            var task = (await ada.RunAsync("add", name, "x", "--json")).Message<TaskItem>();
            Assert.Equal(list.Id, task.TaskListId);
        }

        (await ada.RunAsync("add", "Home", "x")).Refused(1, "'squall lists'");
        var unknown = (await ada.RunAsync("list", "Home", "--json")).ErrorJson(1);
        Assert.Equal("NOT_FOUND", unknown.GetProperty("code").GetString());
    }

    [Fact]
    public async Task An_exact_title_goes_before_others_and_two_alike_are_told_apart_by_their_ids()
    {
        using var ada = await Person.LoggedInAsync(server);
        var lists = new List<TaskList>();
        foreach (var title in (string[])["Home", "HOME", "Shop", "Shop"])
        {
            lists.Add(await ada.Client.Lists.CreateAsync(title));
        }

        Assert.Equal(lists[0].Id, (await ada.RunAsync("add", "Home", "x", "--json")).Message<TaskItem>().TaskListId);
        Assert.Equal(lists[1].Id, (await ada.RunAsync("add", "HOME", "x", "--json")).Message<TaskItem>().TaskListId);
        foreach (var (name, alike) in ((string, TaskList[])[])
            [("home", [lists[0], lists[1]]), ("Shop", [lists[2], lists[3]])])
        {
            var error = (await ada.RunAsync("add", name, "x")).Refused(1);
            Assert.All(alike, list => Assert.Contains($"{list.Id} ({list.Title})", error, StringComparison.Ordinal));
            var json = (await ada.RunAsync("add", name, "x", "--json")).ErrorJson(1);
            Assert.Equal("AMBIGUOUS", json.GetProperty("code").GetString());
        }
    }

    [Fact]
    public async Task Nobody_deletes_a_list_by_mistake()
    {
        using var ada = await Person.LoggedInAsync(server);
        await ada.Client.Lists.CreateAsync("Home");
        (await ada.RunAsync("lists", "delete", "Home")).Refused(2, "--yes");
        var no = await ada.TerminalAsync(80, ["lists", "delete", "Home"], ("[y/N] ", "n\n"));
        Assert.Equal(1, no.ExitCode);
        Assert.Single(await AllAsync(ada));
        var yes = await ada.TerminalAsync(80, ["lists", "delete", "Home"], ("[y/N] ", "y\n"));
        Assert.Equal(0, yes.ExitCode);
        Assert.Empty(await AllAsync(ada));
    }

    private static async Task<List<TaskList>> AllAsync(Person person)
    {
        var lists = new List<TaskList>();
        await foreach (var list in person.Client.Lists.List())
        {
            lists.Add(list);
        }

        return lists;
    }
}
