using Google.Protobuf;
using Grpc.Core;
using Squall.V1;

namespace Squall.Server.Tests;

/// <summary>Many tasks of one list, all or none.</summary>
public sealed class TaskBatchTests : IClassFixture<TaskWorld>
{
    private readonly TaskWorld _world;

    public TaskBatchTests(TaskWorld world) => _world = world;

    private Client Ada => _world.Ada;

    [Fact]
    public async Task They_are_created_and_told_in_order_and_answered_without_their_notes()
    {
        TaskList list = await Ada.CreateListAsync();
        TaskItem first = await Ada.AddAsync(list, "there already");
        string before = await Ada.CursorAsync();
        BatchCreateTasksRequest batch = BatchOf(list, 5);
        batch.Tasks[1].TaskListId = list.Id;
        batch.Tasks[2].ParentId = first.Id;
        batch.Tasks[3].AssigneeId = Ada.Account.Id;
        TaskItem[] answered = [.. (await Ada.Tasks.BatchCreateTasksAsync(batch, Ada.Headers)).Tasks];

        Assert.Equal(batch.Tasks.Select(task => task.Title), answered.Select(task => task.Title));
        Assert.All(answered, task => Assert.Empty(task.Note));
        TaskItem[] kept = await Task.WhenAll(answered.Select(Ada.GetAsync));
        Assert.Equal(batch.Tasks.Select(task => task.Note), kept.Select(task => task.Note));
        Assert.Equal([first, .. kept], await Ada.ListAsync(list));
        Assert.Equal([first, .. kept], await Ada.ListAsync(list, "create_time"));
        Assert.Equal(kept, (await Ada.ToldAsync(before)).Select(told => told.TaskCreated.Task));
        Assert.Equal((first.Id, Ada.Account.Id), (kept[2].ParentId, kept[3].AssigneeId));
        Assert.Equal(answered, kept.Select(WithoutNote));
    }

    [Fact]
    public async Task Ranks_that_are_given_are_kept_and_others_go_last_in_turn()
    {
        TaskList list = await Ada.CreateListAsync();
        BatchCreateTasksRequest batch = BatchOf(list, 5);
        batch.Tasks[1].Rank = "a";
        batch.Tasks[3].Rank = "x";
        TaskItem[] tasks = [.. (await Ada.Tasks.BatchCreateTasksAsync(batch, Ada.Headers)).Tasks];
        Assert.Equal(("a", "x"), (tasks[1].Rank, tasks[3].Rank));
        Assert.Equal(
            new[] { 1, 0, 2, 3, 4 }.Select(at => tasks[at].Id), (await Ada.ListAsync(list)).Select(task => task.Id));
    }

    public static TheoryData<string, StatusCode, string> Faults() => new()
    {
        { "title", StatusCode.InvalidArgument, "tasks[3].title" },
        { "labels", StatusCode.InvalidArgument, "tasks[3].labels[1]" },
        { "list", StatusCode.InvalidArgument, "tasks[3].task_list_id" },
        { "work", StatusCode.InvalidArgument, "tasks[3].work" },
        { "assignee", StatusCode.FailedPrecondition, "" },
        { "parent", StatusCode.NotFound, "" },
    };

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task One_at_fault_and_none_is_created(string fault, StatusCode code, string field)
    {
        TaskList list = await Ada.CreateListAsync();
        BatchCreateTasksRequest batch = BatchOf(list, 5);
        TaskItem third = batch.Tasks[3];
        switch (fault)
        {
            case "title": third.Title = ""; break;
            case "labels": third.Labels.Add(["fine", "not\nfine"]); break;
            case "list": third.TaskListId = "another"; break;
            case "work": third.Work = new Work(); break;
            case "assignee": third.AssigneeId = _world.Bob.Account.Id; break;
            default: third.ParentId = "none"; break;
        }

        string before = await Ada.CursorAsync();
        RpcException refused = await Assert.ThrowsAsync<RpcException>(async () =>
            await Ada.Tasks.BatchCreateTasksAsync(batch, Ada.Headers));
        Assert.Equal((code, field), (refused.StatusCode, Refusal.Of(refused).Field));
        Assert.Empty(await Ada.ListAsync(list));
        Assert.Empty(await Ada.ToldAsync(before));
    }

    [Fact]
    public async Task A_thousand_are_taken_and_one_more_is_refused()
    {
        TaskList list = await Ada.CreateListAsync();
        await Refusal.AssertAsync(StatusCode.InvalidArgument, "TOO_MANY", "tasks", async () =>
            await Ada.Tasks.BatchCreateTasksAsync(BatchOf(list, 1_001), Ada.Headers));
        await Refusal.AssertAsync(StatusCode.InvalidArgument, "FIELD_REQUIRED", "tasks", async () =>
            await Ada.Tasks.BatchCreateTasksAsync(BatchOf(list, 0), Ada.Headers));
        Assert.Empty(await Ada.ListAsync(list));

        TaskItem[] tasks = [.. (await Ada.Tasks.BatchCreateTasksAsync(BatchOf(list, 1_000), Ada.Headers)).Tasks];
        Assert.Equal(tasks, (await Ada.ListAsync(list)).Select(WithoutNote));
        Assert.Equal(tasks.Select(task => task.Id).Order(StringComparer.Ordinal), tasks.Select(task => task.Id));
    }

    [Fact]
    public async Task One_whose_answer_would_be_too_large_is_refused_before_anything_is_done()
    {
        const int AnswerBytesMax = 3 << 20;
        TaskList list = await Ada.CreateListAsync();
        BatchCreateTasksRequest large = BatchOf(list, 160);
        foreach (TaskItem task in large.Tasks)
        {
            task.Labels.Add(Enumerable.Range(0, 50).Select(at => new string('€', 65) + at));
        }

        Assert.True(large.CalculateSize() < AnswerBytesMax);
        await Ada.Tasks.BatchCreateTasksAsync(large, Ada.Headers);

        while (large.CalculateSize() < AnswerBytesMax)
        {
            large.Tasks.Add(large.Tasks[0].Clone());
        }

        string before = await Ada.CursorAsync();
        await Refusal.AssertAsync(StatusCode.InvalidArgument, "ANSWER_TOO_LARGE", "tasks", async () =>
            await Ada.Tasks.BatchCreateTasksAsync(large, Ada.Headers));
        Assert.Empty(await Ada.ToldAsync(before));

        foreach (TaskItem task in large.Tasks)
        {
            task.Labels.Clear();
            task.Note = new string('n', 10_000);
        }

        BatchCreateTasksResponse noted = await Ada.Tasks.BatchCreateTasksAsync(large, Ada.Headers);
        Assert.Equal(large.Tasks.Count, noted.Tasks.Count);
    }

    private static BatchCreateTasksRequest BatchOf(TaskList list, int count) => new()
    {
        TaskListId = list.Id,
        Tasks = { Enumerable.Range(0, count).Select(at => new TaskItem { Title = $"task {at}", Note = $"note {at}" }) },
    };

    private static TaskItem WithoutNote(TaskItem task)
    {
        TaskItem without = task.Clone();
        without.Note = "";
        return without;
    }
}
