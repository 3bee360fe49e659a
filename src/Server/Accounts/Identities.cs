using System.Globalization;
using System.Security.Cryptography;

namespace Squall.Server;

/// <summary>
/// Which accounts providers' identities lead to. They are bound by issuer and subject alone: an e-mail or a name is
/// what a provider's users may choose, and would let them into accounts of others.
/// </summary>
internal static class Identities
{
    private const int NumbersMax = 9;
    private const int RandomMax = 1_000_000;
    private const int RandomTries = 10;

    /// <summary>Null: it never logged in, or its account was deleted.</summary>
    public static AccountRow? Find(SquallDb db, Identity identity) =>
        (from row in db.Identities
         where row.Issuer == identity.Issuer && row.Subject == identity.Subject
         join account in db.Accounts on row.AccountId equals account.Id
         select account).SingleOrDefault();

    /// <summary>Makes an account for an identity's first login.</summary>
    /// <param name="username">As it was asked for; empty: one is made of the identity's name.</param>
    /// <exception cref="Grpc.Core.RpcException">ALREADY_EXISTS: the one that was asked for is taken.</exception>
    public static AccountRow Add(ChangeScope scope, Identity identity, string username)
    {
        var account = new AccountRow
        {
            Id = Ids.New(scope.NowMicros),
            Username = username.Length == 0 ? FreeName(scope.Db, Username.From(identity.Name))
                : IsFree(scope.Db, username) ? username
                : throw Fault.Taken("username", username),
            CreateTimeMicros = scope.NowMicros,
        };
        scope.Db.Accounts.Add(account);
        scope.Db.Identities.Add(
            new IdentityRow { Issuer = identity.Issuer, Subject = identity.Subject, AccountId = account.Id });
        return account;
    }

    private static string FreeName(SquallDb db, string name)
    {
        IEnumerable<int> numbers = Enumerable.Range(2, NumbersMax - 1)
            .Concat(Enumerable.Range(0, RandomTries).Select(_ => RandomNumberGenerator.GetInt32(RandomMax)));
        return numbers.Select(number => Username.Numbered(name, number.ToString(CultureInfo.InvariantCulture)))
            .Prepend(name).FirstOrDefault(candidate => IsFree(db, candidate)) ?? throw Fault.Taken("username", name);
    }

    private static bool IsFree(SquallDb db, string username) =>
        !db.Accounts.Any(account => account.Username == username);
}

/// <summary>Whose account an identity of a provider's leads to.</summary>
internal sealed class IdentityRow
{
    public required string Issuer { get; set; }
    public required string Subject { get; set; }
    public required string AccountId { get; set; }
}
