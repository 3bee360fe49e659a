using Grpc.Core;
using Squall.V1;

namespace Squall.Server;

/// <summary>Accounts of people and of programs.</summary>
internal sealed class AccountRpcs(
    Store store, Journal journal, Mutations mutations, Sessions live, Passwords passwords, Origins origins,
    Attempts attempts, IdTokens idTokens, ServerOptions options, Limits limits, TimeProvider time)
    : AccountService.AccountServiceBase
{
    /// <summary>Whoever has no account yet shares one place in the journal's queue.</summary>
    private const string Newcomers = "";

    /// <summary>How long ago an ID token may have been made that proves an account in place of a password.</summary>
    private static readonly TimeSpan FreshMax = TimeSpan.FromMinutes(5);

    public override async Task<RegisterAccountResponse> RegisterAccount(
        RegisterAccountRequest request, ServerCallContext context)
    {
        string username = Username.Parse("username", request.Username);
        Text.Allow("display_name", request.DisplayName, limits.NameCharactersMax);
        passwords.Check("password", request.Password, username, request.DisplayName);
        if (!options.RegistrationOpen)
        {
            throw Fault.Denied(
                "REGISTRATION_CLOSED", "This server takes no registrations. Ask whoever runs it for an account.");
        }

        Origin origin = origins.Of(context);
        attempts.CountRegistration(origin);
        await store.ReadAsync(db => RequireFree(db, username), context.CancellationToken);
        string hash = await passwords.HashAsync(request.Password, context.CancellationToken);
        return await journal.RunAsync(
            scope =>
            {
                RequireFree(scope.Db, username);
                var account = new AccountRow
                {
                    Id = Ids.New(scope.NowMicros),
                    Username = username,
                    DisplayName = request.DisplayName,
                    CreateTimeMicros = scope.NowMicros,
                    PasswordHash = hash,
                };
                scope.Db.Accounts.Add(account);
                scope.Record(new AuditEntry(AuditEvent.Registered)
                {
                    AccountId = account.Id, Username = username, Address = origin.ToString(),
                });
                return new RegisterAccountResponse { Account = account.ToProto() };
            },
            Newcomers, request.CalculateSize(), context.CancellationToken);
    }

    public override async Task<GetAccountResponse> GetAccount(GetAccountRequest request, ServerCallContext context)
    {
        AccountRow account = await OwnAsync(context);
        return new GetAccountResponse { Account = account.ToProto() };
    }

    public override Task<UpdateAccountResponse> UpdateAccount(UpdateAccountRequest request, ServerCallContext context)
    {
        Caller caller = Caller.Of(context);
        UpdateMask.Require(request.UpdateMask, "display_name");
        string name = Text.Allow(
            "account.display_name", (request.Account ?? throw Fault.Required("account")).DisplayName,
            limits.NameCharactersMax);
        return mutations.RunAsync(context, request, "", scope =>
        {
            AccountRow account = scope.Db.Accounts.Single(row => row.Id == caller.AccountId);
            account.DisplayName = name;
            scope.Record(caller.Did(AuditEvent.AccountUpdated));
            return new UpdateAccountResponse { Account = account.ToProto() };
        });
    }

    public override async Task<ChangePasswordResponse> ChangePassword(
        ChangePasswordRequest request, ServerCallContext context)
    {
        Caller caller = Caller.Of(context);
        passwords.CheckSize("new_password", request.NewPassword);
        AccountRow account = await OwnAsync(context);
        passwords.Check("new_password", request.NewPassword, account.Username, account.DisplayName);
        if (account.PasswordHash is not null || request.CurrentPassword.Length > 0)
        {
            await ProveAsync(account, "current_password", request.CurrentPassword, context);
        }

        string hash = await passwords.HashAsync(request.NewPassword, context.CancellationToken);
        return await mutations.RunAsync(
            context, request, "",
            scope =>
            {
                Confirm(scope, account).PasswordHash = hash;
                SessionChanges.EndAll(scope, caller.AccountId, exceptId: caller.ProofId);
                scope.Record(caller.Did(AuditEvent.PasswordChanged));
                return new ChangePasswordResponse();
            },
            endsAccess: true);
    }

    public override async Task<DeleteAccountResponse> DeleteAccount(
        DeleteAccountRequest request, ServerCallContext context)
    {
        Caller caller = Caller.Of(context);
        AccountRow account = await OwnAsync(context);
        if (account.PasswordHash is null && request.Password.Length == 0)
        {
            await ProveAsync(account, request.IdToken, context);
        }
        else
        {
            await ProveAsync(account, "password", request.Password, context);
        }

        return await mutations.RunAsync(
            context, request, "",
            scope =>
            {
                AccountDeletion.Mark(scope, Confirm(scope, account));
                scope.Record(caller.Did(AuditEvent.AccountDeleted));
                return new DeleteAccountResponse();
            },
            endsAccess: true);
    }

    public override async Task<CreateApiKeyResponse> CreateApiKey(
        CreateApiKeyRequest request, ServerCallContext context)
    {
        Caller caller = Caller.Of(context);
        ApiKeyRow key = ApiKeys.Parse(request.ApiKey, limits, Micros.Of(time.GetUtcNow()), out string secret);
        return await mutations.RunAsync(context, request, "", scope =>
        {
            ApiKeys.Add(scope, caller, key, limits);
            scope.Record(caller.Did(AuditEvent.ApiKeyCreated) with { SubjectId = key.Id, Role = (Role)key.Role });
            return new CreateApiKeyResponse { ApiKey = key.ToProto(), Secret = secret };
        });
    }

    public override async Task<ListApiKeysResponse> ListApiKeys(ListApiKeysRequest request, ServerCallContext context)
    {
        string id = Caller.Of(context).AccountId;
        ApiKeyRow[] keys = await store.ReadAsync(
            db => db.ApiKeys.Where(key => key.AccountId == id).OrderByDescending(key => key.CreateTimeMicros)
                .ThenByDescending(key => key.Id).ToArray(),
            context.CancellationToken);
        return new ListApiKeysResponse { ApiKeys = { keys.Select(key => key.ToProto(live.LastUse(key.Id))) } };
    }

    public override Task<RevokeApiKeyResponse> RevokeApiKey(RevokeApiKeyRequest request, ServerCallContext context)
    {
        Caller caller = Caller.Of(context);
        string id = request.ApiKeyId.Length == 0 ? throw Fault.Required("api_key_id") : request.ApiKeyId;
        return mutations.RunAsync(
            context, request, "",
            scope =>
            {
                ApiKeyRow? key = scope.Db.ApiKeys.Find(id);
                ApiKeys.End(scope, key?.AccountId == caller.AccountId ? key : throw Fault.NotFound("API key", id));
                scope.Record(caller.Did(AuditEvent.ApiKeyRevoked) with { SubjectId = id });
                return new RevokeApiKeyResponse();
            },
            endsAccess: true);
    }

    /// <summary>
    /// Checks the password of the caller's account, as it is now; what then changes by it confirms that it still is.
    /// </summary>
    /// <exception cref="RpcException">PERMISSION_DENIED: it is another. INVALID_ARGUMENT: none is given.
    /// RESOURCE_EXHAUSTED: too many wait to be checked, or were wrong lately.</exception>
    private async Task ProveAsync(AccountRow account, string field, string password, ServerCallContext context)
    {
        passwords.CheckSize(field, password);
        using Attempts.Attempt attempt = attempts.BeginLogin(account.Username, origins.Of(context), isFamiliar: true);
        if (!await passwords.VerifyAsync(account.PasswordHash, password, context.CancellationToken))
        {
            attempt.Fail();
            throw WrongPassword();
        }
    }

    /// <summary>The same by an ID token, made just now, of an identity that leads to the account.</summary>
    private async Task ProveAsync(AccountRow account, string idToken, ServerCallContext context)
    {
        Identity identity = await idTokens.VerifyAsync(idToken, nonce: "", FreshMax, context.CancellationToken);
        AccountRow? found = await store.ReadAsync(db => Identities.Find(db, identity), context.CancellationToken);
        if (found?.Id != account.Id)
        {
            throw IdTokens.Refused("it is not this account's");
        }
    }

    private static AccountRow Confirm(ChangeScope scope, AccountRow proved)
    {
        AccountRow account = scope.Db.Accounts.Single(row => row.Id == proved.Id);
        return Passwords.IsSame(account.PasswordHash, proved.PasswordHash) ? account : throw WrongPassword();
    }

    private Task<AccountRow> OwnAsync(ServerCallContext context)
    {
        string id = Caller.Of(context).AccountId;
        return store.ReadAsync(db => db.Accounts.Single(row => row.Id == id), context.CancellationToken);
    }

    private static RpcException WrongPassword() =>
        Fault.Denied("PASSWORD_WRONG", "This is not the account's password.");

    private static bool RequireFree(SquallDb db, string username) =>
        !db.Accounts.Any(account => account.Username == username) ? true : throw Fault.Taken("username", username);
}
