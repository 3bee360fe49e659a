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
    public Task<AccountAnswer> RunAsync(AccountOrder order, CancellationToken cancelled) => order.Verb switch
    {
        "create" => CreateAsync(order, cancelled),
        "reset-password" => ResetAsync(order, cancelled),
        "disable" => SetDisabledAsync(order, disabled: true, cancelled),
        "enable" => SetDisabledAsync(order, disabled: false, cancelled),
        "list" => ListAsync(order.Username, cancelled),
        _ => throw new ArgumentException($"There is no command {order.Verb}.", nameof(order)),
    };

    private async Task<AccountAnswer> CreateAsync(AccountOrder order, CancellationToken cancelled)
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
                return account.Id;
            },
            cancelled);
        return AccountAnswer.Of($"Created {username}, {id}.");
    }

    /// <summary>Whoever knew the old one, or had a session by it, has nothing of it any more.</summary>
    private async Task<AccountAnswer> ResetAsync(AccountOrder order, CancellationToken cancelled)
    {
        string username = Username.Parse("username", order.Username);
        string hash = await HashAsync(order.Password, username, cancelled);
        await ChangeAsync(
            scope =>
            {
                AccountRow account = Find(scope.Db, username);
                account.PasswordHash = hash;
                SessionChanges.EndAll(scope, account.Id);
                return account.Id;
            },
            cancelled);
        return AccountAnswer.Of($"{username} has a new password; its sessions have ended, its API keys have not.");
    }

    private async Task<AccountAnswer> SetDisabledAsync(AccountOrder order, bool disabled, CancellationToken cancelled)
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

                return account.Id;
            },
            cancelled);
        return AccountAnswer.Of(disabled
            ? $"{username} is disabled: its sessions and API keys have ended, and it cannot log in."
            : $"{username} can log in again.");
    }

    private async Task<AccountAnswer> ListAsync(string after, CancellationToken cancelled)
    {
        AccountRow[] rows = await store.ReadAsync(
            db => db.Accounts.Where(row => string.Compare(row.Username, after) > 0 && row.DeleteTimeMicros == null)
                .OrderBy(row => row.Username).Take(PageRows).ToArray(),
            cancelled);
        return new AccountAnswer(
            [.. rows.Select(Line)], Next: rows.Length == PageRows ? rows[^1].Username : null, Refusal: null);
    }

    private static string Line(AccountRow row) => string.Create(
        CultureInfo.InvariantCulture,
        $"{row.Username}\t{row.Id}\t{Micros.ToTimestamp(row.CreateTimeMicros).ToDateTime():yyyy-MM-ddTHH:mm:ssZ}\t")
        + (row.DisableTimeMicros is null ? "active" : "disabled");

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

/// <summary>What an operator orders, as the running server is told it.</summary>
/// <param name="Username">Of <c>list</c>: the one after which it goes on.</param>
internal sealed record AccountOrder(string Verb, string Username, string Password);

/// <summary>What came of it.</summary>
/// <param name="Next">The list goes on after it; null: that is all.</param>
/// <param name="Refusal">Why it was not done; null: it was.</param>
internal sealed record AccountAnswer(string[] Lines, string? Next, string? Refusal)
{
    public static AccountAnswer Of(string line) => new([line], null, null);

    public static AccountAnswer Refused(string why) => new([], null, why);
}
