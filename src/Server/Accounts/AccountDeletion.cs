using Microsoft.EntityFrameworkCore;
using Squall.V1;

namespace Squall.Server;

/// <summary>Deletes accounts.</summary>
internal static class AccountDeletion
{
    /// <summary>
    /// Marks an account: it can log in no more, its sessions and keys end, and others no longer see it. Its lists and
    /// memberships, which may be many, end afterwards, as the journal tells. What it wrote in lists of others stays,
    /// under its id.
    /// </summary>
    /// <exception cref="Grpc.Core.RpcException">FAILED_PRECONDITION: it is the only owner of a list that has other
    /// members.</exception>
    public static void Mark(ChangeScope scope, AccountRow account)
    {
        RequireNoLastOwner(scope.Db, account.Id);
        account.DeleteTimeMicros = scope.NowMicros;
        account.DisplayName = "";
        account.PasswordHash = null;
        scope.Db.Places.Where(place => place.AccountId == account.Id).ExecuteDelete();
        scope.Db.Identities.Where(identity => identity.AccountId == account.Id).ExecuteDelete();
        SessionChanges.EndAll(scope, account.Id);
        ApiKeys.EndAll(scope, account.Id);
        scope.Note(ChangeKind.AccountDeleted, account.Id, "");
    }

    private static void RequireNoLastOwner(SquallDb db, string accountId)
    {
        const int Owner = (int)Role.Owner;
        IQueryable<MemberRow> others = db.LiveMembers.Where(row => row.AccountId != accountId);
        string? list = db.Members
            .Where(own => own.AccountId == accountId && own.EndSeq == null && own.Role == Owner
                && others.Any(other => other.ListId == own.ListId)
                && !others.Any(other => other.ListId == own.ListId && other.Role == Owner))
            .Select(own => own.ListId).FirstOrDefault();
        if (list is not null)
        {
            throw Fault.Precondition(
                "LAST_OWNER",
                $"The account is the only owner of the task list {list}, which has other members. Make one of them an "
                + "owner, or delete the list.");
        }
    }
}
