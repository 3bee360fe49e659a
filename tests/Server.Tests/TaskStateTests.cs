using Grpc.Core;
using Squall.V1;

namespace Squall.Server.Tests;

/// <summary>From every state, by every way out of it; workers, who lease and give up, are a later version's.</summary>
public sealed class TaskStateTests : IClassFixture<TaskWorld>
{
    private readonly TaskWorld _world;

    public TaskStateTests(TaskWorld world) => _world = world;

    private Client Ada => _world.Ada;

    [Theory]
    [InlineData(TaskState.Open, "complete", TaskState.Done)]
    [InlineData(TaskState.Failed, "complete", TaskState.Done)]
    [InlineData(TaskState.Open, "cancel", TaskState.Cancelled)]
    [InlineData(TaskState.Leased, "cancel", TaskState.Cancelled)]
    [InlineData(TaskState.Failed, "cancel", TaskState.Cancelled)]
    [InlineData(TaskState.Done, "reopen", TaskState.Open)]
    [InlineData(TaskState.Cancelled, "reopen", TaskState.Open)]
    [InlineData(TaskState.Failed, "reopen", TaskState.Open)]
    public async Task A_way_that_there_is_leads_to_the_next_state_and_changes_nothing_else(
        TaskState from, string way, TaskState to)
    {
        TaskItem before = await InAsync(from);
        string cursor = await Ada.CursorAsync();
        TaskItem after = await GoAsync(before, way);

        TaskItem expected = before.Clone();
        (expected.State, expected.Version, expected.UpdateTime) = (to, before.Version + 1, after.UpdateTime);
        expected.CompleteTime = to == TaskState.Done ? after.UpdateTime : null;
        Assert.Equal(expected, after);
        Assert.Equal(expected, await Ada.GetAsync(before));
        Assert.True(after.UpdateTime.ToDateTime() > before.UpdateTime.ToDateTime());

        Notification told = Assert.Single(await Ada.ToldAsync(cursor));
        Assert.Equal(expected, way switch
        {
            "complete" => told.TaskCompleted.Task,
            "cancel" => told.TaskCancelled.Task,
            _ => told.TaskReopened.Task,
        });
    }

    [Theory]
    [InlineData(TaskState.Leased, "complete", "TASK_LEASED")]
    [InlineData(TaskState.Done, "complete", "TASK_DONE")]
    [InlineData(TaskState.Cancelled, "complete", "TASK_CANCELLED")]
    [InlineData(TaskState.Done, "cancel", "TASK_DONE")]
    [InlineData(TaskState.Cancelled, "cancel", "TASK_CANCELLED")]
    [InlineData(TaskState.Open, "reopen", "TASK_OPEN")]
    [InlineData(TaskState.Leased, "reopen", "TASK_LEASED")]
    public async Task A_way_that_there_is_not_is_refused_and_changes_nothing(TaskState from, string way, string reason)
    {
        TaskItem before = await InAsync(from);
        string cursor = await Ada.CursorAsync();
        RpcException refused =
            await Refusal.AssertAsync(StatusCode.FailedPrecondition, reason, () => GoAsync(before, way));
        Assert.Contains(from.ToString().ToUpperInvariant(), refused.Status.Detail);
        Assert.Equal(before, await Ada.GetAsync(before));
        Assert.Empty(await Ada.ToldAsync(cursor));
    }

    [Theory]
    [InlineData(TaskState.Open)]
    [InlineData(TaskState.Leased)]
    [InlineData(TaskState.Done)]
    [InlineData(TaskState.Cancelled)]
    [InlineData(TaskState.Failed)]
    public async Task A_task_can_be_changed_talked_about_and_deleted_in_any_state(TaskState state)
    {
        TaskItem task = await InAsync(state);
        TaskItem changed = await Ada.UpdateAsync(task, it => it.Title = "changed", "title");
        TaskItem expected = task.Clone();
        (expected.Title, expected.Version, expected.UpdateTime) = ("changed", task.Version + 1, changed.UpdateTime);
        Assert.Equal(expected, changed);
        await Ada.CommentAsync(task, "noted");

        string cursor = await Ada.CursorAsync();
        await Ada.DeleteAsync(task);
        Assert.Equal(task.Id, Assert.Single(await Ada.ToldAsync(cursor)).TaskDeleted.TaskId);
        await Refusal.AssertAsync(StatusCode.NotFound, "NOT_FOUND", () => Ada.GetAsync(task));
        foreach (string way in new[] { "complete", "cancel", "reopen" })
        {
            await Refusal.AssertAsync(StatusCode.NotFound, "NOT_FOUND", () => GoAsync(task, way));
        }
    }

    [Theory]
    [InlineData("complete")]
    [InlineData("cancel")]
    [InlineData("reopen")]
    [InlineData("delete")]
    [InlineData("update")]
    public async Task An_expected_version_that_is_not_the_current_one_is_refused_and_told_the_current_one(string way)
    {
        TaskItem task = await InAsync(TaskState.Failed);
        task = await Ada.UpdateAsync(task, it => it.Title = "again", "title");
        foreach (long wrong in new[] { task.Version - 1, task.Version + 1, long.MaxValue })
        {
            RpcException refused = await Refusal.AssertAsync(StatusCode.Aborted, "VERSION_MISMATCH", () =>
                GoAsync(task, way, wrong));
            Assert.Equal($"{task.Version}", Refusal.CauseOf(refused).Metadata["version"]);
        }

        await Refusal.AssertAsync(StatusCode.InvalidArgument, "VERSION_NEGATIVE", "expected_version", () =>
            GoAsync(task, way, -1));
        Assert.Equal(task, await Ada.GetAsync(task));
        await GoAsync(task, way, task.Version);
    }

    [Fact]
    public async Task A_version_is_checked_before_the_state_and_what_an_update_rests_on()
    {
        TaskItem done = await InAsync(TaskState.Done);
        await Refusal.AssertAsync(StatusCode.Aborted, "VERSION_MISMATCH", () => GoAsync(done, "complete", 99));
        UpdateTaskRequest assigned = TaskCalls.UpdateOf(done, it => it.AssigneeId = "nobody", "assignee_id");
        assigned.ExpectedVersion = 99;
        await Refusal.AssertAsync(StatusCode.Aborted, "VERSION_MISMATCH", async () =>
            await Ada.Tasks.UpdateTaskAsync(assigned, Ada.Headers));
    }

    /// <summary>A task in this state, stored as workers will leave it where no call can yet.</summary>
    private async Task<TaskItem> InAsync(TaskState state)
    {
        TaskItem task = await Ada.AddAsync(await Ada.CreateListAsync(), "x", it => it.Labels.Add("a"));
        if (state is TaskState.Leased or TaskState.Failed)
        {
            return await _world.Server.Get<Journal>().RunAsync(
                scope =>
                {
                    TaskRow row = scope.Db.Tasks.Single(row => row.Id == task.Id);
                    row.State = (int)state;
                    return row.ToProto();
                },
                null, 0, CancellationToken.None);
        }

        return state switch
        {
            TaskState.Done => await GoAsync(task, "complete"),
            TaskState.Cancelled => await GoAsync(task, "cancel"),
            _ => task,
        };
    }

    private async Task<TaskItem> GoAsync(TaskItem task, string way, long version = 0)
    {
        TaskService.TaskServiceClient tasks = Ada.Tasks;
        Metadata headers = Ada.Headers;
        UpdateTaskRequest update = TaskCalls.UpdateOf(task, it => it.Title = "updated", "title");
        update.ExpectedVersion = version;
        return way switch
        {
            "complete" => (await tasks.CompleteTaskAsync(
                new() { TaskId = task.Id, ExpectedVersion = version }, headers)).Task,
            "cancel" => (await tasks.CancelTaskAsync(
                new() { TaskId = task.Id, ExpectedVersion = version }, headers)).Task,
            "reopen" => (await tasks.ReopenTaskAsync(
                new() { TaskId = task.Id, ExpectedVersion = version }, headers)).Task,
            "update" => (await tasks.UpdateTaskAsync(update, headers)).Task,
            _ => await tasks.DeleteTaskAsync(
                new() { TaskId = task.Id, ExpectedVersion = version }, headers) is not null ? task : task,
        };
    }
}
