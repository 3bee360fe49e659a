using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Squall.V1;

namespace Squall.Server.Tests;

/// <summary>
/// What a task's fields may hold: exactly at a limit it is taken, one past it is refused with the field named, by each
/// way in.
/// </summary>
public sealed class TaskFieldTests : IClassFixture<TaskWorld>
{
    private const long LastSecond = 253_402_300_799;
    private readonly TaskWorld _world;

    public TaskFieldTests(TaskWorld world) => _world = world;

    private Client Ada => _world.Ada;

    /// <summary>Each the most, or the oddest, that a field takes.</summary>
    private static readonly Dictionary<string, (string Path, Action<TaskItem> Set)> Fine = new()
    {
        ["title of 500"] = ("title", task => task.Title = Repeat("😀", 500)),
        ["title of one"] = ("title", task => task.Title = "\u0301"),
        ["note of 64 KiB"] = ("note", task => task.Note = Repeat("é", 32 << 10)),
        ["note with layout"] = ("note", task => task.Note = "a\tb\nc\r\nd\u2028e\u00A0f\uFEFF"),
        ["50 labels of 100"] = ("labels", task => task.Labels.Add(Labels(50))),
        ["50 labels, one twice"] = ("labels", task => task.Labels.Add([.. Labels(50), Labels(1)[0]])),
        ["rank of 64"] = ("rank", task => task.Rank = Repeat("z", 64)),
        ["rank of one"] = ("rank", task => task.Rank = "0"),
        ["first time"] = ("due_time", task => task.DueTime = new Timestamp()),
        ["last time"] = (
            "due_time", task => task.DueTime = new Timestamp { Seconds = LastSecond, Nanos = 999_999_999 }),
        ["highest priority"] = ("priority", task => task.Priority = Priority.Urgent),
    };

    /// <summary>Each one past that, with the field at fault and why.</summary>
    private static readonly Dictionary<string, (string Path, string Field, string Reason, Action<TaskItem> Set)> Bad =
        new()
        {
            ["title of 501"] = ("title", "title", "FIELD_TOO_LONG", task => task.Title = Repeat("😀", 501)),
            ["no title"] = ("title", "title", "FIELD_REQUIRED", task => task.Title = ""),
            ["title with a tab"] = ("title", "title", "CHARACTER_NOT_ALLOWED", task => task.Title = "a\tb"),
            ["title with a break"] = ("title", "title", "CHARACTER_NOT_ALLOWED", task => task.Title = "a\nb"),
            ["title with C1"] = ("title", "title", "CHARACTER_NOT_ALLOWED", task => task.Title = "a\u0085b"),
            ["note of 64 KiB and 1"] = (
                "note", "note", "FIELD_TOO_LONG", task => task.Note = Repeat("é", 32 << 10) + "x"),
            ["note with CR alone"] = ("note", "note", "CHARACTER_NOT_ALLOWED", task => task.Note = "a\rb"),
            ["note with DEL"] = ("note", "note", "CHARACTER_NOT_ALLOWED", task => task.Note = "a\u007Fb"),
            ["51 labels"] = ("labels", "labels", "TOO_MANY", task => task.Labels.Add(Labels(51))),
            ["label of 101"] = (
                "labels", "labels[1]", "FIELD_TOO_LONG", task => task.Labels.Add(["fine", Repeat("😀", 101)])),
            ["empty label"] = ("labels", "labels[0]", "FIELD_REQUIRED", task => task.Labels.Add("")),
            ["rank of 65"] = ("rank", "rank", "RANK_FORMAT", task => task.Rank = Repeat("z", 65)),
            ["rank in capitals"] = ("rank", "rank", "RANK_FORMAT", task => task.Rank = "A"),
            ["before the first time"] = (
                "due_time", "due_time", "TIME_RANGE", task => task.DueTime = new Timestamp { Seconds = -1 }),
            ["after the last time"] = (
                "due_time", "due_time", "TIME_RANGE", task => task.DueTime = new() { Seconds = LastSecond + 1 }),
            ["negative nanos"] = (
                "due_time", "due_time", "TIME_RANGE", task => task.DueTime = new Timestamp { Seconds = 1, Nanos = -1 }),
            ["a second of nanos"] = (
                "due_time", "due_time", "TIME_RANGE", task => task.DueTime = new Timestamp { Nanos = 1_000_000_000 }),
            ["unknown priority"] = ("priority", "priority", "ENUM_UNKNOWN", task => task.Priority = (Priority)5),
        };

    /// <summary>Fields of later versions.</summary>
    private static readonly Dictionary<string, Action<TaskItem>> Later = new()
    {
        ["remind_time"] = task => task.RemindTime = new Timestamp { Seconds = 1 },
        ["recurrence"] = task => task.Recurrence = "FREQ=DAILY",
        ["time_zone"] = task => task.TimeZone = "Europe/Zurich",
        ["work"] = task => task.Work = new Work { Kind = "x" },
    };

    public static TheoryData<string> FineOnes() => [.. Fine.Keys];

    public static TheoryData<string> BadOnes() => [.. Bad.Keys];

    public static TheoryData<string> LaterOnes() => [.. Later.Keys];

    [Theory]
    [MemberData(nameof(FineOnes))]
    public async Task What_is_allowed_is_kept_as_it_is(string which)
    {
        (string path, Action<TaskItem> set) = Fine[which];
        TaskList list = await Ada.CreateListAsync();
        var said = new TaskItem { Title = "x" };
        set(said);
        TaskItem created = await Ada.AddAsync(list, "x", set);
        TaskItem updated = await Ada.UpdateAsync(await Ada.AddAsync(list, "other"), set, path);
        var batch = new BatchCreateTasksRequest { TaskListId = list.Id, Tasks = { said } };
        TaskItem batched = (await Ada.Tasks.BatchCreateTasksAsync(batch, Ada.Headers)).Tasks[0];
        if (said.DueTime is { Nanos: > 0 })
        {
            said.DueTime.Nanos = 999_999_000;
        }

        List<string> labels = [.. said.Labels.Distinct()];
        foreach (TaskItem task in new[] { created, updated, batched })
        {
            TaskItem kept = await Ada.GetAsync(task);
            Assert.Equal(labels, kept.Labels);
            if (path != "labels")
            {
                var field = TaskItem.Descriptor.FindFieldByName(path).Accessor;
                Assert.Equal(field.GetValue(said), field.GetValue(kept));
            }
        }
    }

    [Theory]
    [MemberData(nameof(BadOnes))]
    public async Task One_past_what_is_allowed_is_refused_and_named(string which)
    {
        (string path, string field, string reason, Action<TaskItem> set) = Bad[which];
        await RefusedAsync(reason, field, path, set);
    }

    [Theory]
    [MemberData(nameof(LaterOnes))]
    public async Task What_is_of_a_later_version_is_refused_and_named(string path) =>
        await RefusedAsync("FIELD_NOT_SUPPORTED", path, path, Later[path]);

    [Theory]
    [InlineData("remind_time")]
    [InlineData("recurrence")]
    [InlineData("time_zone")]
    [InlineData("work")]
    [InlineData("work.kind")]
    [InlineData("work.payload")]
    [InlineData("work.start_time")]
    [InlineData("work.max_attempts")]
    [InlineData("work.backoff")]
    public async Task A_mask_that_clears_what_is_of_a_later_version_is_refused_too(string path)
    {
        TaskItem task = await Ada.AddAsync(await Ada.CreateListAsync());
        await Refusal.AssertAsync(StatusCode.InvalidArgument, "FIELD_NOT_SUPPORTED", $"task.{path}", () =>
            Ada.UpdateAsync(task, it => it.Title = "not taken", "title", path));
        Assert.Equal(task, await Ada.GetAsync(task));
    }

    [Fact]
    public async Task An_empty_work_is_work()
    {
        TaskList list = await Ada.CreateListAsync();
        await Refusal.AssertAsync(StatusCode.InvalidArgument, "FIELD_NOT_SUPPORTED", "task.work", () =>
            Ada.AddAsync(list, "x", task => task.Work = new Work()));
    }

    [Fact]
    public async Task A_filter_that_cannot_be_read_is_refused_with_its_place()
    {
        RpcException refused = await Refusal.AssertAsync(
            StatusCode.InvalidArgument, "FILTER_INVALID", "filter", () =>
            Ada.ListAsync("labels:\"😀\" AND print*"));
        Assert.Equal("21", Refusal.CauseOf(refused).Metadata["position"]);
        Assert.Contains("character 21", refused.Status.Detail);
    }

    /// <summary>By creating, creating many, and updating; nothing is changed.</summary>
    private async Task RefusedAsync(string reason, string field, string path, Action<TaskItem> set)
    {
        TaskList list = await Ada.CreateListAsync();
        TaskItem task = await Ada.AddAsync(list, "there already");
        var many = new BatchCreateTasksRequest { TaskListId = list.Id, Tasks = { new TaskItem { Title = "fine" } } };
        many.Tasks.Add(new TaskItem { Title = "x" });
        set(many.Tasks[1]);
        await Refusal.AssertAsync(StatusCode.InvalidArgument, reason, $"task.{field}", () =>
            Ada.AddAsync(list, "x", set));
        await Refusal.AssertAsync(StatusCode.InvalidArgument, reason, $"tasks[1].{field}", async () =>
            await Ada.Tasks.BatchCreateTasksAsync(many, Ada.Headers));
        await Refusal.AssertAsync(StatusCode.InvalidArgument, reason, $"task.{field}", () =>
            Ada.UpdateAsync(task, set, path));
        Assert.Equal([task], await Ada.ListAsync(list));
    }

    private static string[] Labels(int count) =>
        [.. Enumerable.Range(0, count).Select(at => Repeat("😀", 98) + $"{at:D2}")];

    private static string Repeat(string text, int times) => string.Concat(Enumerable.Repeat(text, times));
}
