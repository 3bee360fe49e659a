using Grpc.Core;
using Squall.V1;

namespace Squall.Server;

/// <summary>Accounts of people and of programs.</summary>
internal sealed class AccountRpcs(
    Store store, Journal journal, Passwords passwords, ServerOptions options, Limits limits)
    : AccountService.AccountServiceBase
{
    /// <summary>Whoever has no account yet shares one place in the journal's queue.</summary>
    private const string Newcomers = "";

    public override async Task<RegisterAccountResponse> RegisterAccount(
        RegisterAccountRequest request, ServerCallContext context)
    {
        string username = Username.Parse("username", request.Username);
        passwords.Check("password", request.Password);
        Text.Allow("display_name", request.DisplayName, limits.NameCharactersMax);
        if (!options.RegistrationOpen)
        {
            throw Fault.Denied(
                "REGISTRATION_CLOSED", "This server takes no registrations. Ask whoever runs it for an account.");
        }

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
                return new RegisterAccountResponse { Account = account.ToProto() };
            },
            Newcomers, request.CalculateSize(), context.CancellationToken);
    }

    public override async Task<GetAccountResponse> GetAccount(GetAccountRequest request, ServerCallContext context)
    {
        string id = Caller.Of(context).AccountId;
        AccountRow account = await store.ReadAsync(
            db => db.Accounts.Single(row => row.Id == id), context.CancellationToken);
        return new GetAccountResponse { Account = account.ToProto() };
    }

    private static bool RequireFree(SquallDb db, string username) =>
        !db.Accounts.Any(account => account.Username == username) ? true : throw Fault.Taken("username", username);
}
