using Squall.Client;
using Squall.V1;

namespace Squall.Cli.Tests;

/// <summary>Terminals and pipes of all kinds, and text that others wrote.</summary>
public sealed class OutputTests(ServerProcess server) : IClassFixture<ServerProcess>
{
    private const char Escape = '\u001b';

    [Fact]
    public async Task A_terminal_has_tables_and_colours_and_a_pipe_has_neither()
    {
        using var ada = await AtHomeAsync();
        await ada.RunAsync("add", "Home", "Buy milk", "--due", "today", "--priority", "urgent");
        var terminal = (await ada.TerminalAsync(80, ["list"])).Well().Output;
        Assert.Contains($"{Escape}[91murgent{Escape}[0m", terminal, StringComparison.Ordinal);
        Assert.Contains("Title", terminal, StringComparison.Ordinal);
        Assert.Contains("today", terminal, StringComparison.Ordinal);
        var pipe = (await ada.RunAsync("list")).Well().Output;
        Assert.DoesNotContain(Escape, pipe);
        Assert.DoesNotContain("Title", pipe, StringComparison.Ordinal);
        var json = (await ada.TerminalAsync(80, ["list", "--json"])).Well().Output;
        // .NET itself says to a terminal that it reads keys.
        Assert.DoesNotContain(
            $"{Escape}[", json.Replace($"{Escape}[?1h", "", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.Contains("\"title\": \"Buy milk\"", json, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_terminal_without_colours_has_the_table_alone()
    {
        using var ada = await AtHomeAsync();
        await ada.RunAsync("add", "Home", "Buy milk", "--priority", "urgent");
        foreach (var (name, value) in ((string, string)[])[("TERM", "dumb"), ("NO_COLOR", "1")])
        {
            var before = ada.Environment[name];
            ada.Environment[name] = value;
            var output = (await ada.TerminalAsync(80, ["list", "Home"])).Well().Output;
            Assert.DoesNotContain($"{Escape}[9", output, StringComparison.Ordinal);
            Assert.DoesNotContain($"{Escape}[1m", output, StringComparison.Ordinal);
            Assert.Matches("(?m)^.*Id +Title +Priority *$", output);
            Assert.Matches("(?m)^[0-9a-f]{8}  Buy milk  urgent *$", output);
            ada.Environment[name] = before;
        }
    }

    [Fact]
    public async Task A_narrow_terminal_leaves_out_columns_and_never_the_id_and_the_title()
    {
        using var ada = await AtHomeAsync();
        ada.Environment["NO_COLOR"] = "1";
        const string title = "A title of many words, that is wider than the terminal";
        var id = (await ada.RunAsync(
            "add", "Home", title, "--due", "2030-12-01 12:00", "--priority", "high", "--label", "garden",
            "--assignee", "me", "--json")).Message<TaskItem>().Id[^8..];
        foreach (var width in (int[])[120, 60, 40, 20])
        {
            var output = (await ada.TerminalAsync(width, ["list"])).Well().Output;
            var lines = output.Replace($"{Escape}[?1h{Escape}=", "", StringComparison.Ordinal).Split('\n');
            Assert.All(lines, line => Assert.InRange(line.Length, 0, width));
            Assert.Contains(lines, line => line.StartsWith(id, StringComparison.Ordinal));
            var words = string.Join(' ', lines.Skip(1).Select(line => line.Length > 10 ? line[10..] : ""));
            Assert.All(title.Split(' '), word => Assert.Contains(word, words, StringComparison.Ordinal));
            Assert.Equal(width == 120, output.Contains("garden", StringComparison.Ordinal));
            Assert.Equal(width > 40, output.Contains("2030-12-01 12:00", StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task A_watch_on_a_narrow_terminal_ends_by_its_keyboard()
    {
        using var ada = await AtHomeAsync();
        var list = await ada.Client.Lists.List().FirstAsync();
        var task = await ada.Client.Tasks.CreateAsync(list.Id, "Buy milk");
        var ran = await ada.TerminalAsync(30, ["watch", "--snapshot"], ("Ctrl-C ends it.\n", "\x03"));
        Assert.Contains("task", ran.Well().Output, StringComparison.Ordinal);
        Assert.Contains(task.Id[^8..], ran.Output, StringComparison.Ordinal);
        Assert.Contains("Buy", ran.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Steps_stand_below_what_they_are_steps_of()
    {
        using var ada = await AtHomeAsync();
        var list = await ada.Client.Lists.List().FirstAsync();
        var paint = await ada.Client.Tasks.CreateAsync(list.Id, "Paint the fence");
        await ada.Client.Tasks.CreateAsync(list.Id, "Sleep");
        await ada.Client.Tasks.CreateAsync(
            new TaskItem { TaskListId = list.Id, ParentId = paint.Id, Title = "Buy paint" });
        var output = (await ada.TerminalAsync(80, ["list", "Home"])).Well().Output;
        var places = ((string[])["Paint the fence", "- Buy paint", "Sleep"])
            .Select(title => output.IndexOf(title, StringComparison.Ordinal)).ToList();
        Assert.DoesNotContain(-1, places);
        Assert.Equal(places.Order(), places);
    }

    [Fact]
    public async Task Text_of_all_scripts_comes_through_and_what_steers_a_terminal_does_not()
    {
        using var ada = await AtHomeAsync();
        const string title = "Zażółć 日本語 🎉 [red]x[/] \u202eevil \u2028next";
        var task = (await ada.RunAsync("add", "Home", title, "--json")).Message<TaskItem>();
        Assert.Equal(title, task.Title);
        const string shown = "Zażółć 日本語 🎉 [red]x[/] \ufffdevil \ufffdnext";
        Assert.EndsWith($"\t{shown}\n", (await ada.RunAsync("list")).Well().Output, StringComparison.Ordinal);
        Assert.StartsWith($"{shown}\n", (await ada.RunAsync("show", task.Id)).Well().Output, StringComparison.Ordinal);
        Assert.Contains(shown, (await ada.TerminalAsync(100, ["list"])).Well().Output, StringComparison.Ordinal);
        Assert.DoesNotContain('\u202e', (await ada.TerminalAsync(100, ["list", "--json"])).Well().Output);
    }

    [Fact]
    public async Task A_reader_that_has_enough_is_no_failure()
    {
        using var ada = await AtHomeAsync();
        var list = await ada.Client.Lists.List().FirstAsync();
        // More than a pipe holds.
        await ada.Client.Tasks.CreateManyAsync(
            list.Id, Enumerable.Range(0, 1_000).Select(_ => new TaskItem { Title = new string('x', 400) }));
        foreach (var form in (string[])["", " --json"])
        {
            var ran = (await ada.ShellAsync($"set -o pipefail; squall list{form} | head -1")).Well();
            Assert.Single(ran.Lines);
            Assert.Equal("", ran.Errors);
        }
    }

    [Fact]
    public async Task A_full_disk_is_told_and_files_are_written_one_after_the_other()
    {
        using var ada = await AtHomeAsync();
        foreach (var command in (string[])["squall lists", "squall lists --json", "squall --help", "squall --version"])
        {
            (await ada.ShellAsync($"{command} > /dev/full")).Refused(1, "space");
        }

        (await ada.ShellAsync("squall whoami >&-")).Refused(1);
        // There is nobody to tell, which is no reason to crash.
        Assert.Equal(new Ran(2, "", ""), await ada.ShellAsync("squall bogus 2>&-"));
        Assert.Equal(new Ran(2, "", ""), await ada.ShellAsync("squall bogus 2> /dev/full"));
        var ran = await ada.ShellAsync(
            "(squall lists; squall whoami) > one; squall lists > two; squall whoami >> two; cat one two");
        Assert.Equal(4, ran.Well().Lines.Count);
        Assert.Equal(ran.Lines.Take(2), ran.Lines.Skip(2));
    }

    private async Task<Person> AtHomeAsync()
    {
        var person = await Person.LoggedInAsync(server);
        await person.Client.Lists.CreateAsync("Home");
        return person;
    }
}
