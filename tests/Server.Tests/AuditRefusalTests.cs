using System.Text.Json.Nodes;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Squall.V1;

namespace Squall.Server.Tests;

/// <summary>What the audit trail tells of refusals, which callers are not told; and what it does not tell.</summary>
public sealed class AuditRefusalTests : IAsyncLifetime
{
    private const string Wrong = "not the password at all";
    private AuditWorld? _started;

    private AuditWorld World => _started!;

    public async Task InitializeAsync() => _started = await AuditWorld.StartAsync();

    public async Task DisposeAsync() => await World.DisposeAsync();

    [Fact]
    public async Task An_operator_knows_why_a_login_failed_and_its_caller_does_not()
    {
        AuditPerson ada = await World.JoinAsync("ada");
        AuditPerson gone = await World.JoinAsync("gone");
        await World.JoinAsync("barred");
        await World.Anyone.Accounts.DeleteAccountAsync(new() { Password = Client.Password }, gone.Headers);
        await World.Server.Get<AccountCommands>().RunAsync(new("disable", "barred", ""), CancellationToken.None);
        LoginWithIdTokenResponse keyed = await World.Anyone.Auth.LoginWithIdTokenAsync(
            new() { IdToken = StaticIssuer.Token(World.Time.GetUtcNow()), Username = "keyed" });
        await World.MarkAsync();

        var told = new HashSet<string>();
        foreach (string name in (string[])["ada", "gone", "barred", "keyed", "no.such.name"])
        {
            RpcException refused = await Assert.ThrowsAsync<RpcException>(() => TryAsync(name));
            told.Add(refused.Status + Convert.ToHexString(refused.Trailers.GetValueBytes("grpc-status-details-bin")!));
        }

        Assert.Single(told);
        AuditRow[] rows = await World.NewRowsAsync();
        Assert.Equal(
            ["wrong_password", "account_deleted", "account_disabled", "no_password", "unknown_name"],
            rows.Select(row => row.Cause));
        Assert.Equal((ada.Account.Id, gone.Account.Id), (rows[0].AccountId, rows[1].AccountId));
        Assert.Equal((keyed.Account.Id, null), (rows[3].AccountId, rows[4].AccountId));
        Assert.Equal(5, World.Lines.All.Length);
        Assert.Equal(
            ["ada", "gone", "barred", "keyed", null],
            World.Lines.All.Select(line => line.Fields.GetValueOrDefault("Username")));
    }

    [Fact]
    public async Task What_was_typed_for_a_name_is_told_nowhere_unless_it_is_an_accounts()
    {
        const string Typed = "my-own.secret-1";
        await Assert.ThrowsAsync<RpcException>(() => TryAsync(Typed));
        await World.AssertToldAsync(
            new(AuditEvent.LoginFailed)
            {
                Address = AuditWorld.Here, Cause = "unknown_name", Rpc = "AuthService/Login",
            },
            Typed, Wrong);
    }

    [Fact]
    public async Task Whoever_may_not_is_told_of_whatever_the_reason()
    {
        AuditPerson ada = await World.JoinAsync("ada");
        AuditPerson eve = await World.JoinAsync("eve");
        TaskList list = (await World.Anyone.Lists.CreateTaskListAsync(
            new() { TaskList = new() { Title = "a list" } }, ada.Headers)).TaskList;
        Metadata key = await AddKeyAsync(ada, expires: null);
        await World.Anyone.Lists.ListTaskListsAsync(new(), key);
        await World.MarkAsync();

        await Assert.ThrowsAsync<RpcException>(async () => await World.Anyone.Auth.ListSessionsAsync(new(), key));
        await Assert.ThrowsAsync<RpcException>(async () => await World.Anyone.Lists.CreateTaskListAsync(
            new() { TaskList = new() { Title = "another" } }, key));
        await Assert.ThrowsAsync<RpcException>(async () => await World.Anyone.Lists.GetTaskListAsync(
            new() { TaskListId = list.Id }, eve.Headers));
        await Assert.ThrowsAsync<RpcException>(async () => await World.Anyone.Auth.RevokeSessionAsync(
            new() { SessionId = ada.SessionId }, eve.Headers));
        await Assert.ThrowsAsync<RpcException>(async () =>
        {
            using AsyncServerStreamingCall<SubscribeResponse> stream = World.Anyone.Notifications.Subscribe(
                new(), AuditWorld.From(AuditWorld.Here, Token.New(Token.Access)));
            await stream.ResponseStream.MoveNext(CancellationToken.None);
        });

        Assert.Equal(
            [
                "access_denied ada session_required AuthService/ListSessions",
                "access_denied ada key_limited TaskListService/CreateTaskList",
                "access_denied eve not_found TaskListService/GetTaskList",
                "access_denied eve not_found AuthService/RevokeSession",
                "token_refused - token_invalid NotificationService/Subscribe",
            ],
            (await World.NewRowsAsync()).Select(row => $"{((AuditEvent)row.Event).Name()} "
                + (row.AccountId == ada.Account.Id ? "ada" : row.AccountId == eve.Account.Id ? "eve" : "-")
                + $" {row.Cause} {row.Rpc}"));
    }

    [Fact]
    public async Task A_key_that_expired_or_was_revoked_is_told_of_and_an_access_token_that_expired_is_not()
    {
        AuditPerson ada = await World.JoinAsync("ada");
        Metadata key = await AddKeyAsync(ada, World.Time.GetUtcNow().AddMinutes(20).ToTimestamp());
        await World.Anyone.Lists.ListTaskListsAsync(new(), key);
        World.Time.Advance(TimeSpan.FromMinutes(20));
        await World.MarkAsync();
        await Refusal.AssertAsync(StatusCode.Unauthenticated, "TOKEN_EXPIRED", async () =>
            await World.Anyone.Lists.ListTaskListsAsync(new(), ada.Headers));
        await Refusal.AssertAsync(StatusCode.Unauthenticated, "TOKEN_MISSING", async () =>
            await World.Anyone.Lists.ListTaskListsAsync(new()));
        Assert.Empty(await World.NewRowsAsync());

        await Refusal.AssertAsync(StatusCode.Unauthenticated, "TOKEN_EXPIRED", async () =>
            await World.Anyone.Lists.ListTaskListsAsync(new(), key));
        AuditRow row = Assert.Single(await World.NewRowsAsync());
        string keyId = await World.Server.Get<Store>().ReadAsync(
            db => db.ApiKeys.Single().Id, CancellationToken.None);
        Assert.Equal(
            ((int)AuditEvent.TokenRefused, ada.Account.Id, keyId, "token_expired"),
            (row.Event, row.AccountId, row.ProofId, row.Cause));
    }

    [Fact]
    public async Task A_request_that_comes_again_and_one_that_is_at_fault_are_told_of_once_and_not_at_all()
    {
        AuditPerson ada = await World.JoinAsync("ada");
        await World.MarkAsync();
        var create = new CreateTaskListRequest
        {
            TaskList = new() { Title = "a list" }, RequestId = Guid.NewGuid().ToString(),
        };
        await World.Anyone.Lists.CreateTaskListAsync(create, ada.Headers);
        await World.Anyone.Lists.CreateTaskListAsync(create, ada.Headers);
        await Assert.ThrowsAsync<RpcException>(async () => await World.Anyone.Lists.CreateTaskListAsync(
            new(), ada.Headers));
        await Assert.ThrowsAsync<RpcException>(async () => await World.Anyone.Auth.LoginAsync(
            new() { Username = "n o n e", Password = Wrong }));
        Assert.Equal((int)AuditEvent.ListCreated, Assert.Single(await World.NewRowsAsync()).Event);
    }

    [Fact]
    public async Task What_a_key_does_is_told_as_the_keys()
    {
        AuditPerson ada = await World.JoinAsync("ada");
        AuditPerson bob = await World.JoinAsync("bob");
        CreateApiKeyResponse key = await World.Anyone.Accounts.CreateApiKeyAsync(
            new() { ApiKey = new() { Role = Role.Owner } }, ada.Headers);
        Metadata headers = AuditWorld.From(AuditWorld.Elsewhere, key.Secret);
        TaskList list = (await World.Anyone.Lists.CreateTaskListAsync(
            new() { TaskList = new() { Title = "a list" } }, headers)).TaskList;
        await World.Anyone.Lists.SetMemberAsync(
            new() { TaskListId = list.Id, Username = "bob", Role = Role.Editor }, headers);
        await World.AssertToldAsync(new(AuditEvent.MemberSet)
        {
            AccountId = ada.Account.Id, ProofId = key.ApiKey.Id, SubjectId = bob.Account.Id,
            Address = AuditWorld.Elsewhere, ListId = list.Id, Role = Role.Editor,
        });
    }

    [Fact]
    public async Task A_deleted_account_stays_in_the_trail_by_its_id_with_what_ended_later_and_without_its_name()
    {
        AuditPerson ada = await World.JoinAsync("ada.of.the.trail");
        AuditPerson bob = await World.JoinAsync("bob");
        TaskList own = (await World.Anyone.Lists.CreateTaskListAsync(
            new() { TaskList = new() { Title = "own" } }, ada.Headers)).TaskList;
        TaskList shared = (await World.Anyone.Lists.CreateTaskListAsync(
            new() { TaskList = new() { Title = "shared" } }, bob.Headers)).TaskList;
        await World.Anyone.Lists.SetMemberAsync(
            new() { TaskListId = shared.Id, Username = "ada.of.the.trail", Role = Role.Editor }, bob.Headers);
        await World.MarkAsync();
        await World.Anyone.Accounts.DeleteAccountAsync(new() { Password = Client.Password }, ada.Headers);
        await World.Server.Get<TaskUpkeep>().RunOnceAsync(CancellationToken.None);

        AuditEntry later = new(AuditEvent.MemberRemoved) { AccountId = ada.Account.Id };
        Assert.Equal(
            [
                ada.Did(AuditEvent.AccountDeleted),
                later with { SubjectId = ada.Account.Id, ListId = shared.Id },
                later with { Event = AuditEvent.ListDeleted, ListId = own.Id },
            ],
            (await World.NewRowsAsync()).Select(AuditWorld.EntryOf));

        World.Time.Advance(TimeSpan.FromDays(31));
        await World.Server.Get<SessionUpkeep>().RunOnceAsync(CancellationToken.None);
        AuditRow[] rows = await World.RowsAsync();
        Assert.Equal(4, rows.Count(row => row.AccountId == ada.Account.Id && row.Address == AuditWorld.Here));
        Assert.DoesNotContain("ada.of.the.trail", await DumpAsync(), StringComparison.Ordinal);
    }

    private async Task<string> DumpAsync()
    {
        JsonArray rows = [.. (await World.RowsAsync()).Select(row =>
            System.Text.Json.JsonSerializer.SerializeToNode(row))];
        return rows.ToJsonString();
    }

    private async Task<Metadata> AddKeyAsync(AuditPerson owner, Timestamp? expires)
    {
        CreateApiKeyResponse made = await World.Anyone.Accounts.CreateApiKeyAsync(
            new() { ApiKey = new() { Role = Role.Viewer, ExpireTime = expires } }, owner.Headers);
        return AuditWorld.From(AuditWorld.Here, made.Secret);
    }

    private Task TryAsync(string username) => World.Anyone.Auth.LoginAsync(
        new() { Username = username, Password = Wrong }, AuditWorld.From(AuditWorld.Here)).ResponseAsync;
}
