using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Squall.V1;

namespace Squall.Server.Tests;

/// <summary>What a mask names is changed, and nothing else.</summary>
public sealed class TaskUpdateTests : IClassFixture<TaskWorld>
{
    private static readonly string[] Paths =
    [
        "task_list_id", "title", "note", "priority", "labels", "assignee_id", "parent_id", "due_time", "rank",
    ];

    private readonly TaskWorld _world;

    public TaskUpdateTests(TaskWorld world) => _world = world;

    private Client Ada => _world.Ada;

    public static TheoryData<string> EachPath() => [.. Paths];

    [Theory]
    [MemberData(nameof(EachPath))]
    public async Task Each_path_changes_its_field_and_leaves_every_other_as_it_was_byte_for_byte(string path)
    {
        (TaskItem before, TaskItem other) = await TwoAsync();
        if (path == "task_list_id")
        {
            before = await Ada.UpdateAsync(before, _ => { }, "parent_id");
        }
        else
        {
            other.TaskListId = before.TaskListId;
            other.ParentId = (await Ada.AddAsync(new TaskList { Id = before.TaskListId }, "other parent")).Id;
        }

        TaskItem wanted = other.Clone();
        wanted.Id = before.Id;
        TaskItem after = await UpdateAsync(wanted, path);

        TaskItem expected = before.Clone();
        Copy(other, expected, path);
        (expected.Version, expected.UpdateTime) = (before.Version + 1, after.UpdateTime);
        Assert.Equal(expected.ToByteString(), after.ToByteString());
        Assert.Equal(expected.ToByteString(), (await Ada.GetAsync(before)).ToByteString());
        Assert.True(after.UpdateTime.ToDateTime() > before.UpdateTime.ToDateTime());
    }

    [Fact]
    public async Task All_paths_together_change_all_that_a_caller_can_change()
    {
        (TaskItem before, TaskItem other) = await TwoAsync();
        TaskItem wanted = other.Clone();
        wanted.Id = before.Id;
        TaskItem after = await UpdateAsync(wanted, Paths);
        TaskItem expected = before.Clone();
        foreach (string path in Paths)
        {
            Copy(other, expected, path);
        }

        (expected.Version, expected.UpdateTime) = (2, after.UpdateTime);
        Assert.Equal(expected, after);
    }

    [Theory]
    [InlineData("note")]
    [InlineData("priority")]
    [InlineData("labels")]
    [InlineData("assignee_id")]
    [InlineData("parent_id")]
    [InlineData("due_time")]
    public async Task A_path_whose_field_is_unset_clears_it(string path)
    {
        (TaskItem before, _) = await TwoAsync();
        string cursor = await Ada.CursorAsync();
        TaskItem after = await UpdateAsync(new TaskItem { Id = before.Id }, path);
        TaskItem expected = before.Clone();
        TaskItem.Descriptor.FindFieldByName(path).Accessor.Clear(expected);
        (expected.Version, expected.UpdateTime) = (2, after.UpdateTime);
        Assert.Equal(expected, after);
        Assert.Equal(expected, await Ada.GetAsync(before));
        TaskUpdated told = Assert.Single(await Ada.ToldAsync(cursor)).TaskUpdated;
        Assert.Equal((expected, path), (told.Task, Assert.Single(told.Changed.Paths)));

        string isSet = $"task_list_id = {before.TaskListId} AND title = \"{before.Title}\" AND {path}:*";
        Assert.Empty(await Ada.ListAsync(isSet));
    }

    [Theory]
    [InlineData("title")]
    [InlineData("task_list_id")]
    public async Task What_a_task_must_have_cannot_be_cleared(string path)
    {
        (TaskItem before, _) = await TwoAsync();
        await Refusal.AssertAsync(StatusCode.InvalidArgument, "FIELD_REQUIRED", $"task.{path}", () =>
            UpdateAsync(new TaskItem { Id = before.Id }, path));
        Assert.Equal(before, await Ada.GetAsync(before));
    }

    [Fact]
    public async Task A_cleared_rank_is_the_last()
    {
        TaskList list = await Ada.CreateListAsync();
        TaskItem first = await Ada.AddAsync(list);
        TaskItem second = await Ada.AddAsync(list);
        first = await UpdateAsync(new TaskItem { Id = first.Id }, "rank");
        Assert.Equal([second, first], await Ada.ListAsync(list));
        Assert.True(string.CompareOrdinal(first.Rank, second.Rank) > 0);
    }

    [Fact]
    public async Task A_task_can_be_put_between_two_others()
    {
        TaskList list = await Ada.CreateListAsync();
        TaskItem[] tasks = [await Ada.AddAsync(list), await Ada.AddAsync(list), await Ada.AddAsync(list)];
        TaskItem moved = await Ada.UpdateAsync(tasks[2], task => task.Rank = tasks[0].Rank + "i", "rank");
        Assert.Equal([tasks[0], moved, tasks[1]], await Ada.ListAsync(list));
    }

    [Fact]
    public async Task An_update_that_changes_nothing_keeps_the_version_and_is_told_to_nobody()
    {
        (TaskItem before, _) = await TwoAsync();
        string cursor = await Ada.CursorAsync();
        TaskItem same = before.Clone();
        same.Labels.Add(same.Labels[0]);
        same.DueTime.Nanos += 999;
        Assert.Equal(before, await UpdateAsync(same, Paths));
        Assert.Equal(before, await Ada.GetAsync(before));
        Assert.Empty(await Ada.ToldAsync(cursor));
    }

    [Fact]
    public async Task It_is_told_with_the_fields_that_it_changed_and_no_other()
    {
        (TaskItem before, _) = await TwoAsync();
        string cursor = await Ada.CursorAsync();
        TaskItem wanted = before.Clone();
        wanted.Note = "changed";
        wanted.Labels.Clear();
        wanted.Labels.Add(before.Labels.Reverse());
        TaskItem after = await UpdateAsync(wanted, "title", "labels", "priority", "note");
        Notification told = Assert.Single(await Ada.ToldAsync(cursor));
        Assert.Equal(after, told.TaskUpdated.Task);
        Assert.Equal(["labels", "note"], told.TaskUpdated.Changed.Paths.Order());
        Assert.Equal(Ada.Account.Id, told.ActorId);
    }

    [Fact]
    public async Task Labels_that_stay_go_and_come_are_what_filters_find()
    {
        TaskList list = await Ada.CreateListAsync();
        TaskItem task = await Ada.AddAsync(list, "x", it => it.Labels.Add(["stays", "goes"]));
        await Ada.UpdateAsync(task, it => it.Labels.Add(["comes", "stays", "comes"]), "labels");
        var found = new Dictionary<string, int>();
        foreach (string label in new[] { "stays", "goes", "comes" })
        {
            found[label] = (await Ada.ListAsync($"task_list_id = {list.Id} AND labels:{label}")).Count;
        }

        Assert.Equal([1, 0, 1], [found["stays"], found["goes"], found["comes"]]);
    }

    [Fact]
    public async Task An_assignee_must_be_a_member()
    {
        TaskList list = await Ada.CreateListAsync();
        TaskItem task = await Ada.AddAsync(list);
        foreach (string assignee in new[] { _world.Bob.Account.Id, "nobody" })
        {
            await Refusal.AssertAsync(StatusCode.FailedPrecondition, "ASSIGNEE_NOT_MEMBER", () =>
                Ada.UpdateAsync(task, it => it.AssigneeId = assignee, "assignee_id"));
            await Refusal.AssertAsync(StatusCode.FailedPrecondition, "ASSIGNEE_NOT_MEMBER", () =>
                Ada.AddAsync(list, "x", it => it.AssigneeId = assignee));
        }

        await Ada.ShareAsync(list, _world.Bob, Role.Viewer);
        Assert.Equal(
            _world.Bob.Account.Id,
            (await Ada.UpdateAsync(task, it => it.AssigneeId = _world.Bob.Account.Id, "assignee_id")).AssigneeId);
    }

    /// <summary>Two tasks that differ in all that a caller can say, in two lists that Ada and Bob share.</summary>
    private async Task<(TaskItem One, TaskItem Other)> TwoAsync()
    {
        TaskList list = await _world.SharedListAsync(Role.Viewer);
        TaskItem parent = await Ada.AddAsync(list, "parent");
        TaskItem one = await Ada.AddAsync(list, "one", task =>
        {
            (task.Note, task.Priority, task.Rank) = ("note one", Priority.Low, "a1");
            (task.AssigneeId, task.ParentId) = (Ada.Account.Id, parent.Id);
            task.DueTime = new Timestamp { Seconds = 1_000_000_000 };
            task.Labels.Add(["a", "b"]);
        });
        list = await _world.SharedListAsync(Role.Viewer);
        TaskItem other = await Ada.AddAsync(list, "other", task =>
        {
            (task.Note, task.Priority, task.Rank) = ("note other", Priority.Urgent, "z2");
            task.AssigneeId = _world.Bob.Account.Id;
            task.DueTime = new Timestamp { Seconds = 2_000_000_000, Nanos = 1_000 };
            task.Labels.Add(["c", "b"]);
        });
        other.ParentId = (await Ada.AddAsync(list, "other parent")).Id;
        (other.State, other.CreatorId, other.Version) = (TaskState.Done, _world.Bob.Account.Id, 77);
        other.CompleteTime = other.CreateTime = other.UpdateTime = new Timestamp { Seconds = 3 };
        return (one, other);
    }

    private async Task<TaskItem> UpdateAsync(TaskItem wanted, params string[] paths) =>
        (await Ada.Tasks.UpdateTaskAsync(
            new() { Task = wanted, UpdateMask = new FieldMask { Paths = { paths } } }, Ada.Headers)).Task;

    private static void Copy(TaskItem from, TaskItem to, string path) =>
        new FieldMask { Paths = { path } }.Merge(from, to, new() { ReplaceRepeatedFields = true });
}
