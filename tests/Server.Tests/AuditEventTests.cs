using Grpc.Core;
using Squall.V1;

namespace Squall.Server.Tests;

/// <summary>
/// Each event of the audit trail, made to happen over the wire or at the operator's socket: one row, one line of the
/// log with its number and the same fields, and no secret in any.
/// </summary>
public sealed class AuditEventTests
{
    private const string Wrong = "not the password at all";
    private const string Other = "quite another pass phrase";

    private delegate Task<AuditEntry> Happening(AuditWorld world);

    private static readonly Dictionary<AuditEvent, Happening> Happenings = new()
    {
        [AuditEvent.Registered] = RegisterAsync,
        [AuditEvent.LoginSucceeded] = LoginAsync,
        [AuditEvent.IdTokenLoginSucceeded] = IdTokenLoginAsync,
        [AuditEvent.LoggedOut] = As(AuditEvent.LoggedOut, (world, ada) =>
            world.Anyone.Auth.LogoutAsync(new(), ada.Headers).ResponseAsync),
        [AuditEvent.SessionRevoked] = RevokeSessionAsync,
        [AuditEvent.SessionDisplaced] = DisplaceAsync,
        [AuditEvent.RefreshTokenReused] = ReuseAsync,
        [AuditEvent.PasswordChanged] = As(AuditEvent.PasswordChanged, (world, ada) =>
            world.Anyone.Accounts.ChangePasswordAsync(
                new() { CurrentPassword = Client.Password, NewPassword = Other }, ada.Headers).ResponseAsync),
        [AuditEvent.AccountUpdated] = As(AuditEvent.AccountUpdated, (world, ada) =>
            world.Anyone.Accounts.UpdateAccountAsync(
                new() { Account = new() { DisplayName = "Ada" }, UpdateMask = new() { Paths = { "display_name" } } },
                ada.Headers).ResponseAsync),
        [AuditEvent.AccountDeleted] = As(AuditEvent.AccountDeleted, (world, ada) =>
            world.Anyone.Accounts.DeleteAccountAsync(
                new() { Password = Client.Password }, ada.Headers).ResponseAsync),
        [AuditEvent.ApiKeyCreated] = CreateKeyAsync,
        [AuditEvent.ApiKeyRevoked] = RevokeKeyAsync,
        [AuditEvent.ApiKeyUsed] = UseKeyAsync,
        [AuditEvent.ListCreated] = CreateListAsync,
        [AuditEvent.ListDeleted] = DeleteListAsync,
        [AuditEvent.MemberSet] = SetMemberAsync,
        [AuditEvent.MemberRemoved] = RemoveMemberAsync,
        [AuditEvent.OperatorCreatedAccount] = OrderAsync("create", AuditEvent.OperatorCreatedAccount),
        [AuditEvent.OperatorResetPassword] = OrderAsync("reset-password", AuditEvent.OperatorResetPassword),
        [AuditEvent.OperatorDisabledAccount] = OrderAsync("disable", AuditEvent.OperatorDisabledAccount),
        [AuditEvent.OperatorEnabledAccount] = OrderAsync("enable", AuditEvent.OperatorEnabledAccount),
        [AuditEvent.LoginFailed] = FailAsync,
        [AuditEvent.IdTokenRefused] = RefusedIdTokenAsync,
        [AuditEvent.RefreshRefused] = RefusedRefreshAsync,
        [AuditEvent.TokenRefused] = RefusedTokenAsync,
        [AuditEvent.PasswordRefused] = RefusedPasswordAsync,
        [AuditEvent.AccessDenied] = DeniedAsync,
        [AuditEvent.LoginLimited] = LimitedLoginAsync,
        [AuditEvent.CallLimited] = LimitedCallAsync,
        [AuditEvent.NotRecorded] = TooManyAsync,
    };

    public static TheoryData<string> Events => [.. AuditEvents.All];

    [Theory]
    [MemberData(nameof(Events))]
    public async Task An_event_is_a_row_and_a_line_with_the_same_fields_and_no_secret(string name)
    {
        AuditEvent what = AuditEvents.Parse(name)!.Value;
        await using AuditWorld world = await AuditWorld.StartAsync(options => Narrow(options, what));
        AuditEntry expected = await Happenings[what](world);
        Assert.Equal(what, expected.Event);
        await world.AssertToldAsync(expected, Wrong, Other, "no.such.name");
    }

    private static void Narrow(ServerOptions options, AuditEvent what)
    {
        options.Limits.AccountSessionsMax = what == AuditEvent.SessionDisplaced ? 1 : 100;
        options.Limits.AuditPendingMax = what == AuditEvent.NotRecorded ? 1 : 500;
        options.Limits.AccountAddressFailuresMax = what == AuditEvent.LoginLimited ? 1 : 10;
        options.Limits.AddressRegistrationsMax = what == AuditEvent.CallLimited ? 1 : 20;
    }

    private static Happening As(AuditEvent what, Func<AuditWorld, AuditPerson, Task> call) => async world =>
    {
        AuditPerson ada = await world.JoinAsync("ada");
        await world.MarkAsync();
        await call(world, ada);
        return ada.Did(what);
    };

    private static async Task<AuditEntry> RegisterAsync(AuditWorld world)
    {
        Account ada = (await world.Anyone.Accounts.RegisterAccountAsync(
            new() { Username = "ada", Password = Client.Password }, AuditWorld.From(AuditWorld.Here))).Account;
        return new(AuditEvent.Registered) { AccountId = ada.Id, Address = AuditWorld.Here };
    }

    private static async Task<AuditEntry> LoginAsync(AuditWorld world)
    {
        AuditPerson ada = await world.JoinAsync("ada");
        await world.MarkAsync();
        AuditPerson again = await world.LoginAsync(ada.Account, AuditWorld.Elsewhere);
        return again.Did(AuditEvent.LoginSucceeded) with { Address = AuditWorld.Elsewhere };
    }

    private static async Task<AuditEntry> IdTokenLoginAsync(AuditWorld world)
    {
        string token = StaticIssuer.Token(world.Time.GetUtcNow());
        world.Secrets.Add(token);
        LoginWithIdTokenResponse login = await world.Anyone.Auth.LoginWithIdTokenAsync(
            new() { IdToken = token }, AuditWorld.From(AuditWorld.Here));
        AuditPerson someone = await world.PersonAsync(login.Account, login.Tokens);
        AuditRow registered =
            Assert.Single(await world.RowsAsync(), row => row.Event == (int)AuditEvent.Registered);
        Assert.Equal(
            someone.Did(AuditEvent.Registered) with { ProofId = null }, AuditWorld.EntryOf(registered));
        return someone.Did(AuditEvent.IdTokenLoginSucceeded);
    }

    private static async Task<AuditEntry> RevokeSessionAsync(AuditWorld world)
    {
        AuditPerson ada = await world.JoinAsync("ada");
        AuditPerson again = await world.LoginAsync(ada.Account);
        await world.MarkAsync();
        await world.Anyone.Auth.RevokeSessionAsync(new() { SessionId = again.SessionId }, ada.Headers);
        return ada.Did(AuditEvent.SessionRevoked) with { SubjectId = again.SessionId };
    }

    private static async Task<AuditEntry> DisplaceAsync(AuditWorld world)
    {
        AuditPerson ada = await world.JoinAsync("ada");
        await world.MarkAsync();
        await world.LoginAsync(ada.Account, AuditWorld.Elsewhere);
        return new(AuditEvent.SessionDisplaced)
        {
            AccountId = ada.Account.Id, SubjectId = ada.SessionId, Address = AuditWorld.Elsewhere,
        };
    }

    private static async Task<AuditEntry> ReuseAsync(AuditWorld world)
    {
        AuditPerson ada = await world.JoinAsync("ada");
        await RefreshAsync();
        world.Time.Advance(TimeSpan.FromSeconds(11));
        await world.MarkAsync();
        await Refusal.AssertAsync(StatusCode.Unauthenticated, "TOKEN_INVALID", RefreshAsync);
        return new(AuditEvent.RefreshTokenReused)
        {
            AccountId = ada.Account.Id, SubjectId = ada.SessionId, Address = AuditWorld.Elsewhere,
        };

        async Task RefreshAsync()
        {
            Tokens renewed = (await world.Anyone.Auth.RefreshSessionAsync(
                new() { RefreshToken = ada.Tokens.RefreshToken }, AuditWorld.From(AuditWorld.Elsewhere))).Tokens;
            world.Secrets.AddRange([renewed.AccessToken, renewed.RefreshToken]);
        }
    }

    private static async Task<(AuditPerson Ada, ApiKey Key, string Secret)> WithKeyAsync(AuditWorld world)
    {
        AuditPerson ada = await world.JoinAsync("ada");
        CreateApiKeyResponse made = await world.Anyone.Accounts.CreateApiKeyAsync(
            new() { ApiKey = new() { Role = Role.Worker, Title = "of a program" } }, ada.Headers);
        world.Secrets.Add(made.Secret);
        return (ada, made.ApiKey, made.Secret);
    }

    private static async Task<AuditEntry> CreateKeyAsync(AuditWorld world)
    {
        (AuditPerson ada, ApiKey key, _) = await WithKeyAsync(world);
        return ada.Did(AuditEvent.ApiKeyCreated) with { SubjectId = key.Id, Role = Role.Worker };
    }

    private static async Task<AuditEntry> RevokeKeyAsync(AuditWorld world)
    {
        (AuditPerson ada, ApiKey key, _) = await WithKeyAsync(world);
        await world.MarkAsync();
        await world.Anyone.Accounts.RevokeApiKeyAsync(new() { ApiKeyId = key.Id }, ada.Headers);
        return ada.Did(AuditEvent.ApiKeyRevoked) with { SubjectId = key.Id };
    }

    private static async Task<AuditEntry> UseKeyAsync(AuditWorld world)
    {
        (AuditPerson ada, ApiKey key, string secret) = await WithKeyAsync(world);
        await world.MarkAsync();
        for (int at = 0; at < 50; at++)
        {
            await world.Anyone.Lists.ListTaskListsAsync(new(), AuditWorld.From(AuditWorld.Here, secret));
        }

        return ada.Did(AuditEvent.ApiKeyUsed) with { ProofId = key.Id };
    }

    private static async Task<AuditEntry> CreateListAsync(AuditWorld world)
    {
        AuditPerson ada = await world.JoinAsync("ada");
        TaskList list = await AddListAsync(world, ada);
        return ada.Did(AuditEvent.ListCreated) with { ListId = list.Id, Role = Role.Owner };
    }

    private static async Task<AuditEntry> DeleteListAsync(AuditWorld world)
    {
        AuditPerson ada = await world.JoinAsync("ada");
        TaskList list = await AddListAsync(world, ada);
        await world.MarkAsync();
        await world.Anyone.Lists.DeleteTaskListAsync(new() { TaskListId = list.Id }, ada.Headers);
        return ada.Did(AuditEvent.ListDeleted) with { ListId = list.Id };
    }

    private static async Task<AuditEntry> SetMemberAsync(AuditWorld world)
    {
        (AuditPerson ada, AuditPerson bob, TaskList list) = await SharedAsync(world);
        await world.MarkAsync();
        await SetAsync(world, ada, bob, list, Role.Editor);

        // The role that it has is no change of it.
        await SetAsync(world, ada, bob, list, Role.Editor);
        return ada.Did(AuditEvent.MemberSet) with
        {
            SubjectId = bob.Account.Id, ListId = list.Id, Role = Role.Editor,
        };
    }

    private static async Task<AuditEntry> RemoveMemberAsync(AuditWorld world)
    {
        (AuditPerson ada, AuditPerson bob, TaskList list) = await SharedAsync(world);
        await world.MarkAsync();
        await world.Anyone.Lists.RemoveMemberAsync(
            new() { TaskListId = list.Id, AccountId = bob.Account.Id }, ada.Headers);
        return ada.Did(AuditEvent.MemberRemoved) with { SubjectId = bob.Account.Id, ListId = list.Id };
    }

    /// <summary>The operator's, as the command line gives it to a server that runs.</summary>
    private static Happening OrderAsync(string verb, AuditEvent what) => async world =>
    {
        string accountId = verb == "create" ? "" : (await world.JoinAsync("ada")).Account.Id;
        await world.MarkAsync();
        OperatorAnswer? answer = await OperatorSocket.AskAsync(
            OperatorSocket.PathIn(world.Server.Server.DirectoryPath),
            new(verb, "ada", AccountCommands.Verbs[verb] ? Other : ""), CancellationToken.None);
        Assert.Null(answer!.Refusal);
        return new(what)
        {
            AccountId = verb == "create" ? answer.Lines[0].Split(' ')[^1].TrimEnd('.') : accountId,
        };
    };

    private static async Task<AuditEntry> FailAsync(AuditWorld world)
    {
        AuditPerson ada = await world.JoinAsync("ada");
        await world.MarkAsync();
        await TryAsync(world, "ada");
        return new(AuditEvent.LoginFailed)
        {
            AccountId = ada.Account.Id, Address = AuditWorld.Here, Cause = "wrong_password", Rpc = "AuthService/Login",
        };
    }

    private static async Task<AuditEntry> RefusedIdTokenAsync(AuditWorld world)
    {
        string token = StaticIssuer.Token(world.Time.GetUtcNow());
        world.Secrets.Add(token);
        await Refusal.AssertAsync(StatusCode.Unauthenticated, "ID_TOKEN_INVALID", async () =>
            await world.Anyone.Auth.LoginWithIdTokenAsync(
                new() { IdToken = token, Nonce = "another" }, AuditWorld.From(AuditWorld.Here)));
        return new(AuditEvent.IdTokenRefused)
        {
            Address = AuditWorld.Here, Cause = "its nonce is another", Rpc = "AuthService/LoginWithIdToken",
        };
    }

    private static async Task<AuditEntry> RefusedRefreshAsync(AuditWorld world)
    {
        string token = Token.New(Token.Refresh);
        world.Secrets.Add(token);
        await Refusal.AssertAsync(StatusCode.Unauthenticated, "TOKEN_INVALID", async () =>
            await world.Anyone.Auth.RefreshSessionAsync(
                new() { RefreshToken = token }, AuditWorld.From(AuditWorld.Here)));
        return new(AuditEvent.RefreshRefused)
        {
            Address = AuditWorld.Here, Cause = "token_invalid", Rpc = "AuthService/RefreshSession",
        };
    }

    private static async Task<AuditEntry> RefusedTokenAsync(AuditWorld world)
    {
        string token = Token.New(Token.Access);
        world.Secrets.Add(token);
        await Refusal.AssertAsync(StatusCode.Unauthenticated, "TOKEN_INVALID", async () =>
            await world.Anyone.Accounts.GetAccountAsync(new(), AuditWorld.From(AuditWorld.Here, token)));
        return new(AuditEvent.TokenRefused)
        {
            Address = AuditWorld.Here, Cause = "token_invalid", Rpc = "AccountService/GetAccount",
        };
    }

    private static async Task<AuditEntry> RefusedPasswordAsync(AuditWorld world)
    {
        AuditPerson ada = await world.JoinAsync("ada");
        await world.MarkAsync();
        await Refusal.AssertAsync(StatusCode.PermissionDenied, "PASSWORD_WRONG", async () =>
            await world.Anyone.Accounts.DeleteAccountAsync(new() { Password = Wrong }, ada.Headers));
        return ada.Did(AuditEvent.PasswordRefused) with
        {
            Cause = "password_wrong", Rpc = "AccountService/DeleteAccount",
        };
    }

    private static async Task<AuditEntry> DeniedAsync(AuditWorld world)
    {
        (_, AuditPerson bob, TaskList list) = await SharedAsync(world);
        await world.MarkAsync();
        await Refusal.AssertAsync(StatusCode.PermissionDenied, "ROLE_TOO_LOW", async () =>
            await world.Anyone.Lists.DeleteTaskListAsync(new() { TaskListId = list.Id }, bob.Headers));
        return bob.Did(AuditEvent.AccessDenied) with
        {
            ListId = list.Id, Role = Role.Viewer, Cause = "role_too_low", Rpc = "TaskListService/DeleteTaskList",
        };
    }

    private static async Task<AuditEntry> LimitedLoginAsync(AuditWorld world)
    {
        AuditPerson ada = await world.JoinAsync("ada");
        await TryAsync(world, "ada");
        await world.MarkAsync();
        await Refusal.AssertAsync(
            StatusCode.ResourceExhausted, "TOO_MANY_ATTEMPTS", () => world.LoginAsync(ada.Account));
        return new(AuditEvent.LoginLimited)
        {
            AccountId = ada.Account.Id, Address = AuditWorld.Here, Cause = "too_many_attempts",
            Rpc = "AuthService/Login",
        };
    }

    private static async Task<AuditEntry> LimitedCallAsync(AuditWorld world)
    {
        await world.JoinAsync("ada");
        await world.MarkAsync();
        await Refusal.AssertAsync(
            StatusCode.ResourceExhausted, "TOO_MANY_REGISTRATIONS", () => world.JoinAsync("no.such.name"));
        return new(AuditEvent.CallLimited)
        {
            Address = AuditWorld.Here, Cause = "too_many_registrations", Rpc = "AccountService/RegisterAccount",
        };
    }

    /// <summary>Of two that differ, a trail that takes one of a second tells of one, and that there was one.</summary>
    private static async Task<AuditEntry> TooManyAsync(AuditWorld world)
    {
        await TryAsync(world, "no.such.name");
        await RefusedRefreshAsync(world);
        return new(AuditEvent.NotRecorded);
    }

    private static Task TryAsync(AuditWorld world, string username) => Refusal.AssertAsync(
        StatusCode.Unauthenticated, "CREDENTIALS_WRONG", async () => await world.Anyone.Auth.LoginAsync(
            new() { Username = username, Password = Wrong }, AuditWorld.From(AuditWorld.Here)));

    private static async Task<TaskList> AddListAsync(AuditWorld world, AuditPerson owner) =>
        (await world.Anyone.Lists.CreateTaskListAsync(
            new() { TaskList = new() { Title = "a list" } }, owner.Headers)).TaskList;

    private static async Task<(AuditPerson Ada, AuditPerson Bob, TaskList List)> SharedAsync(AuditWorld world)
    {
        (AuditPerson ada, AuditPerson bob) = (await world.JoinAsync("ada"), await world.JoinAsync("bob"));
        TaskList list = await AddListAsync(world, ada);
        await SetAsync(world, ada, bob, list, Role.Viewer);
        return (ada, bob, list);
    }

    private static async Task SetAsync(
        AuditWorld world, AuditPerson by, AuditPerson member, TaskList list, Role role) =>
        await world.Anyone.Lists.SetMemberAsync(
            new() { TaskListId = list.Id, Username = member.Account.Username, Role = role }, by.Headers);
}
