using Grpc.Core;
using Squall.V1;

namespace Squall.Server.Tests;

/// <summary>Tasks that are steps of others, of which there may be three in these tests.</summary>
public sealed class TaskStepTests : IAsyncLifetime
{
    private readonly ServerFixture _server = new(options => options.Limits.TaskStepsMax = 3);
    private Client _ada = null!;
    private TaskList _list = null!;
    private TaskItem _parent = null!;

    public async Task InitializeAsync()
    {
        await _server.InitializeAsync();
        _ada = await Client.SignInAsync(_server, "ada");
        _list = await _ada.CreateListAsync();
        _parent = await _ada.AddAsync(_list, "parent");
    }

    public async Task DisposeAsync()
    {
        _ada.Dispose();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task A_step_does_not_change_its_parent()
    {
        TaskItem step = await StepAsync(_parent);
        Assert.Equal(_parent.Id, step.ParentId);
        Assert.Equal(_parent, await _ada.GetAsync(_parent));
        Assert.Equal([step], await _ada.ListAsync($"parent_id = {_parent.Id}"));
    }

    [Fact]
    public async Task A_parent_is_of_the_same_list_and_no_step()
    {
        TaskItem step = await StepAsync(_parent);
        TaskItem elsewhere = await _ada.AddAsync(await _ada.CreateListAsync());
        using Client bob = await Client.SignInAsync(_server, "bob");
        TaskItem unseen = await bob.AddAsync(await bob.CreateListAsync());
        TaskItem task = await _ada.AddAsync(_list);

        foreach ((TaskItem parent, StatusCode code, string reason) in new[]
        {
            (elsewhere, StatusCode.FailedPrecondition, "PARENT_IN_OTHER_LIST"),
            (step, StatusCode.FailedPrecondition, "PARENT_IS_STEP"),
            (unseen, StatusCode.NotFound, "NOT_FOUND"),
            (new TaskItem { Id = "none" }, StatusCode.NotFound, "NOT_FOUND"),
        })
        {
            await Refusal.AssertAsync(code, reason, () => StepAsync(parent));
            await Refusal.AssertAsync(code, reason, () => ChangeParentAsync(task, parent.Id));
            await Refusal.AssertAsync(code, reason, async () =>
                await _ada.Tasks.BatchCreateTasksAsync(BatchOf(parent.Id), _ada.Headers));
        }

        await Refusal.AssertAsync(StatusCode.InvalidArgument, "PARENT_IS_SELF", "task.parent_id", () =>
            ChangeParentAsync(task, task.Id));
        Assert.Equal([_parent, step, task], await _ada.ListAsync(_list));
    }

    [Fact]
    public async Task A_task_that_has_steps_becomes_none()
    {
        TaskItem step = await StepAsync(_parent);
        TaskItem other = await _ada.AddAsync(_list);
        await Refusal.AssertAsync(StatusCode.FailedPrecondition, "TASK_HAS_STEPS", () =>
            ChangeParentAsync(_parent, other.Id));
        await ChangeParentAsync(step, "");
        Assert.Equal(other.Id, (await ChangeParentAsync(_parent, other.Id)).ParentId);
    }

    [Fact]
    public async Task A_task_has_so_many_steps_however_they_come_and_go()
    {
        TaskItem[] steps = [await StepAsync(_parent), await StepAsync(_parent), await StepAsync(_parent)];
        TaskItem other = await _ada.AddAsync(_list, "other");
        await FullAsync();

        await _ada.DeleteAsync(steps[0]);
        await ChangeParentAsync(other, _parent.Id);
        await FullAsync();

        await ChangeParentAsync(other, "");
        steps[0] = await StepAsync(_parent);
        await FullAsync();

        await ChangeParentAsync(steps[0], other.Id);
        await Refusal.AssertAsync(StatusCode.ResourceExhausted, "STEPS_LIMIT", async () =>
            await _ada.Tasks.BatchCreateTasksAsync(BatchOf(_parent.Id, _parent.Id), _ada.Headers));
        await _ada.Tasks.BatchCreateTasksAsync(BatchOf(_parent.Id, other.Id), _ada.Headers);
        await FullAsync();
        await _ada.UpdateAsync(
            steps[1], it => (it.Title, it.ParentId) = ("same parent", _parent.Id), "title", "parent_id");
        await FullAsync();
    }

    [Fact]
    public async Task To_complete_a_task_leaves_its_steps_as_they_are()
    {
        TaskItem step = await StepAsync(_parent);
        await _ada.CompleteAsync(_parent);
        Assert.Equal(step, await _ada.GetAsync(step));
        await _ada.CompleteAsync(step);
    }

    [Fact]
    public async Task To_delete_a_task_deletes_its_steps_and_each_is_told()
    {
        TaskItem[] steps = [await StepAsync(_parent), await StepAsync(_parent)];
        TaskItem other = await _ada.AddAsync(_list, "other");
        TaskItem others = await StepAsync(other);
        await _ada.CommentAsync(steps[0], "goes too");
        string before = await _ada.CursorAsync();
        await _ada.DeleteAsync(_parent);

        string[] gone = [_parent.Id, steps[0].Id, steps[1].Id];
        Assert.Equal(gone.Order(), (await _ada.ToldAsync(before)).Select(told => told.TaskDeleted.TaskId).Order());
        foreach (TaskItem task in new[] { _parent, steps[0], steps[1] })
        {
            await Refusal.AssertAsync(StatusCode.NotFound, "NOT_FOUND", () => _ada.GetAsync(task));
            await Refusal.AssertAsync(StatusCode.NotFound, "NOT_FOUND", () => _ada.DeleteAsync(task));
            await Refusal.AssertAsync(StatusCode.NotFound, "NOT_FOUND", async () =>
                await _ada.Tasks.ListCommentsAsync(new() { TaskId = task.Id }, _ada.Headers));
        }

        Assert.Equal([other, others], await _ada.ListAsync(_list));
        Assert.Equal((2, 0), await _server.Get<Store>().ReadAsync(
            db => (db.TaskLists.Single().TaskCount, db.TaskLabels.Count()), CancellationToken.None));
    }

    private async Task FullAsync()
    {
        Assert.Equal(3, (await _ada.ListAsync($"parent_id = {_parent.Id}")).Count);
        await Refusal.AssertAsync(StatusCode.ResourceExhausted, "STEPS_LIMIT", () => StepAsync(_parent));
    }

    private Task<TaskItem> StepAsync(TaskItem parent) =>
        _ada.AddAsync(_list, "step", task => task.ParentId = parent.Id);

    private Task<TaskItem> ChangeParentAsync(TaskItem task, string parentId) =>
        _ada.UpdateAsync(task, it => it.ParentId = parentId, "parent_id");

    private BatchCreateTasksRequest BatchOf(params string[] parentIds) => new()
    {
        TaskListId = _list.Id,
        Tasks = { parentIds.Select(id => new TaskItem { Title = "step", ParentId = id }) },
    };
}
