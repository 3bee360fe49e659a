using Grpc.Core;
using Squall.V1;

namespace Squall.Server.Tests;

/// <summary>How many sessions an account has, and what ends with one.</summary>
public sealed class AuthSessionTests
{
    [Fact]
    public async Task One_more_than_100_sessions_ends_the_one_unused_for_longest()
    {
        var time = new FakeTime();
        await using ServerFixture server = await ServerFixture.StartAsync(time: time);
        using Client first = await Client.SignInAsync(server, "ada");
        Tokens[] others = await BeginAsync(server, first.Account.Id, 99);
        Tokens[] all = [first.Tokens, .. others];

        // Used in this order, but for one in the middle; half of the uses are written by then.
        Tokens unused = all[57];
        foreach (Tokens tokens in all.Except([unused]))
        {
            time.Advance(TimeSpan.FromSeconds(1));
            await AskAsync(first, tokens);
            if (tokens == all[50])
            {
                await server.Get<SessionUpkeep>().RunOnceAsync(CancellationToken.None);
            }
        }

        using var stream = new Subscriber(
            new NotificationService.NotificationServiceClient(server.Channel), Client.Bearer(all[0].AccessToken));
        await stream.NextAsync();
        await BeginAsync(server, first.Account.Id, 1);
        await AssertEndedAsync(first, unused);
        await BeginAsync(server, first.Account.Id, 1);
        await AssertEndedAsync(first, all[1]);
        foreach (Tokens tokens in all.Except([unused, all[1]]))
        {
            await AskAsync(first, tokens);
        }

        Assert.Equal(100, await server.Get<Store>().ReadAsync(db => db.Sessions.Count(), CancellationToken.None));
    }

    [Fact]
    public async Task A_login_that_is_one_too_many_ends_the_streams_of_the_session_that_goes()
    {
        await using ServerFixture server = await ServerFixture.StartAsync(
            options => options.Limits.AccountSessionsMax = 1);
        using var client = new Client(server.Address);
        await client.Accounts.RegisterAccountAsync(new() { Username = "ada", Password = Client.Password });
        Tokens old = await LoginAsync(client);
        using var stream = new Subscriber(
            new NotificationService.NotificationServiceClient(server.Channel), Client.Bearer(old.AccessToken));
        await stream.NextAsync();

        Tokens fresh = await LoginAsync(client);
        await Refusal.AssertAsync(StatusCode.Unauthenticated, "SESSION_ENDED", () => stream.NextAsync());
        await AssertEndedAsync(client, old);
        await AskAsync(client, fresh);
    }

    [Fact]
    public async Task Logging_out_ends_the_sessions_streams_and_no_others()
    {
        await using ServerFixture server = await ServerFixture.StartAsync();
        using Client ada = await Client.SignInAsync(server, "ada");
        Tokens other = (await BeginAsync(server, ada.Account.Id, 1))[0];
        using var ends = new Subscriber(ada);
        using var stays = new Subscriber(
            new NotificationService.NotificationServiceClient(server.Channel), Client.Bearer(other.AccessToken));
        await ends.NextAsync();
        await stays.NextAsync();

        await ada.Auth.LogoutAsync(new(), ada.Headers);
        RpcException ended = await Refusal.AssertAsync(
            StatusCode.Unauthenticated, "SESSION_ENDED", () => ends.NextAsync());
        Assert.Contains("AuthService/Login", ended.Status.Detail, StringComparison.Ordinal);
        await AssertEndedAsync(ada, ada.Tokens);

        TaskList list = (await ada.Lists.CreateTaskListAsync(
            new() { TaskList = new() { Title = "on" } }, Client.Bearer(other.AccessToken))).TaskList;
        Assert.Equal(list.Id, (await stays.NotificationAsync()).TaskListId);
    }

    [Fact]
    public async Task A_session_ends_once_and_a_change_that_waited_behind_its_end_is_refused()
    {
        var arrivals = new Arrivals();
        await using ServerFixture server = await ServerFixture.StartAsync(replace: arrivals.Register);
        using Client ada = await Client.SignInAsync(server, "ada");
        using WriterHold hold = await WriterHold.StartAsync(server.Get<Journal>());
        Task created = ada.CreateListAsync();
        Task[] ends = [LogoutAsync(ada), LogoutAsync(ada)];
        await arrivals.WaitAsync(3);
        hold.Release();

        int ended = 0;
        foreach (Task end in ends)
        {
            ended += await EndsAsync(end) ? 1 : 0;
        }

        Assert.Equal(1, ended);
        await Refusal.AssertAsync(StatusCode.Unauthenticated, "SESSION_ENDED", () => created);
        Assert.False(await server.Get<Store>().ReadAsync(db => db.TaskLists.Any(), CancellationToken.None));
    }

    [Fact]
    public async Task An_account_whose_place_in_the_queue_is_taken_can_still_end_access()
    {
        var arrivals = new Arrivals();
        await using ServerFixture server = await ServerFixture.StartAsync(
            options => options.Limits.QueuedChangesPerAccountMax = 1, replace: arrivals.Register);
        using Client ada = await Client.SignInAsync(server, "ada");
        using Client bob = await Client.SignInAsync(server, "bob");
        TaskList list = await ada.CreateListAsync();
        await ada.ShareAsync(list, bob, Role.Editor);
        await arrivals.WaitAsync(2);
        using WriterHold hold = await WriterHold.StartAsync(server.Get<Journal>());
        Task adds = AddAsync(bob, list);
        await arrivals.WaitAsync(1);
        RpcException full = await Refusal.AssertAsync(
            StatusCode.ResourceExhausted, "QUEUE_FULL", () => AddAsync(bob, list));
        Assert.NotNull(Refusal.Detail<Google.Rpc.RetryInfo>(full));
        await arrivals.WaitAsync(1);
        Task waits = ada.CreateListAsync();
        await arrivals.WaitAsync(1);
        Task removes = ada.Lists.RemoveMemberAsync(
            new() { TaskListId = list.Id, AccountId = bob.Account.Id }, ada.Headers).ResponseAsync;
        await arrivals.WaitAsync(1);
        Task logsOut = LogoutAsync(ada);
        await arrivals.WaitAsync(1);
        hold.Release();

        await removes;
        await logsOut;
        await Refusal.AssertAsync(StatusCode.NotFound, "NOT_FOUND", () => adds);
        await Refusal.AssertAsync(StatusCode.Unauthenticated, "SESSION_ENDED", () => waits);
    }

    private static async Task<bool> EndsAsync(Task end)
    {
        try
        {
            await end;
            return true;
        }
        catch (RpcException refused)
        {
            Assert.Equal("SESSION_ENDED", Refusal.Of(refused).Reason);
            return false;
        }
    }

    private static Task LogoutAsync(Client client) =>
        client.Auth.LogoutAsync(new(), client.Headers).ResponseAsync;

    private static Task AddAsync(Client client, TaskList list) => client.Tasks.CreateTaskAsync(
        new() { Task = new() { TaskListId = list.Id, Title = "one more" } }, client.Headers).ResponseAsync;

    private static Task<Tokens[]> BeginAsync(ServerFixture server, string accountId, int sessions) =>
        server.Get<Journal>().RunAsync(
            scope =>
            {
                var begun = new List<Tokens>();
                for (int session = 0; session < sessions; session++)
                {
                    begun.Add(server.Get<SessionChanges>().Begin(scope, accountId, "test"));
                    scope.Db.SaveChanges();
                }

                return begun.ToArray();
            },
            null, 0, CancellationToken.None);

    private static async Task<Tokens> LoginAsync(Client client) =>
        (await client.Auth.LoginAsync(new() { Username = "ada", Password = Client.Password })).Tokens;

    private static async Task AskAsync(Client client, Tokens tokens) =>
        await client.Accounts.GetAccountAsync(new(), Client.Bearer(tokens.AccessToken));

    private static async Task AssertEndedAsync(Client client, Tokens tokens)
    {
        await Refusal.AssertAsync(StatusCode.Unauthenticated, "TOKEN_INVALID", () => AskAsync(client, tokens));
        await Refusal.AssertAsync(StatusCode.Unauthenticated, "TOKEN_INVALID", async () =>
            await client.Auth.RefreshSessionAsync(new() { RefreshToken = tokens.RefreshToken }));
    }
}
