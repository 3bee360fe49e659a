using Squall.V1;

namespace Squall.Server;

/// <summary>What a subscriber is told of a change.</summary>
internal enum Sight
{
    Nothing,
    Notification,

    /// <summary>That a task which it had is gone, or no longer what it asked for.</summary>
    Left,
}

/// <summary>
/// What one caller, whose key may name lists, sees through a filter. Access is as it is when this is asked, which is
/// when a change is delivered.
/// </summary>
internal sealed class View(Memberships memberships, string accountId, Filter filter, KeyReach? key = null)
{
    private readonly bool _all = ReferenceEquals(filter, Filter.All);

    public string AccountId => accountId;

    public Filter Filter => filter;

    public Sight Of(Change change) => MayBeTold(change) ? OfAllowed(change) : Sight.Nothing;

    /// <summary>The same, of a change that the account may be told of.</summary>
    public Sight OfAllowed(Change change)
    {
        if (key?.Names(change.Row.ListId) == false)
        {
            return Sight.Nothing;
        }

        return change.Event switch
        {
            Notification.EventOneofCase.TaskListCreated or Notification.EventOneofCase.TaskListUpdated
                or Notification.EventOneofCase.TaskListDeleted or Notification.EventOneofCase.MemberSet
                or Notification.EventOneofCase.MemberRemoved => Sight.Notification,
            Notification.EventOneofCase.CommentCreated => MatchedBefore(change) ? Sight.Notification : Sight.Nothing,
            Notification.EventOneofCase.TaskDeleted => MatchedBefore(change) ? Sight.Left : Sight.Nothing,
            _ => OfTask(change),
        };
    }

    /// <summary>Whether the account may be told of a change now.</summary>
    public bool MayBeTold(Change change) => memberships.MayBeTold(accountId, change.Row);

    /// <summary>Whether the caller sees the list now.</summary>
    public bool Sees(string listId) => key?.Names(listId) != false && memberships.IsMember(accountId, listId);

    /// <summary>The lists that can have tasks for this view.</summary>
    public IEnumerable<string> Lists() => memberships.ListsOf(accountId).Where(Reaches);

    /// <summary>Whether the filter, and the key if it is one, leave tasks of the list over.</summary>
    public bool Reaches(string listId) =>
        (filter.OnlyList is not { } only || listId == only) && key?.Names(listId) != false;

    private Sight OfTask(Change change)
    {
        if (_all || (change.SubjectAfter is { } after && filter.Matches(after)))
        {
            return Sight.Notification;
        }

        return MatchedBefore(change) ? Sight.Left : Sight.Nothing;
    }

    private bool MatchedBefore(Change change) => _all || (change.SubjectBefore is { } before && filter.Matches(before));
}
