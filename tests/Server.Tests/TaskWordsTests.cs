using Grpc.Core;
using Microsoft.EntityFrameworkCore;
using Squall.V1;

namespace Squall.Server.Tests;

/// <summary>Whatever changes a task, it is found by the words that it has, at once, and by no others.</summary>
public sealed class TaskWordsTests : IAsyncLifetime
{
    private readonly TaskWorld _world = new();
    private TaskList _list = null!;

    private Client Ada => _world.Ada;

    public async Task InitializeAsync()
    {
        await _world.InitializeAsync();
        _list = await Ada.CreateListAsync();
    }

    public async Task DisposeAsync() => await _world.DisposeAsync();

    [Fact]
    public async Task A_task_is_found_by_its_title_and_its_note_from_its_creation_to_its_end()
    {
        TaskItem task = await Ada.AddAsync(_list, "Fix the printer", it => it.Note = "On floor *seven*.\nUrgent!");
        await FoundAsync(["printer", "\"the printer\"", "SEVEN", "\"floor seven urgent\""], [task.Id]);
        await FoundAsync(["print", "\"printer on\"", "\"seven floor\""], []);
        await Ada.UpdateAsync(task, it => it.Title = "Buy a new one", "title");
        await FoundAsync(["new", "seven", "new seven"], [task.Id]);
        await FoundAsync(["printer", "\"fix the\""], []);
        await Ada.UpdateAsync(task, it => it.Note = "", "note");
        await FoundAsync(["\"a new one\""], [task.Id]);
        await FoundAsync(["seven", "urgent"], []);
        await Ada.DeleteAsync(task);
        await FoundAsync(["new", "one", "seven"], []);
        Assert.Equal(0, await RowsAsync());
    }

    [Fact]
    public async Task A_batch_is_found_and_one_that_is_refused_leaves_nothing()
    {
        var batch = new BatchCreateTasksRequest { TaskListId = _list.Id };
        batch.Tasks.AddRange(Enumerable.Range(0, 300).Select(at => new TaskItem { Title = $"crate n{at % 3} no{at}" }));
        List<TaskItem> made = [.. (await Ada.Tasks.BatchCreateTasksAsync(batch, Ada.Headers)).Tasks];
        await FoundAsync(["\"n1 no4\""], [made[4].Id]);
        await FoundAsync(["crate n2"], [.. made.Where((_, at) => at % 3 == 2).Select(task => task.Id)]);
        batch.Tasks[299].AssigneeId = "nobody";
        await Assert.ThrowsAsync<RpcException>(async () => await Ada.Tasks.BatchCreateTasksAsync(batch, Ada.Headers));
        await FoundAsync(["no7"], [made[7].Id]);
        Assert.Equal(300, await RowsAsync());
    }

    [Fact]
    public async Task A_change_that_is_undone_within_a_commit_leaves_the_words_of_the_others()
    {
        Journal journal = _world.Server.Get<Journal>();
        Task<string>[] adding;
        using (await WriterHold.StartAsync(journal))
        {
            adding = [.. Enumerable.Range(0, 20).Select(at => journal.RunAsync(
                scope => Add(scope, $"box b{at}", refuse: at % 4 == 0), null, 0, CancellationToken.None))];
        }

        string[] added = [.. (await Task.WhenAll(adding.Select(Settled))).OfType<string>()];
        Assert.Equal(15, added.Length);
        await FoundAsync(["box"], added);
        await FoundAsync(["b0", "b4"], []);
        Assert.Equal(15, await RowsAsync());
    }

    [Fact]
    public async Task A_task_that_moves_takes_its_words_and_its_steps_words_along()
    {
        TaskList other = await Ada.CreateListAsync();
        TaskItem parent = await Ada.AddAsync(_list, "the trip", it => it.Labels.Add("far"));
        TaskItem step = await Ada.AddAsync(_list, "pack for the trip", it =>
        {
            it.ParentId = parent.Id;
            it.Labels.Add("far");
        });
        await Ada.UpdateAsync(parent, it => it.TaskListId = other.Id, "task_list_id");
        foreach (string term in new[] { "trip", "labels:far" })
        {
            await FoundAsync([term, $"task_list_id = {other.Id} {term}"], [parent.Id, step.Id]);
            await FoundAsync([$"task_list_id = {_list.Id} {term}"], []);
        }
    }

    [Fact]
    public async Task What_does_not_change_title_or_note_writes_no_words()
    {
        TaskItem task = await Ada.AddAsync(_list, "quiet", it => it.Note = "as ever");
        string before = await IndexAsync();
        await Ada.UpdateAsync(task, it => it.Priority = Priority.High, "priority");
        await Ada.UpdateAsync(task, it => it.Title = "quiet", "title");
        await Ada.UpdateAsync(task, it => it.Labels.Add("x"), "labels");
        await Ada.Tasks.CompleteTaskAsync(new() { TaskId = task.Id }, Ada.Headers);
        Assert.Equal(before, await IndexAsync());
        await Ada.UpdateAsync(task, it => it.Title = "loud", "title");
        Assert.NotEqual(before, await IndexAsync());
    }

    [Fact]
    public async Task A_list_that_is_deleted_takes_its_words_along()
    {
        TaskList other = await Ada.CreateListAsync();
        TaskItem kept = await Ada.AddAsync(other, "kept here");
        for (int at = 0; at < 5; at++)
        {
            await Ada.AddAsync(_list, "kept there");
        }

        await Ada.Lists.DeleteTaskListAsync(new() { TaskListId = _list.Id }, Ada.Headers);
        await FoundAsync(["kept"], [kept.Id]);
        await _world.Server.Get<TaskUpkeep>().RunOnceAsync(CancellationToken.None);
        await FoundAsync(["kept"], [kept.Id]);
        Assert.Equal(1, await RowsAsync());
    }

    [Fact]
    public async Task A_subscriber_that_searches_is_told_of_what_has_the_words_and_of_what_has_lost_them()
    {
        TaskItem there = await Ada.AddAsync(_list, "old printer");
        await Ada.AddAsync(_list, "old scanner");
        using var stream = new Subscriber(Ada, new() { Filter = "\"OLD printer\"", Snapshot = true });
        List<SubscribeResponse> first = await stream.ThroughAsync(SubscribeResponse.MessageOneofCase.Synced);
        Assert.Equal([there.Id], first.SkipLast(1).Select(message => message.Task.Id));
        await Ada.AddAsync(_list, "printer, but not old");
        TaskItem task = await Ada.AddAsync(_list, "new", it => it.Note = "once an Öld printer");
        Assert.Equal(task.Id, (await stream.NextAsync()).Notification.TaskCreated.Task.Id);
        await Ada.UpdateAsync(task, it => it.Note = "no more", "note");
        Assert.Equal(task.Id, (await stream.NextAsync()).Left.TaskUpdated.Task.Id);
    }

    [Fact]
    public async Task Tasks_are_looked_up_by_what_the_fewest_have_and_not_at_all_if_many_do()
    {
        for (int at = 0; at < 20; at++)
        {
            string label = at < 10 ? "half" : "other";
            await Ada.AddAsync(_list, at < 5 ? "a rare one" : "a usual one", it => it.Labels.Add(label));
        }

        var caller = new Caller(Ada.Account.Id, "session", new Need(Proof.SessionOrKey, Role.Unspecified));
        (string Filter, int Max, Type? Search)[] expected =
        [
            ("labels:half rare", 12, typeof(WordSearch)), ("labels:half usual", 12, typeof(LabelSearch)),
            ("labels:half one", 9, null), ("labels:half one", 10, typeof(LabelSearch)), ("one", 19, null),
            ("one", 20, typeof(WordSearch)), ("labels:half title = \"a rare one\"", 12, typeof(FieldSearch)),
            ("NOT rare", 100, null), ("rare OR labels:half", 100, null),
        ];
        foreach (string scope in new[] { "", $"task_list_id = {_list.Id} " })
        {
            foreach ((string text, int max, Type? search) in expected)
            {
                Filter filter = Filter.Parse(scope + text, new Limits());
                var pages = new TaskPages(caller, filter, TaskOrder.Parse("", scope.Length > 0), null, 50, max);
                TaskSearch? chosen = await _world.Server.Get<Store>().ReadAsync(pages.Choose, CancellationToken.None);
                Assert.Equal((text, search), (text, chosen?.GetType()));
            }
        }
    }

    [Fact]
    public async Task Words_in_lists_of_others_are_not_found()
    {
        await _world.Bob.AddAsync(await _world.Bob.CreateListAsync(), "secret plan");
        TaskItem task = await Ada.AddAsync(_list, "no secret");
        await FoundAsync(["secret"], [task.Id]);
        await FoundAsync(["plan"], []);
    }

    private string Add(ChangeScope scope, string title, bool refuse)
    {
        var row = new TaskRow
        {
            Num = scope.NextSeq,
            Id = Ids.New(scope.NowMicros),
            ListId = _list.Id,
            Title = title,
            Rank = "a",
            CreatorId = Ada.Account.Id,
            State = (int)TaskState.Open,
            Version = 1,
        };
        scope.Db.Tasks.Add(row);
        TaskTerms.Add(scope, row);
        scope.Tell("", _list.Id, new Notification { TaskCreated = new TaskCreated { Task = row.ToProto() } }, row.Id);
        return refuse ? throw Fault.NotFound("task", title) : row.Id;
    }

    private static async Task<string?> Settled(Task<string> adding)
    {
        await Task.WhenAny(adding);
        return adding.IsCompletedSuccessfully ? await adding : null;
    }

    /// <summary>By the lists' order, by another, and by the predicate.</summary>
    private async Task FoundAsync(string[] filters, string[] ids)
    {
        foreach (string filter in filters)
        {
            foreach (string order in new[] { "", "create_time desc" })
            {
                List<TaskItem> found = await Ada.ListAsync(filter, order, 1_000);
                Assert.Equal(ids.Order(), found.Select(task => task.Id).Order());
                Assert.All(found, task => Assert.True(Filter.Parse(filter, new Limits()).Matches(task)));
            }
        }
    }

    private Task<int> RowsAsync() => _world.Server.Get<Store>().ReadAsync(
        db => db.Database.SqlQueryRaw<int>("SELECT count(*) AS \"Value\" FROM task_words_docsize").Single(),
        CancellationToken.None);

    private Task<string> IndexAsync() => _world.Server.Get<Store>().ReadAsync(
        db => string.Join(' ', db.Database.SqlQueryRaw<string>(
            "SELECT id || hex(block) AS \"Value\" FROM task_words_data ORDER BY id")),
        CancellationToken.None);
}
