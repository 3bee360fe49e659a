using ImportTaskwarrior;
using Squall.V1;

namespace Squall.Samples.Tests;

public sealed class WantedTests
{
    private static readonly SourceLine Line = new("test", 1, "");

    [Fact]
    public void What_Squall_has_a_field_for_comes_over()
    {
        var state = State(
            ("priority", "H"), ("tags", "a,b"), ("due", "1900000000"), ("annotation_1800000000", "said"));
        var wanted = Wanted.Of(state, new Losses());
        var task = wanted.ToTask("list");
        Assert.Equal(("list", "title", "", Priority.High), (task.TaskListId, task.Title, task.Note, task.Priority));
        Assert.Equal([$"taskwarrior:{Fixture.Uuid(1)}", "a", "b"], task.Labels);
        Assert.Equal(1_900_000_000, task.DueTime.Seconds);
        Assert.Equal(["said"], wanted.Comments.Select(comment => comment.Text));
        Assert.Equal(Fixture.Uuid(1), Wanted.UuidOf(task));
    }

    [Theory]
    [InlineData("H", Priority.High)]
    [InlineData("M", Priority.Medium)]
    [InlineData("L", Priority.Low)]
    [InlineData("", Priority.Unspecified)]
    [InlineData("X", Priority.Unspecified)]
    public void A_priority_is_one_of_Squall(string written, Priority meant) =>
        Assert.Equal(meant, Wanted.Of(State(("priority", written)), new Losses()).Priority);

    [Theory]
    [InlineData("pending", Standing.Open)]
    [InlineData("waiting", Standing.Open)]
    [InlineData("recurring", Standing.Open)]
    [InlineData("completed", Standing.Done)]
    [InlineData("deleted", Standing.Gone)]
    internal void A_status_is_a_state_of_Squall(string written, Standing meant) =>
        Assert.Equal(meant, Wanted.Of(State(("status", written)), new Losses()).Standing);

    [Fact]
    public void What_has_no_place_is_counted_once_a_value_and_named()
    {
        var losses = new Losses();
        var state = State(
            ("wait", "1900000000"), ("scheduled", "1900000001"), ("recur", "weekly"), ("depends", "x,y"),
            ("estimate", "3"), ("entry", "1800000000"), ("priority", "X"), ("annotation_1800000000", "said"),
            ("status", "waiting"));
        Wanted.Of(state, losses);
        Wanted.Of(state, losses);
        Assert.Equal(
            [
                "annotation time=2027-01-15 08:00:00Z", "depends=x", "depends=y", "entry=1800000000", "estimate=3",
                "priority=X", "recur=weekly", "scheduled=1900000001", "status=waiting", "wait=1900000000",
            ],
            losses.All.Select(loss => $"{loss.Field}={loss.Value}").Order(StringComparer.Ordinal));
        var summary = new StringWriter();
        losses.Summarize(summary);
        Assert.Matches(@"depends +2 of 1 tasks: Squall has no dependencies", summary.ToString());
        Assert.Matches(@"estimate +1 of 1 tasks: an attribute that Squall does not know", summary.ToString());
    }

    [Fact]
    public void A_description_that_is_no_title_stands_whole_in_the_note()
    {
        var losses = new Losses();
        var lines = Wanted.Of(State(("description", "one\ntwo\tthree")), losses);
        Assert.Equal(("one two three", "one\ntwo\tthree"), (lines.Title, lines.Note));
        var characters = string.Concat(Enumerable.Repeat("😈", 501));
        var cut = Wanted.Of(State(("description", characters)), losses);
        Assert.Equal((string.Concat(Enumerable.Repeat("😈", 499)) + "…", characters), (cut.Title, cut.Note));
        Assert.Empty(losses.All);
        var bell = Wanted.Of(State(("description", "ring\a")), losses);
        Assert.Equal(("ring ", "ring "), (bell.Title, bell.Note));
        Assert.Equal("ring\a", Assert.Single(losses.All).Value);
    }

    [Fact]
    public void Tags_beyond_what_labels_can_hold_are_told_of()
    {
        var losses = new Losses();
        var tags = Enumerable.Range(0, 51).Select(number => $"tag{number}").ToList();
        tags[7] = new string('x', 101);
        var wanted = Wanted.Of(State(("tags", string.Join(',', tags))), losses);
        Assert.Equal(50, wanted.Labels.Count);
        Assert.Equal([tags[50], tags[7]], losses.All.Select(loss => loss.Value));
    }

    [Fact]
    public void An_update_names_what_the_backlog_changed_and_nothing_else()
    {
        var before = Wanted.Of(State(("priority", "H"), ("tags", "a"), ("project", "p")), new Losses());
        var after = Wanted.Of(State(("tags", "a"), ("project", "q"), ("due", "1900000000")), new Losses());
        Assert.Equal(["task_list_id", "priority", "due_time"], after.Since(before).Paths);
        Assert.Empty(after.Since(after).Paths);
    }

    [Fact]
    public void A_task_of_other_labels_is_none_of_Taskwarriors() =>
        Assert.Null(Wanted.UuidOf(new TaskItem { Labels = { "taskwarrior:", "taskwarrior:x", "a" } }));

    private static TaskwarriorState State(params (string Name, string Value)[] attributes)
    {
        (string Name, string Value)[] rest =
            [("description", "title"), ("status", "pending"), ("uuid", Fixture.Uuid(1).ToString())];
        var given = attributes.Select(attribute => attribute.Name);
        return TaskwarriorState.From(Line, [.. attributes, .. rest.ExceptBy(given, attribute => attribute.Name)]);
    }
}
