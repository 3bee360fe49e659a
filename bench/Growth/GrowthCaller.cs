using System.Globalization;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Grpc.Net.Client;
using Squall.V1;

namespace Squall.Bench;

/// <summary>An account that works in one list: what it calls, each answer checked.</summary>
internal sealed class GrowthCaller(GrpcChannel channel, string token, string listId)
{
    private const int PageSize = 50;
    private const int Missed = 5;
    private readonly TaskService.TaskServiceClient _tasks = new(channel);
    private readonly TaskListService.TaskListServiceClient _lists = new(channel);
    private readonly NotificationService.NotificationServiceClient _notifications = new(channel);
    private readonly Metadata _headers = Audience.Bearing(token);
    private string[] _made = [];
    private string _cursor = "";
    private int _found = -1;

    public static string NewId() => Guid.NewGuid().ToString();

    /// <summary>Before a round of <paramref name="calls"/> calls of each kind.</summary>
    public void Begin(int calls) => _made = new string[calls];

    /// <summary>The list is as it was before the round.</summary>
    public async Task EndAsync()
    {
        int tasks = (await ListAsync("", 1_000)).Tasks.Count;
        Require(tasks == GrownServer.ListTasks, $"the list has {tasks} tasks");
    }

    public async Task ListTasksAsync()
    {
        ListTasksResponse page = await ListAsync("", PageSize);
        Require(page.Tasks.Count == PageSize && page.NextPageToken.Length > 0, "no full page");
    }

    public async Task ListOpenAsync()
    {
        ListTasksResponse page = await ListAsync(" AND state = OPEN", PageSize);
        Require(page.Tasks.Count == PageSize && page.Tasks.All(task => task.State == TaskState.Open), "not 50 open");
    }

    public async Task SearchAsync()
    {
        ListTasksResponse page = await ListAsync(" AND " + GrowthText.Word, PageSize);
        int found = page.Tasks.Count(task => task.Title.Contains(GrowthText.Word, StringComparison.Ordinal));
        _found = _found < 0 ? found : _found;
        Require(found > 0 && found == _found && found == page.Tasks.Count, $"{found} found of {_found}");
    }

    /// <summary>As many as it has at the smallest size.</summary>
    public async Task ListListsAsync()
    {
        ListTaskListsResponse page = await _lists.ListTaskListsAsync(
            new ListTaskListsRequest { PageSize = GrownServer.FewLists }, _headers);
        Require(page.TaskLists.Count == GrownServer.FewLists, $"{page.TaskLists.Count} lists");
    }

    public async Task CreateAsync(int number)
    {
        TaskItem task = GrowthText.Task(number);
        task.TaskListId = listId;
        CreateTaskResponse made = await _tasks.CreateTaskAsync(
            new CreateTaskRequest { Task = task, RequestId = NewId() }, _headers);
        Require(made.Task.Title == task.Title && made.Task.Version == 1, "another task made");
        _made[number] = made.Task.Id;
    }

    public async Task GetAsync(int number)
    {
        GetTaskResponse got = await _tasks.GetTaskAsync(new GetTaskRequest { TaskId = _made[number] }, _headers);
        Require(got.Task.Title == GrowthText.Title(number), "another task got");
    }

    /// <summary>A title and a due time.</summary>
    public async Task UpdateAsync(int number)
    {
        var task = new TaskItem
        {
            Id = _made[number],
            Title = "Again: " + GrowthText.Title(number + 1),
            DueTime = DateTime.UnixEpoch.AddDays(20_000 + number).ToTimestamp(),
        };
        UpdateTaskResponse updated = await _tasks.UpdateTaskAsync(
            new UpdateTaskRequest
            {
                Task = task,
                UpdateMask = new FieldMask { Paths = { "title", "due_time" } },
                RequestId = NewId(),
            },
            _headers);
        Require(updated.Task.Title == task.Title && updated.Task.Version == 2, "not updated");
    }

    public async Task CompleteAsync(int number)
    {
        CompleteTaskResponse completed = await _tasks.CompleteTaskAsync(
            new CompleteTaskRequest { TaskId = _made[number], RequestId = NewId() }, _headers);
        Require(completed.Task.State == TaskState.Done, "not completed");
    }

    public async Task DeleteAsync(int number) => await _tasks.DeleteTaskAsync(
        new DeleteTaskRequest { TaskId = _made[number], RequestId = NewId() }, _headers);

    /// <summary>Makes a few changes, for those who resume to have missed.</summary>
    public async Task MissAsync()
    {
        _cursor = await CursorAsync();
        for (int change = 0; change < Missed; change++)
        {
            await _tasks.UpdateTaskAsync(
                new UpdateTaskRequest
                {
                    Task = new TaskItem { Id = _made[0], Note = change.ToString(CultureInfo.InvariantCulture) },
                    UpdateMask = new FieldMask { Paths = { "note" } },
                },
                _headers);
        }
    }

    public async Task ResumeAsync()
    {
        using AsyncServerStreamingCall<SubscribeResponse> call = _notifications.Subscribe(
            new SubscribeRequest { After = _cursor }, _headers);
        int told = 0;
        while (await call.ResponseStream.MoveNext()
            && call.ResponseStream.Current.MessageCase == SubscribeResponse.MessageOneofCase.Notification)
        {
            told++;
        }

        Require(told == Missed && call.ResponseStream.Current.Synced is not null, $"told of {told} changes");
    }

    /// <summary>Of all lists, the tasks that are due first: a look into each of them.</summary>
    public async Task ListDueAsync()
    {
        ListTasksResponse page = await _tasks.ListTasksAsync(
            new ListTasksRequest { OrderBy = "due_time", PageSize = PageSize }, _headers);
        Require(page.Tasks.Count == PageSize && page.Tasks[0].DueTime is not null, "not 50 that are due");
    }

    /// <summary>Where the journal ends now.</summary>
    private async Task<string> CursorAsync()
    {
        using AsyncServerStreamingCall<SubscribeResponse> call = _notifications.Subscribe(
            new SubscribeRequest(), _headers);
        Require(await call.ResponseStream.MoveNext(), "no stream");
        return call.ResponseStream.Current.Synced.Cursor;
    }

    private async Task<ListTasksResponse> ListAsync(string filter, int size) => await _tasks.ListTasksAsync(
        new ListTasksRequest { Filter = $"task_list_id = \"{listId}\"{filter}", PageSize = size }, _headers);

    private static void Require(bool isSo, string otherwise)
    {
        if (!isSo)
        {
            throw new InvalidOperationException($"Wrongly answered: {otherwise}.");
        }
    }
}
