using Google.Rpc;
using Grpc.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Squall.V1;

namespace Squall.Server.Tests;

/// <summary>
/// What is more than one change may do: it is marked first, which everyone sees at once, and cleared away in steps. The
/// server of these tests clears nothing by itself until it is started again.
/// </summary>
public sealed class TaskListClearingTests : IAsyncLifetime
{
    private readonly ServerFixture _server;
    private bool _clears;
    private Client _ada = null!;
    private Client _bob = null!;

    public TaskListClearingTests() => _server = new ServerFixture(null, null, services =>
    {
        if (!_clears)
        {
            services.Remove(services.Single(service =>
                service.ServiceType == typeof(IHostedService)
                && service.ImplementationFactory?.GetType().GenericTypeArguments[1] == typeof(TaskUpkeep)));
        }
    });

    public async Task InitializeAsync()
    {
        await _server.InitializeAsync();
        _ada = await Client.SignInAsync(_server, "ada");
        _bob = await Client.SignInAsync(_server, "bob");
    }

    public async Task DisposeAsync()
    {
        _ada.Dispose();
        _bob.Dispose();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task A_list_is_gone_at_its_mark_and_cleared_in_steps()
    {
        TaskList list = await _ada.CreateListAsync();
        TaskList other = await _ada.CreateListAsync();
        await _ada.ShareAsync(list, _bob, Role.Viewer);
        TaskItem task = await FillAsync(list, 600);
        TaskItem kept = await _ada.AddAsync(other, "kept", it => it.Labels.Add("kept"));
        await _ada.DeleteAsync(list);

        Assert.Equal((1, 601, 1_201, 1), await RowsAsync(list, task));
        foreach (Client who in new[] { _ada, _bob })
        {
            await Refusal.AssertAsync(StatusCode.NotFound, "NOT_FOUND", () => who.GetAsync(list));
            await Refusal.AssertAsync(StatusCode.NotFound, "NOT_FOUND", () => who.GetAsync(task));
            Assert.Empty(await who.ListAsync($"task_list_id = \"{list.Id}\""));
        }

        Assert.Equal([kept], await _ada.ListAsync());
        await Refusal.AssertAsync(StatusCode.NotFound, "NOT_FOUND", () => _ada.CompleteAsync(task));
        await Refusal.AssertAsync(StatusCode.NotFound, "NOT_FOUND", () => _ada.CommentAsync(task, "x"));
        await Refusal.AssertAsync(StatusCode.NotFound, "NOT_FOUND", () =>
            _ada.UpdateAsync(kept, it => it.TaskListId = list.Id, "task_list_id"));

        int steps = 0;
        for (int before = await AllRowsAsync(); ; steps++)
        {
            if (await ChangeAsync(scope => TaskClearing.ClearList(scope, list.Id)) == 0)
            {
                break;
            }

            int after = await AllRowsAsync();
            Assert.InRange(before - after, 1, TaskClearing.RowsMax);
            before = after;
        }

        Assert.True(steps >= 4, $"1,800 rows were cleared in {steps} steps.");
        await _server.Get<TaskUpkeep>().RunOnceAsync(CancellationToken.None);
        Assert.Equal((0, 0, 1, 0), await RowsAsync(list, task));
        Assert.Equal([kept], await _ada.ListAsync());
        Assert.Equal(1, await ReadAsync(db => db.TaskLists.Count()));
    }

    [Fact]
    public async Task What_was_marked_before_a_stop_is_cleared_after_it()
    {
        TaskList list = await _ada.CreateListAsync();
        TaskItem task = await FillAsync(list, 3);
        await _ada.DeleteAsync(list);
        _clears = true;
        await _server.RestartAsync();
        await ClearedAsync(() => RowsAsync(list, task), (0, 0, 0, 0));
    }

    [Fact]
    public async Task A_server_clears_away_what_is_deleted_while_it_runs()
    {
        _clears = true;
        await _server.RestartAsync();
        using Client ada = _ada.On(_server.Address);
        TaskList list = await ada.CreateListAsync();
        TaskItem task = await ada.AddAsync(list, "labelled", it => it.Labels.Add("x"));
        await ada.CommentAsync(task, "hello");
        await ada.DeleteAsync(task);
        await ClearedAsync(() => ReadAsync(db => db.Comments.Count() + db.GoneTasks.Count()), 0);
        await ada.DeleteAsync(list);
        await ClearedAsync(() => RowsAsync(list, task), (0, 0, 0, 0));
    }

    [Fact]
    public async Task A_removed_member_is_taken_off_its_tasks_which_is_told()
    {
        TaskList list = await _ada.CreateListAsync();
        TaskList other = await _ada.CreateListAsync();
        foreach (TaskList shared in new[] { list, other })
        {
            await _ada.ShareAsync(shared, _bob, Role.Worker);
        }

        await FillAsync(list, 600, task => task.AssigneeId = _bob.Account.Id);
        TaskItem elsewhere = await _ada.AddAsync(other, "elsewhere", task => task.AssigneeId = _bob.Account.Id);
        TaskItem hers = await _ada.AddAsync(list, "hers", task => task.AssigneeId = _ada.Account.Id);
        List<TaskItem> assigned = await _ada.ListAsync($"task_list_id = {list.Id} AND assignee_id = {_bob.Account.Id}");
        string before = await _ada.CursorAsync();
        await _ada.Lists.RemoveMemberAsync(new() { TaskListId = list.Id, AccountId = _bob.Account.Id }, _ada.Headers);
        await Refusal.AssertAsync(StatusCode.FailedPrecondition, "ASSIGNEE_NOT_MEMBER", () =>
            _ada.UpdateAsync(hers, task => task.AssigneeId = _bob.Account.Id, "assignee_id"));

        Assert.Equal(500, await ChangeAsync(scope => TaskClearing.Unassign(scope, list.Id, _bob.Account.Id)));
        await _server.Get<TaskUpkeep>().RunOnceAsync(CancellationToken.None);

        Assert.Empty(await _ada.ListAsync($"task_list_id = {list.Id} AND assignee_id = {_bob.Account.Id}"));
        Notification[] told = await _ada.ToldAsync(before);
        Assert.Equal(_bob.Account.Id, told[0].MemberRemoved.AccountId);
        Assert.Equal(601, told.Length - 1);
        Assert.Equal(
            assigned.Select(task => task.Id).Order(), told.Skip(1).Select(it => it.TaskUpdated.Task.Id).Order());
        Assert.All(told.Skip(1), it =>
        {
            Assert.Equal(("", "assignee_id"), (it.ActorId, Assert.Single(it.TaskUpdated.Changed.Paths)));
            TaskItem expected = assigned.Single(task => task.Id == it.TaskUpdated.Task.Id).Clone();
            (expected.AssigneeId, expected.Version, expected.UpdateTime) = ("", 2, it.TaskUpdated.Task.UpdateTime);
            Assert.Equal(expected, it.TaskUpdated.Task);
        });
        Assert.Equal([elsewhere, hers], [await _ada.GetAsync(elsewhere), await _ada.GetAsync(hers)]);
    }

    [Fact]
    public async Task A_member_that_comes_back_at_once_is_off_its_tasks_all_the_same()
    {
        TaskList list = await _ada.CreateListAsync();
        await _ada.ShareAsync(list, _bob, Role.Worker);
        await FillAsync(list, 600, task => task.AssigneeId = _bob.Account.Id);
        await _ada.Lists.RemoveMemberAsync(new() { TaskListId = list.Id, AccountId = _bob.Account.Id }, _ada.Headers);

        RpcException refused = await Refusal.AssertAsync(StatusCode.Unavailable, "MEMBER_LEAVING", () =>
            _ada.ShareAsync(list, _bob, Role.Worker));
        Assert.NotNull(Refusal.Detail<RetryInfo>(refused));
        Assert.Single(await _ada.MembersAsync(list));
        await ChangeAsync(scope => TaskClearing.Unassign(scope, list.Id, _bob.Account.Id));
        string before = await _ada.CursorAsync();
        await _ada.ShareAsync(list, _bob, Role.Worker);
        TaskItem his = await _ada.AddAsync(list, "assigned since", task => task.AssigneeId = _bob.Account.Id);
        await _server.Get<TaskUpkeep>().RunOnceAsync(CancellationToken.None);

        Assert.Equal([his], await _bob.ListAsync($"assignee_id = {_bob.Account.Id}"));
        Assert.Equal(101, (await _ada.ToldAsync(before)).Count(told => told.TaskUpdated is not null));
        Assert.Equal(
            ["MemberSet", "TaskCreated"], (await _bob.ToldAsync(before)).Select(told => $"{told.EventCase}"));
    }

    /// <summary>Tasks with two labels each, and one more with a comment, which is answered.</summary>
    private async Task<TaskItem> FillAsync(TaskList list, int count, Action<TaskItem>? set = null)
    {
        var batch = new BatchCreateTasksRequest { TaskListId = list.Id };
        for (int at = 0; at < count; at++)
        {
            var task = new TaskItem { Title = $"task {at}", Labels = { "one", "two" } };
            set?.Invoke(task);
            batch.Tasks.Add(task);
        }

        await _ada.Tasks.BatchCreateTasksAsync(batch, _ada.Headers);
        TaskItem talked = await _ada.AddAsync(list, "talked about", set);
        await _ada.CommentAsync(talked, "hello");
        return talked;
    }

    private Task<(int Lists, int Tasks, int Labels, int Comments)> RowsAsync(TaskList list, TaskItem talked) =>
        ReadAsync(db => (
            db.TaskLists.Count(row => row.Id == list.Id),
            db.Tasks.Count(row => row.ListId == list.Id),
            db.TaskLabels.Count(),
            db.Comments.Count(row => row.TaskId == talked.Id)));

    private Task<int> AllRowsAsync() => ReadAsync(db => db.Tasks.Count() + db.TaskLabels.Count());

    /// <summary>Each look waits for the writer, behind what the server clears.</summary>
    private async Task ClearedAsync<T>(Func<Task<T>> look, T expected)
    {
        using var late = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (!Equals(await look(), expected))
        {
            late.Token.ThrowIfCancellationRequested();
            await ChangeAsync(_ => 0);
        }
    }

    private Task<T> ChangeAsync<T>(Func<ChangeScope, T> change) =>
        _server.Get<Journal>().RunAsync(change, null, 0, CancellationToken.None);

    private Task<T> ReadAsync<T>(Func<SquallDb, T> read) =>
        _server.Get<Store>().ReadAsync(read, CancellationToken.None);
}
