using Grpc.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Squall.V1;

namespace Squall.Server.Tests;

/// <summary>
/// What goes with an account, what stays, and what is to be seen in between: the servers of these tests clear nothing
/// away by themselves.
/// </summary>
public sealed class AccountDeletionTests : IAsyncLifetime
{
    private readonly FakeTime _time = new();
    private ServerFixture _server = null!;
    private Client _ada = null!;
    private Client _bob = null!;

    public async Task InitializeAsync()
    {
        _server = await ServerFixture.StartAsync(time: _time, replace: services => services.Remove(
            services.Single(service => service.ServiceType == typeof(IHostedService)
                && service.ImplementationFactory?.GetType().GenericTypeArguments[1] == typeof(TaskUpkeep))));
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
    public async Task Its_lists_go_its_memberships_end_and_what_it_wrote_in_lists_of_others_stays()
    {
        TaskList own = await _ada.CreateListAsync();
        await _ada.AddAsync(own, "goes");
        TaskList shared = await _bob.CreateListAsync();
        await _bob.ShareAsync(shared, _ada, Role.Owner);
        TaskItem wrote = await _ada.AddAsync(shared, "stays");
        await _ada.CommentAsync(wrote, "stays too");
        TaskItem does = await _bob.AddAsync(shared, "hers to do", it => it.AssigneeId = _ada.Account.Id);
        using var hers = new Subscriber(_ada);
        using var his = new Subscriber(_bob);
        await hers.NextAsync();
        await his.NextAsync();

        await DeleteAsync(_ada);
        await Refusal.AssertAsync(StatusCode.Unauthenticated, "SESSION_ENDED", () => hers.NextAsync());
        await AssertGoneAsync();
        await ClearAsync();
        await AssertGoneAsync();

        Notification removed = await his.NotificationAsync();
        Assert.Equal(
            (_ada.Account.Id, shared.Id), (removed.MemberRemoved.AccountId, removed.TaskListId));
        Notification updated = await his.NotificationAsync();
        Assert.Equal((does.Id, ""), (updated.TaskUpdated.Task.Id, updated.TaskUpdated.Task.AssigneeId));
        Assert.Equal([shared.Id], await _server.Get<Store>().ReadAsync(
            db => db.TaskLists.Select(list => list.Id).ToArray(), CancellationToken.None));
        TaskItem read = (await _bob.Tasks.GetTaskAsync(new() { TaskId = wrote.Id }, _bob.Headers)).Task;
        Assert.Equal(_ada.Account.Id, read.CreatorId);
        Comment comment = (await _bob.Tasks.ListCommentsAsync(
            new() { TaskId = wrote.Id }, _bob.Headers)).Comments.Single();
        Assert.Equal((_ada.Account.Id, "stays too"), (comment.AuthorId, comment.Text));

        async Task AssertGoneAsync()
        {
            await Refusal.AssertAsync(StatusCode.Unauthenticated, "TOKEN_INVALID", async () =>
                await _ada.Accounts.GetAccountAsync(new(), _ada.Headers));
            await Refusal.AssertAsync(StatusCode.Unauthenticated, "TOKEN_INVALID", async () =>
                await _ada.Auth.RefreshSessionAsync(new() { RefreshToken = _ada.Tokens.RefreshToken }));
            await Refusal.AssertAsync(StatusCode.Unauthenticated, "CREDENTIALS_WRONG", async () =>
                await _ada.Auth.LoginAsync(new() { Username = "ada", Password = Client.Password }));
            Assert.Equal(["bob"], await MembersAsync(shared));
            await Refusal.AssertAsync(
                StatusCode.NotFound, "NOT_FOUND", () => _bob.ShareAsync(shared, _ada, Role.Viewer));
            await Refusal.AssertAsync(StatusCode.NotFound, "NOT_FOUND", async () => await _bob.Lists.RemoveMemberAsync(
                new() { TaskListId = shared.Id, AccountId = _ada.Account.Id }, _bob.Headers));
        }
    }

    [Fact]
    public async Task The_only_owner_of_a_list_that_others_share_stays_until_there_is_another()
    {
        TaskList list = await _ada.CreateListAsync();
        await _ada.ShareAsync(list, _bob, Role.Editor);
        RpcException refused = await Refusal.AssertAsync(
            StatusCode.FailedPrecondition, "LAST_OWNER", () => DeleteAsync(_ada));
        Assert.Contains(list.Id, refused.Status.Detail, StringComparison.Ordinal);
        await _ada.Accounts.GetAccountAsync(new(), _ada.Headers);
        Assert.Equal(["ada", "bob"], await MembersAsync(list));

        await _ada.ShareAsync(list, _bob, Role.Owner);
        await DeleteAsync(_ada);

        // The one who is gone is no other owner, whether its membership has ended by now or not.
        foreach (bool cleared in (bool[])[false, true])
        {
            await Refusal.AssertAsync(StatusCode.FailedPrecondition, "LAST_OWNER", LeaveAsync);
            Assert.Equal(["bob"], await MembersAsync(list));
            if (!cleared)
            {
                await ClearAsync();
            }
        }

        await DeleteAsync(_bob);
        await ClearAsync();
        Assert.Equal(0, await _server.Get<Store>().ReadAsync(db => db.TaskLists.Count(), CancellationToken.None));

        async Task LeaveAsync() => await _bob.Lists.RemoveMemberAsync(
            new() { TaskListId = list.Id, AccountId = _bob.Account.Id }, _bob.Headers);
    }

    [Fact]
    public async Task Two_who_share_a_list_and_go_one_after_the_other_leave_nothing()
    {
        TaskList list = await _ada.CreateListAsync();
        await _ada.ShareAsync(list, _bob, Role.Owner);
        await DeleteAsync(_ada);
        await DeleteAsync(_bob);
        await ClearAsync();
        Assert.Equal((0, 0, 0), await _server.Get<Store>().ReadAsync(
            db => (
                db.TaskLists.Count(), db.Members.Count(row => row.EndSeq == null),
                db.Accounts.Sum(row => row.ListCount)),
            CancellationToken.None));
    }

    [Fact]
    public async Task Its_name_is_free_after_30_days_and_no_sooner()
    {
        await DeleteAsync(_ada);
        await ClearAsync();
        await UpkeepAsync();
        await Refusal.AssertAsync(StatusCode.AlreadyExists, "ALREADY_EXISTS", RegisterAsync);
        _time.Advance(TimeSpan.FromDays(30) - TimeSpan.FromMinutes(2));
        await UpkeepAsync();
        await Refusal.AssertAsync(StatusCode.AlreadyExists, "ALREADY_EXISTS", RegisterAsync);
        _time.Advance(TimeSpan.FromMinutes(3));
        await UpkeepAsync();
        await RegisterAsync();

        Task UpkeepAsync() => _server.Get<SessionUpkeep>().RunOnceAsync(CancellationToken.None);

        async Task RegisterAsync() =>
            await _bob.Accounts.RegisterAccountAsync(new() { Username = "ada", Password = Client.Password });
    }

    [Fact]
    public async Task What_is_much_goes_in_steps_and_goes_on_after_a_restart()
    {
        const int Lists = 1_300;
        string[] ids = await FillAsync(Lists);
        await DeleteAsync(_ada);
        await _server.RestartAsync();
        int step;
        int steps = 0;
        do
        {
            long before = await ChangesAsync();
            step = await _server.Get<Journal>().RunAsync(TaskClearing.LeaveLists, null, 0, CancellationToken.None);
            Assert.InRange(await ChangesAsync() - before, step, TaskClearing.RowsMax);
            steps++;
        }
        while (step > 0);

        Assert.InRange(steps, 5, 20);
        Assert.Equal((Lists / 2, 0, Lists / 2), await _server.Get<Store>().ReadAsync(
            db => (
                db.TaskLists.Count(list => list.DeleteTimeMicros == null),
                db.Accounts.Single(row => row.Id == _ada.Account.Id).ListCount,
                db.TaskLists.Count(list => list.DeleteTimeMicros == null && list.MemberCount == 1)),
            CancellationToken.None));
        using Client bob = _bob.On(_server.Address);
        Assert.Equal(["bob"], (await bob.Lists.ListMembersAsync(new() { TaskListId = ids[0] }, bob.Headers)).Members
            .Select(member => member.Username));
    }

    [Fact]
    public async Task Whoever_does_not_know_the_password_deletes_nothing()
    {
        await Refusal.AssertAsync(StatusCode.PermissionDenied, "PASSWORD_WRONG", async () =>
            await _ada.Accounts.DeleteAccountAsync(new() { Password = Secrets.Password() }, _ada.Headers));
        using Client eve = await Client.SignInAsync(_server, "eve", hasPassword: false);
        await Refusal.AssertAsync(
            StatusCode.PermissionDenied, "PASSWORD_WRONG", () => DeleteAsync(eve));
        await _ada.Accounts.GetAccountAsync(new(), _ada.Headers);
        await eve.Accounts.GetAccountAsync(new(), eve.Headers);
    }

    /// <summary>Lists of ada's, every other one with bob as an owner too; those come first.</summary>
    private Task<string[]> FillAsync(int lists) => _server.Get<Journal>().RunAsync(
        scope =>
        {
            string[] ids = [.. Enumerable.Range(0, lists).Select(at => Ids.New(scope.NowMicros, at))];
            for (int at = 0; at < lists; at++)
            {
                bool shared = at < lists / 2;
                scope.Db.TaskLists.Add(new TaskListRow
                {
                    Id = ids[at], Title = "a list", Version = 1, MemberCount = shared ? 2 : 1,
                });
                foreach (string account in shared ? [_ada.Account.Id, _bob.Account.Id] : new[] { _ada.Account.Id })
                {
                    scope.Db.Members.Add(new MemberRow
                    {
                        ListId = ids[at], AccountId = account, Role = (int)Role.Owner, SinceSeq = 1,
                    });
                }
            }

            scope.Db.Accounts.Single(row => row.Id == _ada.Account.Id).ListCount = lists;
            scope.Db.Accounts.Single(row => row.Id == _bob.Account.Id).ListCount = lists / 2;
            return ids;
        },
        null, 0, CancellationToken.None);

    private Task<long> ChangesAsync() => _server.Get<Store>().ReadAsync(
        db => db.Changes.Max(row => row.Seq), CancellationToken.None);

    private async Task<string[]> MembersAsync(TaskList list) =>
    [
        .. (await _bob.Lists.ListMembersAsync(new() { TaskListId = list.Id }, _bob.Headers)).Members
            .Select(member => member.Username),
    ];

    private static Task DeleteAsync(Client client) => client.Accounts.DeleteAccountAsync(
        new() { Password = Client.Password }, client.Headers).ResponseAsync;

    private Task ClearAsync() => _server.Get<TaskUpkeep>().RunOnceAsync(CancellationToken.None);
}
