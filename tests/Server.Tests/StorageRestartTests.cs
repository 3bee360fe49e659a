using Grpc.Core;
using Squall.V1;
using Case = Squall.V1.SubscribeResponse.MessageOneofCase;
using Event = Squall.V1.Notification.EventOneofCase;

namespace Squall.Server.Tests;

/// <summary>What was there before a kill is there after it: the program itself, on the same directory.</summary>
public sealed class StorageRestartTests : HostingPlace
{
    [Fact]
    public async Task Sessions_memberships_request_ids_and_pages_go_on_where_they_were()
    {
        using HostingProcess first = await HostingProcess.ServeAsync(Place);
        using Client ada = await Client.RegisterAsync(first.Addresses[0], "ada");
        using Client bob = await Client.RegisterAsync(first.Addresses[0], "bob");
        using Client eve = await Client.RegisterAsync(first.Addresses[0], "eve");
        TaskList list = await ada.CreateListAsync();
        await ada.ShareAsync(list, bob, Role.Viewer);
        await ada.ShareAsync(list, eve, Role.Owner);
        await ada.Lists.RemoveMemberAsync(new() { TaskListId = list.Id, AccountId = eve.Account.Id }, ada.Headers);
        await eve.Auth.LogoutAsync(new(), eve.Headers);
        var request = new CreateTaskRequest
        {
            Task = new() { TaskListId = list.Id, Title = "once" }, RequestId = Guid.NewGuid().ToString(),
        };
        TaskItem task = (await ada.Tasks.CreateTaskAsync(request, ada.Headers)).Task;
        TaskList second = await ada.CreateListAsync();
        string page = (await ada.Lists.ListTaskListsAsync(new() { PageSize = 1 }, ada.Headers)).NextPageToken;
        await first.KillAsync();

        using HostingProcess again = await HostingProcess.ServeAsync(Place);
        using Client adaNow = ada.On(again.Addresses[0]);
        using Client bobNow = bob.On(again.Addresses[0]);
        using Client eveNow = eve.On(again.Addresses[0]);
        Assert.Equal(task, (await adaNow.Tasks.CreateTaskAsync(request, ada.Headers)).Task);
        Assert.Equal(task, Assert.Single((await adaNow.Tasks.ListTasksAsync(new(), ada.Headers)).Tasks));
        request.Task.Title = "another";
        await Refusal.AssertAsync(StatusCode.InvalidArgument, "REQUEST_ID_REUSED", "request_id", async () =>
            await adaNow.Tasks.CreateTaskAsync(request, ada.Headers));
        Assert.Equal(second, Assert.Single((await adaNow.Lists.ListTaskListsAsync(
            new() { PageSize = 1, PageToken = page }, ada.Headers)).TaskLists));
        Assert.Equal(
            ["ada", "bob"],
            (await bobNow.Lists.ListMembersAsync(new() { TaskListId = list.Id }, bob.Headers)).Members
                .Select(member => member.Username));
        await Refusal.AssertAsync(StatusCode.PermissionDenied, "ROLE_TOO_LOW", async () =>
            await bobNow.Tasks.DeleteTaskAsync(new() { TaskId = task.Id }, bob.Headers));
        await Refusal.AssertAsync(StatusCode.Unauthenticated, "TOKEN_INVALID", async () =>
            await eveNow.Accounts.GetAccountAsync(new(), eve.Headers));
        Tokens renewed =
            (await adaNow.Auth.RefreshSessionAsync(new() { RefreshToken = ada.Tokens.RefreshToken })).Tokens;
        await adaNow.Accounts.GetAccountAsync(new(), Client.Bearer(renewed.AccessToken));
    }

    [Fact]
    public async Task A_subscriber_resumes_from_the_journal_and_is_told_of_what_left_while_it_was_away()
    {
        const string Filter = "title = \"mine\"";
        using HostingProcess first = await HostingProcess.ServeAsync(Place);
        using Client ada = await Client.RegisterAsync(first.Addresses[0], "ada");
        TaskList list = await ada.CreateListAsync();
        string leaves = await CreateAsync(ada, list, "mine");
        string gone = await CreateAsync(ada, list, "mine");
        string comes = await CreateAsync(ada, list, "other");
        using var before = new Subscriber(ada, new() { Filter = Filter, Snapshot = true });
        Assert.Equal(3, (await before.ThroughAsync(Case.Synced)).Count);
        string cursor = before.Cursor;
        await RetitleAsync(ada, leaves, "yours");
        await ada.Tasks.DeleteTaskAsync(new() { TaskId = gone }, ada.Headers);
        await RetitleAsync(ada, comes, "mine");
        await first.KillAsync();

        using HostingProcess again = await HostingProcess.ServeAsync(Place);
        using Client adaNow = ada.On(again.Addresses[0]);
        using var stream = new Subscriber(adaNow, new() { Filter = Filter, After = cursor });
        List<SubscribeResponse> told = await stream.ThroughAsync(Case.Synced);
        Assert.Equal(
            [(Case.Left, Event.TaskUpdated), (Case.Left, Event.TaskDeleted), (Case.Notification, Event.TaskUpdated)],
            told.SkipLast(1).Select(message => (message.MessageCase, SubscribeTests.EventOf(message))));
        Assert.Equal(leaves, told[0].Left.TaskUpdated.Task.Id);
        Assert.Equal(gone, told[1].Left.TaskDeleted.TaskId);
        Assert.Equal(comes, told[2].Notification.TaskUpdated.Task.Id);

        // And it is live from there.
        await RetitleAsync(adaNow, comes, "yours");
        Assert.Equal(comes, (await stream.NotificationAsync()).TaskUpdated.Task.Id);
    }

    [Fact]
    public async Task What_was_to_be_cleared_away_is_cleared_away_after_a_restart()
    {
        await using ServerFixture server = await ServerFixture.StartAsync();
        using Client ada = await Client.SignInAsync(server, "ada");
        TaskList list = await ada.CreateListAsync();
        await CreateAsync(ada, list, "goes");
        StorageFaults disk = await StorageFaults.OfAsync(server.Get<Journal>());
        server.Get<Journal>().Committed += rows =>
        {
            if (rows.Any(row => row.Kind == (int)Event.TaskListDeleted))
            {
                disk.RefuseWrites();
            }
        };
        await ada.Lists.DeleteTaskListAsync(new() { TaskListId = list.Id }, ada.Headers);
        Assert.Equal((1, 1), await CountAsync(server));
        await server.RestartAsync();
        await server.Get<TaskUpkeep>().RunOnceAsync(CancellationToken.None);
        Assert.Equal((0, 0), await CountAsync(server));
    }

    private static Task<(int Lists, int Tasks)> CountAsync(ServerFixture server) => server.Get<Store>().ReadAsync(
        db => (db.TaskLists.Count(), db.Tasks.Count()), CancellationToken.None);

    private static async Task<string> CreateAsync(Client client, TaskList list, string title) =>
        (await client.Tasks.CreateTaskAsync(
            new() { Task = new() { TaskListId = list.Id, Title = title } }, client.Headers)).Task.Id;

    private static async Task RetitleAsync(Client client, string task, string title) =>
        await client.Tasks.UpdateTaskAsync(
            new() { Task = new() { Id = task, Title = title }, UpdateMask = new() { Paths = { "title" } } },
            client.Headers);
}
