using System.Collections.Concurrent;
using System.Collections.Immutable;
using Squall.V1;

namespace Squall.Server;

/// <summary>
/// Who is a member of which list, in memory, for what is asked once a subscriber and change. The journal's writer alone
/// changes it, before it answers anyone; whoever reads takes no lock. A change asks the database instead: memory is
/// behind by the batch that runs.
/// </summary>
internal sealed class Memberships(Store store)
{
    private sealed record Membership(long SinceSeq, long? EndSeq);

    private static readonly ImmutableDictionary<string, Membership> NoLists =
        ImmutableDictionary.Create<string, Membership>(StringComparer.Ordinal);

    private readonly ConcurrentDictionary<string, ImmutableDictionary<string, Membership>> _ofAccount = new();
    private readonly ConcurrentDictionary<string, ImmutableHashSet<string>> _accountsOfList = new();

    /// <summary>Reads all of them, at start: after the journal's, and before it takes its first change.</summary>
    public async Task LoadAsync(CancellationToken cancelled)
    {
        MemberRow[] rows = await store.ReadAsync(db => db.Members.ToArray(), cancelled);
        foreach (IGrouping<string, MemberRow> account in rows.GroupBy(row => row.AccountId))
        {
            _ofAccount[account.Key] = account.ToImmutableDictionary(
                row => row.ListId, row => new Membership(row.SinceSeq, row.EndSeq), StringComparer.Ordinal);
        }

        foreach (IGrouping<string, MemberRow> list in rows.Where(row => row.EndSeq is null).GroupBy(row => row.ListId))
        {
            _accountsOfList[list.Key] = [.. list.Select(row => row.AccountId)];
        }
    }

    /// <summary>Takes what was committed: the first handler of <see cref="Journal.Committed"/>.</summary>
    public void Apply(IReadOnlyList<ChangeRow> committed)
    {
        foreach (ChangeRow change in committed)
        {
            switch ((Notification.EventOneofCase)change.Kind)
            {
                case Notification.EventOneofCase.TaskListCreated:
                    Begin(change.ActorId, change);
                    break;
                case Notification.EventOneofCase.MemberSet:
                    Begin(change.AccountId, change);
                    break;
                case Notification.EventOneofCase.MemberRemoved:
                    End(change.AccountId, change);
                    break;
                case Notification.EventOneofCase.TaskListDeleted:
                    change.Audience = _accountsOfList.GetValueOrDefault(change.ListId, []);
                    foreach (string accountId in change.Audience)
                    {
                        End(accountId, change);
                    }

                    break;
            }
        }
    }

    /// <summary>
    /// Whether the account may be told of <paramref name="change"/> now: it is a member of its list since that change
    /// or before; or the change ended its membership.
    /// </summary>
    public bool MayBeTold(string accountId, ChangeRow change)
    {
        if (change.ListId.Length == 0)
        {
            return false;
        }

        if (_ofAccount.TryGetValue(accountId, out var lists)
            && lists.TryGetValue(change.ListId, out Membership? membership)
            && (membership.EndSeq is { } end ? change.Seq == end : membership.SinceSeq <= change.Seq))
        {
            return true;
        }

        return change.Kind == (int)Notification.EventOneofCase.MemberRemoved && change.AccountId == accountId;
    }

    /// <summary>The accounts that may have to be told of a change that was committed, and perhaps others.</summary>
    public IReadOnlySet<string> AudienceOf(ChangeRow change) =>
        change.Audience ?? _accountsOfList.GetValueOrDefault(change.ListId, []);

    public bool IsMember(string accountId, string listId) =>
        _ofAccount.TryGetValue(accountId, out var lists)
        && lists.TryGetValue(listId, out Membership? membership) && membership.EndSeq is null;

    /// <summary>The lists that the account is a member of now.</summary>
    public IReadOnlyList<string> ListsOf(string accountId) =>
        _ofAccount.TryGetValue(accountId, out var lists)
            ? [.. lists.Where(list => list.Value.EndSeq is null).Select(list => list.Key)]
            : [];

    private void Begin(string accountId, ChangeRow change)
    {
        var lists = _ofAccount.GetValueOrDefault(accountId, NoLists);
        if (lists.TryGetValue(change.ListId, out Membership? membership) && membership.EndSeq is null)
        {
            return;
        }

        _ofAccount[accountId] = lists.SetItem(change.ListId, new Membership(change.Seq, null));
        _accountsOfList[change.ListId] = _accountsOfList.GetValueOrDefault(change.ListId, []).Add(accountId);
    }

    private void End(string accountId, ChangeRow change)
    {
        var lists = _ofAccount.GetValueOrDefault(accountId, NoLists);
        if (!lists.TryGetValue(change.ListId, out Membership? membership))
        {
            return;
        }

        _ofAccount[accountId] = lists.SetItem(change.ListId, membership with { EndSeq = change.Seq });
        ImmutableHashSet<string> left = _accountsOfList.GetValueOrDefault(change.ListId, []).Remove(accountId);
        if (left.IsEmpty)
        {
            _accountsOfList.TryRemove(change.ListId, out _);
        }
        else
        {
            _accountsOfList[change.ListId] = left;
        }
    }
}
