using Squall.Client;
using Squall.V1;

namespace Squall.Cli.Tests;

/// <summary>What can be done with a task, for people and for programs.</summary>
public sealed class TaskTests(ServerProcess server) : IClassFixture<ServerProcess>
{
    [Fact]
    public async Task A_task_is_added_with_all_that_is_known_of_it()
    {
        using var ada = await Person.LoggedInAsync(server);
        var list = await ada.Client.Lists.CreateAsync("Home");
        var parent = await ada.Client.Tasks.CreateAsync(list.Id, "Paint the fence");
        var task = (await ada.RunAsync(
            "add", "Home", "Buy", "paint", "--note", "green\nand two brushes", "--due", "2026-12-01T15:00:00+02:00",
            "--priority", "High", "--label", "shop", "--label", "two words", "--assignee", "me",
            "--parent", parent.Id[^8..], "--rank", "a1", "--json")).Message<TaskItem>();
        Assert.Equal(await ada.Client.Tasks.GetAsync(task.Id), task);
        Assert.Equal("Buy paint", task.Title);
        Assert.Equal("green\nand two brushes", task.Note);
        Assert.Equal(DateTimeOffset.Parse("2026-12-01T13:00:00Z"), task.DueTime.ToDateTimeOffset());
        Assert.Equal(Priority.High, task.Priority);
        Assert.Equal(["shop", "two words"], task.Labels);
        Assert.Equal((await ada.Client.GetAccountAsync()).Id, task.AssigneeId);
        Assert.Equal(parent.Id, task.ParentId);
        Assert.Equal("a1", task.Rank);
    }

    [Fact]
    public async Task Any_title_can_be_given()
    {
        using var ada = await Person.LoggedInAsync(server);
        await ada.Client.Lists.CreateAsync("Home");
        foreach (var words in (string[][])[["@phone: call  Bob"], ["-5 kg a=b:c"], ["--", "--due"], ["[diagram]"]])
        {
            var task = (await ada.RunAsync(["add", "--json", "Home", .. words])).Message<TaskItem>();
            Assert.Equal(words[^1], task.Title);
        }
    }

    [Fact]
    public async Task People_are_told_what_was_done_with_an_id_that_they_can_type()
    {
        using var ada = await Person.LoggedInAsync(server);
        await ada.Client.Lists.CreateAsync("Home");
        await ada.Client.Lists.CreateAsync("Garden");
        var added = (await ada.RunAsync("add", "Home", "Buy milk", "--due", "2026-12-01")).Well().Output;
        var id = added.Split(' ')[1];
        Assert.Equal($"Added {id}  Buy milk  (due 2026-12-01)\n", added);
        foreach (var (arguments, said) in ((string[], string)[])
        [
            (["edit", id, "--due", "none", "--title", "Buy oat milk"], $"Changed {id}  Buy oat milk\n"),
            (["move", id, "Garden"], $"Moved {id}  Buy oat milk\n"),
            (["comment", id, "Which", "brand?"], $"Commented on {id}\n"),
            (["done", id], $"Done {id}  Buy oat milk\n"),
            (["reopen", id], $"Reopened {id}  Buy oat milk\n"),
            (["cancel", id], $"Cancelled {id}  Buy oat milk\n"),
            (["rm", id], $"Deleted {id}\n"),
        ])
        {
            Assert.Equal(said, (await ada.RunAsync(arguments)).Well().Output);
        }
    }

    [Fact]
    public async Task Programs_get_the_task_as_it_is_after_each_change()
    {
        using var ada = await Person.LoggedInAsync(server);
        var list = await ada.Client.Lists.CreateAsync("Home");
        var garden = await ada.Client.Lists.CreateAsync("Garden");
        var id = (await ada.Client.Tasks.CreateAsync(list.Id, "Buy milk")).Id;
        Assert.Equal(TaskState.Done, (await ada.RunAsync("done", id, "--json")).Message<TaskItem>().State);
        Assert.Equal(TaskState.Open, (await ada.RunAsync("reopen", id, "--json")).Message<TaskItem>().State);
        Assert.Equal(TaskState.Cancelled, (await ada.RunAsync("cancel", id, "--json")).Message<TaskItem>().State);
        Assert.Equal(
            garden.Id, (await ada.RunAsync("move", id, "Garden", "--json")).Message<TaskItem>().TaskListId);
        var edited = (await ada.RunAsync("edit", id, "--title", "Buy oat milk", "--json")).Message<TaskItem>();
        Assert.Equal(await ada.Client.Tasks.GetAsync(id), edited);
        Assert.Equal("Buy oat milk", edited.Title);
        var comment = (await ada.RunAsync("comment", id, "Which?", "--json")).Message<Comment>();
        Assert.Equal((id, "Which?"), (comment.TaskId, comment.Text));
        var shown = (await ada.RunAsync("show", id, "--json")).Json();
        Assert.Equal(edited, Ran.Read<TaskItem>(shown.GetProperty("task")));
        Assert.Equal(comment, Ran.Read<Comment>(shown.GetProperty("comments")[0]));
        Assert.Equal(0, shown.GetProperty("steps").GetArrayLength());
        var gone = (await ada.RunAsync("rm", id, "--json")).Json();
        Assert.Equal(id, gone.GetProperty("id").GetString());
        await Assert.ThrowsAsync<SquallNotFoundException>(() => ada.Client.Tasks.GetAsync(id));
    }

    [Fact]
    public async Task An_edit_changes_what_is_given_and_clears_what_is_said_to_be_none()
    {
        using var ada = await Person.LoggedInAsync(server);
        var list = await ada.Client.Lists.CreateAsync("Home");
        var before = (await ada.RunAsync(
            "add", "Home", "x", "--note", "n", "--due", "+3d", "--priority", "low", "--label", "a", "--label", "b",
            "--assignee", ada.Name, "--json")).Message<TaskItem>();
        var relabelled = (await ada.RunAsync(
            "edit", before.Id, "--label", "c", "--label", "a", "--unlabel", "b", "--json")).Message<TaskItem>();
        Assert.Equal(["a", "c"], relabelled.Labels);
        Assert.Equal(before.DueTime, relabelled.DueTime);
        Assert.Equal(before.Version + 1, relabelled.Version);
        var cleared = (await ada.RunAsync(
            "edit", before.Id, "--note", "", "--due", "none", "--priority", "none", "--assignee", "none",
            "--unlabel", "a", "--unlabel", "c", "--json")).Message<TaskItem>();
        var bare = new TaskItem(cleared) { Note = "", Priority = Priority.Unspecified, AssigneeId = "" };
        bare.Labels.Clear();
        bare.DueTime = null;
        Assert.Equal(bare, cleared);
        (await ada.RunAsync("edit", before.Id)).Refused(2, "nothing to change");
        Assert.Equal(list.Id, cleared.TaskListId);
    }

    [Fact]
    public async Task One_task_that_is_refused_does_not_keep_the_others_from_it()
    {
        using var ada = await Person.LoggedInAsync(server);
        var list = await ada.Client.Lists.CreateAsync("Home");
        var ids = new List<string>();
        foreach (var title in (string[])["a", "b", "c"])
        {
            ids.Add((await ada.Client.Tasks.CreateAsync(list.Id, title)).Id);
        }

        await ada.Client.Tasks.CompleteAsync(ids[1]);
        var ran = await ada.RunAsync(["done", .. ids.Select(id => id[^8..])]);
        Assert.Equal(1, ran.ExitCode);
        Assert.Equal([$"Done {ids[0][^8..]}  a", $"Done {ids[2][^8..]}  c"], ran.Lines);
        Assert.StartsWith($"squall: {ids[1][^8..]}: ", ran.OnlyError(), StringComparison.Ordinal);
        var json = await ada.RunAsync(["reopen", .. ids, "00000000-0000-7000-8000-000000000000", "--json"]);
        Assert.Equal(1, json.ExitCode);
        Assert.Equal(3, json.Lines.Count);
        Assert.Contains("NOT_FOUND", json.OnlyError(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_task_is_shown_with_its_note_steps_and_comments()
    {
        using var ada = await Person.LoggedInAsync(server);
        using var bob = await Person.LoggedInAsync(server);
        var list = await ada.Client.Lists.CreateAsync("Home");
        await ada.Client.Lists.SetMemberAsync(list.Id, bob.Name, Role.Editor);
        var task = (await ada.RunAsync(
            "add", "Home", "Paint", "--note", "green\ntwice", "--due", "2026-12-01 15:00", "--assignee", bob.Name,
            "--json")).Message<TaskItem>();
        var step = await ada.Client.Tasks.CreateAsync(
            new TaskItem { TaskListId = list.Id, ParentId = task.Id, Title = "Buy paint" });
        await bob.Client.Tasks.CommentAsync(task.Id, "The shop\nis closed");
        var lines = (await ada.RunAsync("show", task.Id[^6..])).Well().Output.Split('\n');
        Assert.Equal("Paint", lines[0]);
        foreach (var line in (string[])
        [
            $"  id        {task.Id}", "  list      Home", "  state     open", "  due       2026-12-01 15:00",
            $"  for       {bob.Name}", "  green", "  twice", $"  {step.Id[^8..]}  open  Buy paint", "  is closed",
        ])
        {
            Assert.Contains(line, lines);
        }

        Assert.Contains(lines, line => line.EndsWith($" {bob.Name}: The shop", StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_the_server_refuses_is_said_in_its_words()
    {
        using var ada = await Person.LoggedInAsync(server);
        using var bob = await Person.LoggedInAsync(server);
        var list = await ada.Client.Lists.CreateAsync("Home");
        await ada.Client.Lists.SetMemberAsync(list.Id, bob.Name, Role.Viewer);
        var denied = (await bob.RunAsync("add", "Home", "x", "--json")).ErrorJson(1);
        Assert.Equal("PERMISSION_DENIED", denied.GetProperty("code").GetString());
        Assert.Equal("ROLE_TOO_LOW", denied.GetProperty("reason").GetString());
        Assert.NotEqual("", denied.GetProperty("message").GetString());
        var long501 = new string('x', 501);
        (await ada.RunAsync("add", "Home", long501)).Refused(1, "500");
        (await ada.RunAsync("add", "Home", "x", "--assignee", "nobody")).Refused(1, "no member");
    }
}
