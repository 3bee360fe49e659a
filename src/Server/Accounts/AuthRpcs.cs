using Grpc.Core;
using Squall.V1;

namespace Squall.Server;

/// <summary>Turns credentials into sessions, and ends sessions.</summary>
internal sealed class AuthRpcs(
    Store store, Journal journal, Mutations mutations, Sessions live, SessionChanges sessions, Passwords passwords,
    Origins origins, Attempts attempts, Places places, IdTokens idTokens, ServerOptions options, TimeProvider time)
    : AuthService.AuthServiceBase
{
    private const int UserAgentCharactersMax = 200;

    /// <summary>No account's id: for a name that is none's, the same is asked.</summary>
    private const string Nobody = "";

    public override async Task<LoginResponse> Login(LoginRequest request, ServerCallContext context)
    {
        string username = Username.Parse("username", request.Username);
        passwords.CheckSize("password", request.Password);
        Origin origin = origins.Of(context);
        (AccountRow? account, bool isFamiliar) = await store.ReadAsync(
            db =>
            {
                AccountRow? found = db.Accounts.SingleOrDefault(row => row.Username == username);
                return (found, places.Knows(db, found?.Id ?? Nobody, origin));
            },
            context.CancellationToken);
        AuditEntry tried = Tried(account);
        using Attempts.Attempt attempt = attempts.BeginLogin(
            username, origin, isFamiliar, tried with { Event = AuditEvent.LoginLimited, Cause = "too_many_attempts" });
        bool right = await passwords.VerifyAsync(account?.LoginHash, request.Password, context.CancellationToken);
        if (account is null || !right)
        {
            attempt.Fail();
            throw WrongCredentials().About(tried);
        }

        string? raised = Passwords.IsOutdated(account.PasswordHash!)
            ? await passwords.RaiseAsync(account.PasswordHash!, request.Password, context.CancellationToken)
            : null;
        string userAgent = UserAgentOf(context);
        return await journal.RunAsync(
            scope =>
            {
                AccountRow? now = scope.Db.Accounts.Find(account.Id);
                if (now is null || !Passwords.IsSame(now.LoginHash, account.PasswordHash))
                {
                    throw WrongCredentials().About(Tried(now));
                }

                now.PasswordHash = raised ?? now.PasswordHash;
                places.Remember(scope, account.Id, origin);
                return new LoginResponse
                {
                    Tokens = sessions.Begin(
                        scope, account.Id, userAgent, Began(AuditEvent.LoginSucceeded, now, origin)),
                    Account = now.ToProto(),
                };
            },
            account.Id, request.CalculateSize(), context.CancellationToken);
    }

    public override async Task<LoginWithIdTokenResponse> LoginWithIdToken(
        LoginWithIdTokenRequest request, ServerCallContext context)
    {
        string username = request.Username.Length == 0 ? "" : Username.Parse("username", request.Username);
        Origin origin = origins.Of(context);
        Identity identity = await VerifyAsync(request, origin, context.CancellationToken);
        AccountRow? known = await store.ReadAsync(db => Identities.Find(db, identity), context.CancellationToken);
        if (known is null)
        {
            RequireOpen();
            attempts.CountRegistration(origin);
        }

        string userAgent = UserAgentOf(context);
        return await journal.RunAsync(
            scope =>
            {
                AccountRow account = Identities.Find(scope.Db, identity)
                    ?? (known is null ? Register(scope, identity, username, origin) : throw NoMore(known));
                if (account.DisableTimeMicros is not null)
                {
                    throw NoMore(account);
                }

                places.Remember(scope, account.Id, origin);
                return new LoginWithIdTokenResponse
                {
                    Tokens = sessions.Begin(
                        scope, account.Id, userAgent, Began(AuditEvent.IdTokenLoginSucceeded, account, origin)),
                    Account = account.ToProto(),
                };
            },
            known?.Id ?? Nobody, request.CalculateSize(), context.CancellationToken);
    }

    public override async Task<RefreshSessionResponse> RefreshSession(
        RefreshSessionRequest request, ServerCallContext context)
    {
        if (request.RefreshToken.Length == 0)
        {
            throw Fault.Required("refresh_token");
        }

        byte[] hash = Token.HasForm(request.RefreshToken, Token.Refresh)
            ? Token.Hash(request.RefreshToken)
            : throw WrongRefreshToken();
        string address = origins.Of(context).ToString();
        string? accountId = await store.ReadAsync(db => AccountOf(db, hash), context.CancellationToken);
        Tokens? tokens = accountId is null
            ? null
            : await journal.RunAsync(
                scope => sessions.Refresh(scope, hash, address), accountId, request.CalculateSize(),
                context.CancellationToken);
        return new RefreshSessionResponse { Tokens = tokens ?? throw WrongRefreshToken() };
    }

    public override Task<LogoutResponse> Logout(LogoutRequest request, ServerCallContext context)
    {
        Caller caller = Caller.Of(context);
        return mutations.RunAsync(
            context, request, "",
            scope =>
            {
                SessionChanges.End(scope, scope.Db.Sessions.Single(session => session.Id == caller.ProofId));
                scope.Record(caller.Did(AuditEvent.LoggedOut));
                return new LogoutResponse();
            },
            endsAccess: true);
    }

    public override async Task<ListSessionsResponse> ListSessions(
        ListSessionsRequest request, ServerCallContext context)
    {
        Caller caller = Caller.Of(context);
        long now = Micros.Of(time.GetUtcNow());
        SessionRow[] rows = await store.ReadAsync(
            db => db.Sessions
                .Where(session => session.AccountId == caller.AccountId && session.ExpireTimeMicros > now)
                .OrderByDescending(session => session.CreateTimeMicros).ThenByDescending(session => session.Id)
                .ToArray(),
            context.CancellationToken);
        return new ListSessionsResponse
        {
            Sessions = { rows.Select(row => row.ToProto(live.LastUse(row.Id), caller.ProofId)) },
        };
    }

    public override Task<RevokeSessionResponse> RevokeSession(RevokeSessionRequest request, ServerCallContext context)
    {
        Caller caller = Caller.Of(context);
        string id = request.SessionId.Length == 0 ? throw Fault.Required("session_id") : request.SessionId;
        return mutations.RunAsync(
            context, request, "",
            scope =>
            {
                SessionRow? session = scope.Db.Sessions.Find(id);
                SessionChanges.End(
                    scope, session?.AccountId == caller.AccountId ? session : throw Fault.NotFound("session", id));
                scope.Record(caller.Did(AuditEvent.SessionRevoked) with { SubjectId = id });
                return new RevokeSessionResponse();
            },
            endsAccess: true);
    }

    private async Task<Identity> VerifyAsync(
        LoginWithIdTokenRequest request, Origin origin, CancellationToken cancelled)
    {
        using Attempts.Attempt attempt = attempts.BeginLogin(origin);
        try
        {
            return await idTokens.VerifyAsync(request.IdToken, request.Nonce, ageMax: null, cancelled);
        }
        catch (RpcException refused) when (refused.StatusCode == StatusCode.Unauthenticated)
        {
            attempt.Fail();
            throw;
        }
    }

    private void RequireOpen()
    {
        if (!options.ProviderRegistrationOpen)
        {
            throw Fault.Denied(
                "REGISTRATION_CLOSED", "This server makes no accounts at a first login. Ask whoever runs it.");
        }
    }

    private static AccountRow Register(ChangeScope scope, Identity identity, string username, Origin origin)
    {
        AccountRow account = Identities.Add(scope, identity, username);
        scope.Record(Began(AuditEvent.Registered, account, origin));
        return account;
    }

    private static AuditEntry Began(AuditEvent what, AccountRow account, Origin origin) =>
        new(what) { AccountId = account.Id, Username = account.Username, Address = origin.ToString() };

    /// <summary>
    /// What the audit trail is told of a login that fails; not a name that nobody has: it may be a password.
    /// </summary>
    private static AuditEntry Tried(AccountRow? account) => new(AuditEvent.LoginFailed)
    {
        AccountId = account?.Id,
        Username = account?.Username,
        Cause = account is null ? "unknown_name"
            : account.DeleteTimeMicros is not null ? "account_deleted"
            : account.DisableTimeMicros is not null ? "account_disabled"
            : account.PasswordHash is null ? "no_password"
            : "wrong_password",
    };

    private static RpcException NoMore(AccountRow account) => IdTokens.Refused("its account cannot log in", account);

    private static string? AccountOf(SquallDb db, byte[] refreshHash) =>
        (from token in db.Tokens
         where token.Hash == refreshHash && token.IsRefresh
         join session in db.Sessions on token.SessionId equals session.Id
         select session.AccountId).SingleOrDefault();

    private static RpcException WrongCredentials() =>
        Fault.Unauthenticated("CREDENTIALS_WRONG", "There is no account with this username and password.");

    private static RpcException WrongRefreshToken() =>
        Fault.Unauthenticated("TOKEN_INVALID", "The refresh token is not valid any more, or never was.");

    private static string UserAgentOf(ServerCallContext context)
    {
        string agent = context.RequestHeaders.GetValue("user-agent") ?? "";
        return new string([.. agent.Take(UserAgentCharactersMax).Where(unit => !char.IsControl(unit))]);
    }
}
