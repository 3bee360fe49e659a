using Grpc.Core;
using Squall.V1;

namespace Squall.Server.Tests;

/// <summary>A task that gets another list moves: gone from the old one, and new in the other, under its id.</summary>
public sealed class TaskMoveTests : IClassFixture<TaskWorld>
{
    private readonly TaskWorld _world;

    public TaskMoveTests(TaskWorld world) => _world = world;

    private Client Ada => _world.Ada;
    private Client Bob => _world.Bob;

    [Fact]
    public async Task Each_list_is_told_its_part()
    {
        TaskList from = await _world.SharedListAsync(Role.Viewer);
        TaskList to = await Ada.CreateListAsync();
        TaskItem task = await Ada.AddAsync(from, "moves", it => it.Labels.Add("box"));
        Comment comment = await Ada.CommentAsync(task, "comes along");
        string cursor = await Ada.CursorAsync();
        TaskItem moved = await MoveAsync(task, to);

        TaskItem expected = task.Clone();
        (expected.TaskListId, expected.Version, expected.UpdateTime) = (to.Id, 2, moved.UpdateTime);
        Assert.Equal(expected, moved);
        Assert.Equal(expected, await Ada.GetAsync(task));
        Assert.Equal([expected], await Ada.ListAsync($"task_list_id = {to.Id} AND labels:box"));
        Assert.Empty(await Ada.ListAsync(from));
        Assert.Equal(
            [comment], (await Ada.Tasks.ListCommentsAsync(new() { TaskId = task.Id }, Ada.Headers)).Comments);

        Notification[] told = await Ada.ToldAsync(cursor);
        Assert.Equal([from.Id, to.Id], told.Select(it => it.TaskListId));
        Assert.Equal((task.Id, expected), (told[0].TaskDeleted.TaskId, told[1].TaskCreated.Task));
        Assert.Equal(task.Id, Assert.Single(await Bob.ToldAsync(cursor)).TaskDeleted.TaskId);
        await Refusal.AssertAsync(StatusCode.NotFound, "NOT_FOUND", () => Bob.GetAsync(task));

        string back = await Bob.CursorAsync();
        expected = await MoveAsync(moved, from);
        Assert.Equal(expected, Assert.Single(await Bob.ToldAsync(back)).TaskCreated.Task);
    }

    [Fact]
    public async Task What_else_the_mask_names_changes_with_it()
    {
        TaskList from = await Ada.CreateListAsync();
        TaskList to = await Ada.CreateListAsync();
        TaskItem there = await Ada.AddAsync(to, "there", it => it.Rank = "x");
        TaskItem task = await Ada.AddAsync(from, "moves", it => it.Rank = "b");
        string cursor = await Ada.CursorAsync();
        TaskItem moved = await Ada.UpdateAsync(
            task, it => (it.TaskListId, it.Title) = (to.Id, "moved"), "task_list_id", "title", "rank");
        Assert.Equal([there, moved], await Ada.ListAsync(to));
        Assert.Equal("moved", moved.Title);
        Assert.Equal(moved, (await Ada.ToldAsync(cursor))[1].TaskCreated.Task);
    }

    [Fact]
    public async Task It_needs_an_editor_in_both_lists()
    {
        TaskList mine = await Bob.CreateListAsync();
        TaskList edited = await _world.SharedListAsync(Role.Editor);
        TaskList worked = await _world.SharedListAsync(Role.Worker);
        TaskList unseen = await Ada.CreateListAsync();
        TaskItem task = await Bob.AddAsync(mine);
        TaskItem hers = await Ada.AddAsync(worked);

        await RefusedAsync(StatusCode.NotFound, "NOT_FOUND", Bob, task, unseen);
        await RefusedAsync(StatusCode.PermissionDenied, "ROLE_TOO_LOW", Bob, task, worked);
        await RefusedAsync(StatusCode.PermissionDenied, "ROLE_TOO_LOW", Bob, hers, mine);
        Assert.Equal(edited.Id, (await MoveAsync(task, edited, Bob)).TaskListId);
    }

    [Fact]
    public async Task Its_assignee_must_be_a_member_there_too()
    {
        TaskList from = await _world.SharedListAsync(Role.Viewer);
        TaskList to = await Ada.CreateListAsync();
        TaskItem task = await Ada.AddAsync(from, "x", it => it.AssigneeId = Bob.Account.Id);
        await RefusedAsync(StatusCode.FailedPrecondition, "ASSIGNEE_NOT_MEMBER", Ada, task, to);
        TaskItem moved = await Ada.UpdateAsync(
            task, it => (it.TaskListId, it.AssigneeId) = (to.Id, Ada.Account.Id), "task_list_id", "assignee_id");
        Assert.Equal((to.Id, Ada.Account.Id), (moved.TaskListId, moved.AssigneeId));
    }

    [Fact]
    public async Task Its_steps_move_with_it_and_each_is_told()
    {
        TaskList from = await Ada.CreateListAsync();
        TaskList to = await Ada.CreateListAsync();
        TaskItem parent = await Ada.AddAsync(from, "parent");
        TaskItem other = await Ada.AddAsync(from, "stays");
        TaskItem[] steps = [await StepAsync(parent), await StepAsync(parent)];
        string cursor = await Ada.CursorAsync();
        TaskItem moved = await MoveAsync(parent, to);

        TaskItem[] after = [await Ada.GetAsync(steps[0]), await Ada.GetAsync(steps[1])];
        Assert.All(steps.Zip(after), pair =>
        {
            TaskItem expected = pair.First.Clone();
            (expected.TaskListId, expected.Version, expected.UpdateTime) = (to.Id, 2, moved.UpdateTime);
            Assert.Equal(expected, pair.Second);
        });
        Assert.Equal([other], await Ada.ListAsync(from));
        Assert.Equal([moved, .. after], await Ada.ListAsync(to));
        Notification[] told = await Ada.ToldAsync(cursor);
        Assert.Equal(
            new[] { parent, steps[0], steps[1] }.Select(task => task.Id).Order(),
            told.Where(it => it.TaskListId == from.Id).Select(it => it.TaskDeleted.TaskId).Order());
        Assert.Equal(
            new[] { moved, after[0], after[1] }.OrderBy(task => task.Id),
            told.Where(it => it.TaskListId == to.Id).Select(it => it.TaskCreated.Task).OrderBy(task => task.Id));
        Assert.Equal(6, told.Length);
    }

    [Fact]
    public async Task A_step_whose_assignee_is_no_member_there_keeps_all_where_they_are()
    {
        TaskList from = await _world.SharedListAsync(Role.Viewer);
        TaskList to = await Ada.CreateListAsync();
        TaskItem parent = await Ada.AddAsync(from, "parent");
        TaskItem step = await StepAsync(parent, it => it.AssigneeId = Bob.Account.Id);
        await RefusedAsync(StatusCode.FailedPrecondition, "ASSIGNEE_NOT_MEMBER", Ada, parent, to);
        Assert.Equal([parent, step], await Ada.ListAsync(from));
        Assert.Empty(await Ada.ListAsync(to));
    }

    [Fact]
    public async Task A_step_moves_only_where_its_parent_is_or_without_it()
    {
        TaskList from = await Ada.CreateListAsync();
        TaskList to = await Ada.CreateListAsync();
        TaskItem parent = await Ada.AddAsync(from, "parent");
        TaskItem other = await Ada.AddAsync(to, "other parent");
        TaskItem[] steps = [await StepAsync(parent), await StepAsync(parent)];

        await RefusedAsync(StatusCode.FailedPrecondition, "PARENT_IN_OTHER_LIST", Ada, steps[0], to);
        TaskItem alone = await Ada.UpdateAsync(steps[0], it => it.TaskListId = to.Id, "task_list_id", "parent_id");
        TaskItem taken = await Ada.UpdateAsync(
            steps[1], it => (it.TaskListId, it.ParentId) = (to.Id, other.Id), "task_list_id", "parent_id");
        Assert.Equal((to.Id, ""), (alone.TaskListId, alone.ParentId));
        Assert.Equal((to.Id, other.Id), (taken.TaskListId, taken.ParentId));
        Assert.Equal([parent], await Ada.ListAsync(from));

        // The old parent has no steps any more, which it would take along; the new one has.
        await MoveAsync(parent, to);
        await MoveAsync(other, from);
        Assert.Equal(from.Id, (await Ada.GetAsync(taken)).TaskListId);
    }

    private async Task<TaskItem> StepAsync(TaskItem parent, Action<TaskItem>? set = null) =>
        await Ada.AddAsync(new TaskList { Id = parent.TaskListId }, "step", task =>
        {
            task.ParentId = parent.Id;
            set?.Invoke(task);
        });

    private Task<TaskItem> MoveAsync(TaskItem task, TaskList to, Client? who = null) =>
        (who ?? Ada).UpdateAsync(task, it => it.TaskListId = to.Id, "task_list_id");

    private async Task RefusedAsync(StatusCode code, string reason, Client who, TaskItem task, TaskList to)
    {
        TaskItem before = await who.GetAsync(task);
        await Refusal.AssertAsync(code, reason, () => MoveAsync(task, to, who));
        Assert.Equal(before, await who.GetAsync(task));
    }
}
