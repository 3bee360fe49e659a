using Grpc.Core;
using Squall.V1;

namespace Squall.Server.Tests;

/// <summary>What callers meet while nothing can be stored, and that it passes by itself.</summary>
public sealed class JournalFaultTests : IClassFixture<ServerFixture>
{
    private const int Callers = 40;
    private static readonly string LongNote = new('n', 60_000);
    private readonly ServerFixture _server;

    public JournalFaultTests(ServerFixture server) => _server = server;

    [Fact]
    public async Task On_a_full_disk_changes_are_unavailable_and_reads_go_on_and_writing_resumes_by_itself()
    {
        using Client ada = await Client.SignInAsync(_server, "full.disk");
        TaskList list = await ada.CreateListAsync();
        TaskItem before = await CreateAsync(ada, list, "before", Guid.NewGuid());
        Guid[] requests = [.. Enumerable.Range(0, Callers).Select(_ => Guid.NewGuid())];

        StorageFaults disk = await StorageFaults.OfAsync(_server.Get<Journal>());
        disk.Fill();
        Task[] refused = [.. requests.Select(id => AssertNotStoredAsync(() => CreateAsync(ada, list, "after", id)))];
        await Task.WhenAll(refused).WaitAsync(TimeSpan.FromSeconds(30));
        GetTaskResponse read = await ada.Tasks.GetTaskAsync(new() { TaskId = before.Id }, ada.Headers);
        Assert.Equal(before, read.Task);
        Assert.Equal([before.Id], await TasksAsync(ada, list));

        disk.MakeRoom();
        TaskItem[] after = await Task.WhenAll(requests.Select(id => CreateAsync(ada, list, "after", id)));
        Assert.Equal(
            after.Select(task => task.Id).Append(before.Id).Order(), (await TasksAsync(ada, list)).Order());
    }

    [Fact]
    public async Task A_disk_that_takes_nothing_ends_no_sessions_and_no_subscription_and_loses_no_change()
    {
        using Client ada = await Client.SignInAsync(_server, "broken.disk");
        using var notifications = new Subscriber(ada);
        await notifications.NextAsync();
        TaskList list = await ada.CreateListAsync();
        Assert.Equal(list.Id, (await notifications.NotificationAsync()).TaskListId);

        StorageFaults disk = await StorageFaults.OfAsync(_server.Get<Journal>());
        disk.RefuseWrites();
        for (int round = 0; round < 3; round++)
        {
            await AssertNotStoredAsync(() => CreateAsync(ada, list, "lost", Guid.NewGuid()));
            await AssertNotStoredAsync(async () => await ada.Auth.LogoutAsync(new(), ada.Headers));
        }

        disk.TakeWrites();
        await CreateAsync(ada, list, "kept", Guid.NewGuid());
        Assert.Equal("kept", (await notifications.NotificationAsync()).TaskCreated.Task.Title);
    }

    private static async Task AssertNotStoredAsync(Func<Task> call)
    {
        RpcException told = await Refusal.AssertAsync(StatusCode.Unavailable, "STORAGE_FAILED", call);
        Assert.True(Refusal.Detail<Google.Rpc.RetryInfo>(told)!.RetryDelay.ToTimeSpan() > TimeSpan.Zero);
        Assert.DoesNotContain("SQLite", told.Status.Detail, StringComparison.OrdinalIgnoreCase);
    }

    private static async Task<TaskItem> CreateAsync(Client client, TaskList list, string title, Guid requestId) =>
        (await client.Tasks.CreateTaskAsync(
            new()
            {
                Task = new() { TaskListId = list.Id, Title = title, Note = LongNote },
                RequestId = requestId.ToString(),
            },
            client.Headers)).Task;

    private static async Task<string[]> TasksAsync(Client client, TaskList list)
    {
        ListTasksResponse page = await client.Tasks.ListTasksAsync(
            new() { Filter = $"task_list_id = \"{list.Id}\"", PageSize = 1_000 }, client.Headers);
        return [.. page.Tasks.Select(task => task.Id)];
    }
}
