using Grpc.Core;
using Squall.V1;

namespace Squall.Server.Tests;

/// <summary>What is cleared away by itself, and that a disk which fails meanwhile stops none of it for good.</summary>
public sealed class StorageUpkeepTests
{
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(1);

    [Fact]
    public async Task A_request_id_is_forgotten_after_24_hours_and_no_sooner()
    {
        var time = new FakeTime();
        await using ServerFixture server = await ServerFixture.StartAsync(
            options => options.Limits.AccessLifetime = TimeSpan.FromDays(3), time);
        using Client ada = await Client.SignInAsync(server, "ada");
        var request = new CreateTaskListRequest
        {
            TaskList = new() { Title = "once" },
            RequestId = Guid.NewGuid().ToString(),
        };
        string first = await CreateAsync(ada, request);
        time.Advance(TimeSpan.FromHours(24) - Minute);
        await server.Get<Upkeep>().RunOnceAsync(CancellationToken.None);
        Assert.Equal(first, await CreateAsync(ada, request));

        time.Advance(Minute + Moment);
        await server.Get<Upkeep>().RunOnceAsync(CancellationToken.None);
        Assert.NotEqual(first, await CreateAsync(ada, request));
    }

    [Fact]
    public async Task No_more_request_ids_are_remembered_than_may_be()
    {
        var time = new FakeTime();
        await using ServerFixture server = await ServerFixture.StartAsync(
            options => options.Limits.RequestMemoryRowsMax = 2, time);
        using Client ada = await Client.SignInAsync(server, "ada");
        CreateTaskListRequest[] requests =
        [
            .. Enumerable.Range(0, 3).Select(at => new CreateTaskListRequest
            {
                TaskList = new() { Title = $"list {at}" },
                RequestId = Guid.NewGuid().ToString(),
            }),
        ];
        var made = new List<string>();
        foreach (CreateTaskListRequest request in requests)
        {
            made.Add(await CreateAsync(ada, request));
        }

        await server.Get<Upkeep>().RunOnceAsync(CancellationToken.None);
        Assert.Equal(made[1], await CreateAsync(ada, requests[1]));
        Assert.Equal(made[2], await CreateAsync(ada, requests[2]));
        Assert.NotEqual(made[0], await CreateAsync(ada, requests[0]));
    }

    [Fact]
    public async Task A_session_that_nobody_renews_ends_by_itself_and_its_stream_with_it()
    {
        var time = new FakeTime();
        await using ServerFixture server = await ServerFixture.StartAsync(time: time);
        using Client ada = await Client.SignInAsync(server, "ada");
        using var stream = new Subscriber(ada);
        await stream.NextAsync();
        await time.TimerSetAsync(Minute, timers: 2);

        // A stream outlives its access token, but not its session.
        time.Advance(TimeSpan.FromMinutes(16));
        using Client bob = await Client.SignInAsync(server, "bob");
        TaskList list = await bob.CreateListAsync();
        await bob.ShareAsync(list, ada, Role.Viewer);
        Assert.Equal(list.Id, (await stream.NotificationAsync()).MemberSet.TaskList.Id);

        time.Advance(TimeSpan.FromDays(30));
        RpcException ended = await Assert.ThrowsAsync<RpcException>(async () =>
        {
            while (true)
            {
                await stream.NextAsync();
            }
        });
        Assert.Equal(new Refusal(StatusCode.Unauthenticated, "SESSION_ENDED"), Refusal.Of(ended));
    }

    [Fact]
    public async Task An_expired_access_token_is_told_to_be_one_for_a_day_and_is_then_forgotten()
    {
        var time = new FakeTime();
        await using ServerFixture server = await ServerFixture.StartAsync(time: time);
        using Client ada = await Client.SignInAsync(server, "ada");
        time.Advance(TimeSpan.FromHours(24));
        await server.Get<SessionUpkeep>().RunOnceAsync(CancellationToken.None);
        await Refusal.AssertAsync(StatusCode.Unauthenticated, "TOKEN_EXPIRED", () => AskAsync(ada));
        time.Advance(TimeSpan.FromMinutes(16));
        await server.Get<SessionUpkeep>().RunOnceAsync(CancellationToken.None);
        await Refusal.AssertAsync(StatusCode.Unauthenticated, "TOKEN_INVALID", () => AskAsync(ada));
        await ada.Auth.RefreshSessionAsync(new() { RefreshToken = ada.Tokens.RefreshToken });
    }

    [Fact]
    public async Task The_use_of_a_session_is_written_within_a_minute_also_when_the_first_try_fails()
    {
        var time = new FakeTime();
        await using ServerFixture server = await ServerFixture.StartAsync(time: time);
        using Client ada = await Client.SignInAsync(server, "ada");
        time.Advance(TimeSpan.FromSeconds(30));
        await AskAsync(ada);
        long used = Micros.Of(time.GetUtcNow());
        StorageFaults disk = await StorageFaults.OfAsync(server.Get<Journal>());
        disk.RefuseWrites();
        SessionUpkeep upkeep = server.Get<SessionUpkeep>();
        await Refusal.AssertAsync(
            StatusCode.Unavailable, "STORAGE_FAILED", () => upkeep.RunOnceAsync(CancellationToken.None));
        disk.TakeWrites();
        await upkeep.RunOnceAsync(CancellationToken.None);
        Assert.Equal(used, await server.Get<Store>().ReadAsync(
            db => db.Sessions.Single().LastUseTimeMicros, CancellationToken.None));
    }

    [Fact]
    public async Task What_clears_away_each_minute_survives_a_disk_that_fails()
    {
        var time = new FakeTime();
        var log = new LogLines();
        await using ServerFixture server = await ServerFixture.StartAsync(
            options => options.Limits.RefreshLifetime = TimeSpan.FromHours(24), time, log.Register);
        using Client ada = await Client.SignInAsync(server, "ada");
        await ada.Lists.CreateTaskListAsync(
            new() { TaskList = new() { Title = "x" }, RequestId = Guid.NewGuid().ToString() }, ada.Headers);
        await time.TimerSetAsync(Minute, timers: 2);
        time.Advance(TimeSpan.FromHours(24) - Minute);
        using Client bob = await Client.SignInAsync(server, "bob");
        StorageFaults disk = await StorageFaults.OfAsync(server.Get<Journal>());
        disk.RefuseWrites();
        for (int minute = 0; minute < 3; minute++)
        {
            log.Clear();
            time.Advance(Minute);
            // Both that run each minute are refused.
            await log.WaitAsync("commit of 1 changes failed", 2);
        }

        Task requests = disk.ChangedAsync("requests");
        Task sessions = disk.ChangedAsync("sessions");
        disk.TakeWrites();
        time.Advance(Minute);
        await Task.WhenAll(requests, sessions).WaitAsync(TimeSpan.FromSeconds(60));
        await log.WaitAsync("Changes are stored again.", 1);
        await server.Get<Journal>().RunAsync(_ => true, null, 0, CancellationToken.None);
        Assert.Equal(
            (0, bob.Account.Id),
            await server.Get<Store>().ReadAsync(
                db => (db.Requests.Count(), db.Sessions.Single().AccountId), CancellationToken.None));
    }

    [Fact]
    public async Task What_clears_away_a_deleted_list_survives_a_disk_that_fails()
    {
        var time = new FakeTime();
        await using ServerFixture server = await ServerFixture.StartAsync(time: time);
        using Client ada = await Client.SignInAsync(server, "ada");
        TaskList list = await ada.CreateListAsync();
        await ada.Tasks.CreateTaskAsync(new() { Task = new() { TaskListId = list.Id, Title = "goes" } }, ada.Headers);
        StorageFaults disk = await StorageFaults.OfAsync(server.Get<Journal>());
        server.Get<Journal>().Committed += rows =>
        {
            if (rows.Any(row => row.Kind == (int)Notification.EventOneofCase.TaskListDeleted))
            {
                disk.RefuseWrites();
            }
        };
        await ada.Lists.DeleteTaskListAsync(new() { TaskListId = list.Id }, ada.Headers);
        await time.TimerSetAsync(TimeSpan.FromSeconds(10));
        Task gone = disk.ChangedAsync("task_lists");
        disk.TakeWrites();
        time.Advance(TimeSpan.FromSeconds(10));
        await gone.WaitAsync(TimeSpan.FromSeconds(30));
        await server.Get<Journal>().RunAsync(_ => true, null, 0, CancellationToken.None);
        Assert.Equal((0, 0), await server.Get<Store>().ReadAsync(
            db => (db.TaskLists.Count(), db.Tasks.Count()), CancellationToken.None));
    }

    private static async Task<string> CreateAsync(Client client, CreateTaskListRequest request) =>
        (await client.Lists.CreateTaskListAsync(request, client.Headers)).TaskList.Id;

    private static async Task AskAsync(Client client) =>
        await client.Accounts.GetAccountAsync(new(), client.Headers);
}
