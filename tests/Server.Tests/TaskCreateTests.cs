using Google.Protobuf.WellKnownTypes;
using Squall.V1;

namespace Squall.Server.Tests;

/// <summary>One task, created and read again.</summary>
public sealed class TaskCreateTests : IClassFixture<TaskWorld>
{
    private readonly TaskWorld _world;

    public TaskCreateTests(TaskWorld world) => _world = world;

    private Client Ada => _world.Ada;

    [Fact]
    public async Task A_task_is_kept_with_all_that_was_said_and_told()
    {
        TaskList list = await Ada.CreateListAsync();
        TaskItem parent = await Ada.AddAsync(list, "parent");
        string before = await Ada.CursorAsync();
        var said = new TaskItem
        {
            TaskListId = list.Id,
            Title = "Fix the printer 🖨",
            Note = "It *smokes*.\r\n\tStill.",
            Priority = Priority.Urgent,
            Labels = { "office", "ocr", "😀" },
            AssigneeId = Ada.Account.Id,
            ParentId = parent.Id,
            DueTime = new Timestamp { Seconds = 1_796_083_200, Nanos = 123_456_000 },
            Rank = "k5",
        };
        TaskItem task = (await Ada.Tasks.CreateTaskAsync(new() { Task = said }, Ada.Headers)).Task;

        TaskItem expected = said.Clone();
        (expected.Id, expected.State, expected.CreatorId) = (task.Id, TaskState.Open, Ada.Account.Id);
        (expected.CreateTime, expected.UpdateTime, expected.Version) = (task.CreateTime, task.CreateTime, 1);
        Assert.Equal(expected, task);
        Assert.Equal(7, Guid.Parse(task.Id).Version);
        Assert.Equal(expected, await Ada.GetAsync(task));
        Assert.Contains(expected, await Ada.ListAsync(list));
        Notification told = Assert.Single(await Ada.ToldAsync(before));
        Assert.Equal(expected, told.TaskCreated.Task);
        Assert.Equal((Ada.Account.Id, list.Id), (told.ActorId, told.TaskListId));
        Assert.Equal(task.CreateTime, told.Time);
    }

    [Fact]
    public async Task A_title_is_enough()
    {
        TaskList list = await Ada.CreateListAsync();
        TaskItem task = await Ada.AddAsync(list, "buy milk");
        Assert.Equal(
            new TaskItem
            {
                Id = task.Id, TaskListId = list.Id, Title = "buy milk", State = TaskState.Open, Rank = "i00000",
                CreatorId = Ada.Account.Id, CreateTime = task.CreateTime, UpdateTime = task.CreateTime, Version = 1,
            },
            task);
        Assert.True(task.CreateTime.Seconds > 1_700_000_000);
    }

    [Fact]
    public async Task What_the_server_sets_is_not_taken_from_a_request()
    {
        TaskList list = await Ada.CreateListAsync();
        var long_ago = new Timestamp { Seconds = 1 };
        TaskItem task = await Ada.AddAsync(list, "x", said =>
        {
            (said.Id, said.CreatorId, said.Version) = ("mine", _world.Bob.Account.Id, 9);
            (said.State, said.CompleteTime) = (TaskState.Done, long_ago);
            (said.CreateTime, said.UpdateTime) = (long_ago, long_ago);
        });
        Assert.NotEqual("mine", task.Id);
        Assert.Equal((Ada.Account.Id, 1, TaskState.Open), (task.CreatorId, task.Version, task.State));
        Assert.Null(task.CompleteTime);
        Assert.NotEqual(long_ago, task.CreateTime);
        Assert.NotEqual(long_ago, task.UpdateTime);
    }

    [Fact]
    public async Task Labels_are_a_set_whose_order_is_kept()
    {
        TaskList list = await Ada.CreateListAsync();
        TaskItem task = await Ada.AddAsync(list, "x", said => said.Labels.Add(["b", "a", "b", "A", "a"]));
        Assert.Equal(["b", "a", "A"], task.Labels);
        Assert.Equal(task, await Ada.GetAsync(task));
        Assert.Equal([task], await Ada.ListAsync($"task_list_id = {list.Id} AND labels:A AND labels:b"));
    }

    [Fact]
    public async Task A_time_is_kept_to_the_microsecond()
    {
        TaskList list = await Ada.CreateListAsync();
        var said = new Timestamp { Seconds = 1_796_083_200, Nanos = 999_999_999 };
        TaskItem task = await Ada.AddAsync(list, "x", it => it.DueTime = said);
        Assert.Equal(new Timestamp { Seconds = said.Seconds, Nanos = 999_999_000 }, task.DueTime);
    }

    [Fact]
    public async Task A_new_task_goes_last_whatever_ranks_there_are()
    {
        TaskList list = await Ada.CreateListAsync();
        var order = new List<string>();
        foreach (string? rank in new[] { null, null, "zz", null, "zzzzzz", null, new string('z', 64), null, null })
        {
            order.Add((await Ada.AddAsync(list, "x", said => said.Rank = rank ?? "")).Id);
            Assert.Equal(order, (await Ada.ListAsync(list)).Select(task => task.Id));
        }

        string first = (await Ada.AddAsync(list, "x", said => said.Rank = "0")).Id;
        string second = (await Ada.AddAsync(list, "x", said => said.Rank = "hz")).Id;
        Assert.Equal([first, second, .. order], (await Ada.ListAsync(list)).Select(task => task.Id));
        Assert.All(await Ada.ListAsync(list), task => Assert.Matches("^[0-9a-z]{1,64}$", task.Rank));
    }

    [Fact]
    public async Task Ranks_are_each_lists_own()
    {
        TaskList one = await Ada.CreateListAsync();
        TaskList other = await Ada.CreateListAsync();
        await Ada.AddAsync(one, "x", said => said.Rank = "zzz");
        Assert.Equal("i00000", (await Ada.AddAsync(other)).Rank);
    }
}
