using System.Globalization;
using Grpc.Core;

namespace Squall.Server;

/// <summary>What an operator can do to accounts, whoever they belong to.</summary>
internal sealed class AccountCommands(Store store, Journal journal, Passwords passwords)
{
    private const int PageRows = 500;

    /// <summary>The commands, each with whether it asks for a password.</summary>
    public static readonly IReadOnlyDictionary<string, bool> Verbs = new Dictionary<string, bool>
    {
        ["create"] = true,
        ["reset-password"] = true,
        ["disable"] = false,
        ["enable"] = false,
        ["list"] = false,
    };

    /// <exception cref="RpcException">It cannot be done; the message says why.</exception>
    public Task<OperatorAnswer> RunAsync(OperatorOrder order, CancellationToken cancelled) => order.Verb switch
    {
        "create" => CreateAsync(order, cancelled),
        "reset-password" => ResetAsync(order, cancelled),
        "disable" => SetDisabledAsync(order, disabled: true, cancelled),
        "enable" => SetDisabledAsync(order, disabled: false, cancelled),
        "list" => ListAsync(order.Username, cancelled),
        _ => throw new ArgumentException($"There is no command {order.Verb}.", nameof(order)),
    };

    private async Task<OperatorAnswer> CreateAsync(OperatorOrder order, CancellationToken cancelled)
    {
        string username = Username.Parse("username", order.Username);
        string hash = await HashAsync(order.Password, username, cancelled);
        string id = await ChangeAsync(
            scope =>
            {
                if (scope.Db.Accounts.Any(row => row.Username == username))
                {
                    throw Fault.Taken("username", username);
                }

                var account = new AccountRow
                {
                    Id = Ids.New(scope.NowMicros),
                    Username = username,
                    CreateTimeMicros = scope.NowMicros,
                    PasswordHash = hash,
                };
                scope.Db.Accounts.Add(account);
                return Record(scope, AuditEvent.OperatorCreatedAccount, account);
            },
            cancelled);
        return OperatorAnswer.Of($"Created {username}, {id}.");
    }

    /// <summary>Whoever knew the old one, or had a session by it, has nothing of it any more.</summary>
    private async Task<OperatorAnswer> ResetAsync(OperatorOrder order, CancellationToken cancelled)
    {
        string username = Username.Parse("username", order.Username);
        string hash = await HashAsync(order.Password, username, cancelled);
        await ChangeAsync(
            scope =>
            {
                AccountRow account = Find(scope.Db, username);
                account.PasswordHash = hash;
                SessionChanges.EndAll(scope, account.Id);
                return Record(scope, AuditEvent.OperatorResetPassword, account);
            },
            cancelled);
        return OperatorAnswer.Of($"{username} has a new password; its sessions have ended, its API keys have not.");
    }

    private async Task<OperatorAnswer> SetDisabledAsync(OperatorOrder order, bool disabled, CancellationToken cancelled)
    {
        string username = Username.Parse("username", order.Username);
        await ChangeAsync(
            scope =>
            {
                AccountRow account = Find(scope.Db, username);
                account.DisableTimeMicros = disabled ? account.DisableTimeMicros ?? scope.NowMicros : null;
                if (disabled)
                {
                    SessionChanges.EndAll(scope, account.Id);
                    ApiKeys.EndAll(scope, account.Id);
                }

                return Record(
                    scope,
                    disabled ? AuditEvent.OperatorDisabledAccount : AuditEvent.OperatorEnabledAccount, account);
            },
            cancelled);
        return OperatorAnswer.Of(disabled
            ? $"{username} is disabled: its sessions and API keys have ended, and it cannot log in."
            : $"{username} can log in again.");
    }

    private async Task<OperatorAnswer> ListAsync(string after, CancellationToken cancelled)
    {
        AccountRow[] rows = await store.ReadAsync(
            db => db.Accounts.Where(row => string.Compare(row.Username, after) > 0 && row.DeleteTimeMicros == null)
                .OrderBy(row => row.Username).Take(PageRows).ToArray(),
            cancelled);
        return new OperatorAnswer(
            [.. rows.Select(Line)], Next: rows.Length == PageRows ? rows[^1].Username : null, Refusal: null);
    }

    private static string Line(AccountRow row) => string.Create(
        CultureInfo.InvariantCulture,
        $"{row.Username}\t{row.Id}\t{Micros.ToTimestamp(row.CreateTimeMicros).ToDateTime():yyyy-MM-ddTHH:mm:ssZ}\t")
        + (row.DisableTimeMicros is null ? "active" : "disabled");

    /// <summary>Gives the account's id.</summary>
    private static string Record(ChangeScope scope, AuditEvent what, AccountRow account)
    {
        scope.Record(new AuditEntry(what) { AccountId = account.Id, Username = account.Username });
        return account.Id;
    }

    private static AccountRow Find(SquallDb db, string username) =>
        db.Accounts.SingleOrDefault(row => row.Username == username && row.DeleteTimeMicros == null)
        ?? throw Fault.NotFound("account", username);

    private Task<string> HashAsync(string password, string username, CancellationToken cancelled)
    {
        passwords.Check("password", password, username);
        return passwords.HashAsync(password, cancelled);
    }

    /// <summary>It ends access, or is the operator's own: it goes first.</summary>
    private Task<string> ChangeAsync(Func<ChangeScope, string> change, CancellationToken cancelled) =>
        journal.RunAsync(change, accountId: null, bytes: 0, cancelled);
}
