using Microsoft.EntityFrameworkCore;
using Squall.V1;

namespace Squall.Server;

/// <summary>How memberships begin, change and end: each a part of a change.</summary>
internal static class MemberChanges
{
    private static readonly TimeSpan LeavingRetryAfter = TimeSpan.FromSeconds(1);

    public static Member ToProto(AccountRow account, Role role) => new()
    {
        AccountId = account.Id,
        Username = account.Username,
        DisplayName = account.DisplayName,
        Role = role,
    };

    /// <summary>Counts one more list of an account.</summary>
    /// <exception cref="Grpc.Core.RpcException">RESOURCE_EXHAUSTED: it has as many as it can have.</exception>
    public static AccountRow CountList(ChangeScope scope, string accountId, Limits limits)
    {
        AccountRow account = scope.Db.Accounts.Single(row => row.Id == accountId);
        if (account.ListCount >= limits.AccountListsMax)
        {
            throw Fault.LimitReached("LIST_LIMIT", $"An account has at most {limits.AccountListsMax} task lists.");
        }

        account.ListCount++;
        return account;
    }

    /// <summary>Makes an account a member, or gives it another role; the role that it has is no change.</summary>
    public static Member Set(
        ChangeScope scope, Caller caller, string listId, AccountRow account, Role role, Limits limits)
    {
        Member answer = ToProto(account, role);
        string accountId = account.Id;
        TaskListRow list = scope.Db.TaskLists.Single(row => row.Id == listId);
        MemberRow? member = scope.Db.Members.SingleOrDefault(row => row.ListId == listId && row.AccountId == accountId);
        if (member is { EndSeq: null })
        {
            if (member.Role == (int)role)
            {
                return answer;
            }

            RequireOtherOwner(scope.Db, member);
            member.Role = (int)role;
        }
        else
        {
            Begin(scope, list, member, accountId, role, limits);
        }

        var set = new Notification { MemberSet = new MemberSet { Member = answer, TaskList = list.ToProto() } };
        scope.Tell(caller.AccountId, listId, set, accountId: accountId);
        scope.Record(
            caller.Did(AuditEvent.MemberSet) with { SubjectId = accountId, ListId = listId, Role = role });
        return answer;
    }

    /// <summary>Ends a membership; the tasks that are assigned to the member are cleared afterwards.</summary>
    public static void Remove(ChangeScope scope, Caller caller, string listId, string accountId)
    {
        MemberRow member = scope.Db.LiveMembers.SingleOrDefault(row =>
            row.ListId == listId && row.AccountId == accountId)
            ?? throw Fault.NotFound("member", accountId);
        if (accountId != caller.AccountId)
        {
            (caller with { Needs = caller.Needs with { Role = Role.Owner } }).RequireMember(scope.Db, listId);
        }

        RequireOtherOwner(scope.Db, member);
        End(scope, member, caller.AccountId);
        scope.Record(caller.Did(AuditEvent.MemberRemoved) with { SubjectId = accountId, ListId = listId });
    }

    /// <summary>Ends a membership, whoever else is left.</summary>
    public static void End(ChangeScope scope, MemberRow member, string actorId)
    {
        member.EndSeq = scope.NextSeq;
        member.HasTasksToUnassign = true;
        scope.Db.TaskLists.Single(row => row.Id == member.ListId).MemberCount--;
        scope.Db.Accounts.Single(row => row.Id == member.AccountId).ListCount--;
        var removed = new Notification { MemberRemoved = new MemberRemoved { AccountId = member.AccountId } };
        scope.Tell(actorId, member.ListId, removed, accountId: member.AccountId);
    }

    /// <summary>Ends all memberships of a list with the change that is told next.</summary>
    public static void EndAll(ChangeScope scope, string listId)
    {
        long seq = scope.NextSeq;
        IQueryable<MemberRow> members = scope.Db.Members.Where(row => row.ListId == listId && row.EndSeq == null);
        scope.Db.Accounts
            .Where(account => members.Select(member => member.AccountId).Contains(account.Id))
            .ExecuteUpdate(set => set.SetProperty(account => account.ListCount, account => account.ListCount - 1));
        members.ExecuteUpdate(set => set.SetProperty(member => member.EndSeq, seq));
    }

    private static void Begin(
        ChangeScope scope, TaskListRow list, MemberRow? ended, string accountId, Role role, Limits limits)
    {
        if (list.MemberCount >= limits.ListMembersMax)
        {
            throw Fault.LimitReached("MEMBER_LIMIT", $"A task list has at most {limits.ListMembersMax} members.");
        }

        // What was assigned to it when it was removed is so no more, however soon it comes back.
        if (ended is { HasTasksToUnassign: true }
            && TaskClearing.Unassign(scope, list.Id, accountId) == TaskClearing.RowsMax)
        {
            throw Fault.Unavailable(
                "MEMBER_LEAVING", "The member is still being taken off its tasks.", LeavingRetryAfter);
        }

        CountList(scope, accountId, limits);
        list.MemberCount++;
        if (ended is null)
        {
            ended = new MemberRow { ListId = list.Id, AccountId = accountId };
            scope.Db.Members.Add(ended);
        }

        ended.Role = (int)role;
        ended.SinceSeq = scope.NextSeq;
        ended.EndSeq = null;
        ended.HasTasksToUnassign = false;
    }

    private static void RequireOtherOwner(SquallDb db, MemberRow member)
    {
        const int Owner = (int)Role.Owner;
        if (member.Role == Owner && !db.LiveMembers.Any(row =>
            row.ListId == member.ListId && row.Role == Owner && row.AccountId != member.AccountId))
        {
            throw Fault.Precondition("LAST_OWNER", "The last owner of a task list stays its owner.");
        }
    }
}
