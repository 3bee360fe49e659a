using Google.Protobuf.WellKnownTypes;
using Squall.V1;

namespace Squall.Client.Testing;

/// <summary>Lists in memory. Every change of one, and of its members, is told to subscriptions.</summary>
internal sealed class FakeTaskLists(FakeSquallClient client) : ITaskLists
{
    private readonly List<TaskList> all = [];
    private readonly Dictionary<string, List<Member>> members = [];
    private int made;

    public Task<TaskList> CreateAsync(string title, CallSettings? settings, CancellationToken cancellationToken) =>
        client.ChangeAsync(nameof(CreateAsync), settings, () => Create(title), cancellationToken);

    public Task<TaskList> GetAsync(string listId, CallSettings? settings, CancellationToken cancellationToken) =>
        client.AnswerAsync(() => Find(listId).Clone(), cancellationToken);

    public PagedItems<TaskList> List(int pageSize, CallSettings? settings) =>
        client.Pages<TaskList>(() => [.. all.Select(list => list.Clone())], pageSize);

    public Task<TaskList> RenameAsync(
        string listId, string title, long expectedVersion, CallSettings? settings,
        CancellationToken cancellationToken) =>
        client.ChangeAsync(
            nameof(RenameAsync), settings,
            () =>
            {
                RequireTitle(title);
                var list = Find(listId, expectedVersion);
                list.Title = title;
                list.Version++;
                list.UpdateTime = client.Time.GetUtcNow().ToTimestamp();
                Tell(listId, new Notification { TaskListUpdated = new TaskListUpdated { TaskList = AsTold(list) } });
                return list.Clone();
            },
            cancellationToken);

    public Task DeleteAsync(
        string listId, long expectedVersion, CallSettings? settings, CancellationToken cancellationToken) =>
        client.ChangeAsync(
            nameof(DeleteAsync), settings,
            () =>
            {
                all.Remove(Find(listId, expectedVersion));
                client.FakeTasks.Forget(listId);
                Tell(listId, new Notification { TaskListDeleted = new TaskListDeleted { TaskListId = listId } });
                return true;
            },
            cancellationToken);

    public Task<IReadOnlyList<Member>> ListMembersAsync(
        string listId, CallSettings? settings, CancellationToken cancellationToken) =>
        client.AnswerAsync<IReadOnlyList<Member>>(
            () =>
            [
                .. members[Find(listId).Id].Select(member => member.Clone())
                    .OrderBy(member => member.Username, StringComparer.Ordinal),
            ],
            cancellationToken);

    public Task<Member> SetMemberAsync(
        string listId, string username, Role role, CallSettings? settings, CancellationToken cancellationToken) =>
        client.ChangeAsync(
            nameof(SetMemberAsync), settings,
            () =>
            {
                var list = Find(listId);
                var member = new Member { AccountId = $"account-{username}", Username = username, Role = role };
                var here = members[listId];
                here.RemoveAll(other => other.Username == username);
                here.Add(member);
                Tell(listId, new Notification
                {
                    MemberSet = new MemberSet { Member = member.Clone(), TaskList = AsTold(list) },
                });
                return member.Clone();
            },
            cancellationToken);

    public Task RemoveMemberAsync(
        string listId, string accountId, CallSettings? settings, CancellationToken cancellationToken) =>
        client.ChangeAsync(
            nameof(RemoveMemberAsync), settings,
            () =>
            {
                if (members[Find(listId).Id].RemoveAll(member => member.AccountId == accountId) == 0)
                {
                    throw FakeFailure.NotFound("member", accountId);
                }

                Tell(listId, new Notification { MemberRemoved = new MemberRemoved { AccountId = accountId } });
                return true;
            },
            cancellationToken);

    /// <summary>A list of the caller's; NOT_FOUND, and ABORTED if its version is not the expected one.</summary>
    public TaskList Find(string listId, long expectedVersion = 0)
    {
        _ = client.Caller;
        var list = all.Find(list => list.Id == listId) ?? throw FakeFailure.NotFound("task list", listId);
        return expectedVersion == 0 || expectedVersion == list.Version
            ? list : throw FakeFailure.Version(list.Version);
    }

    private TaskList Create(string title)
    {
        RequireTitle(title);
        var now = client.Time.GetUtcNow().ToTimestamp();
        var list = new TaskList
        {
            Id = $"list-{++made}",
            Title = title,
            CreateTime = now,
            UpdateTime = now,
            Version = 1,
            Role = Role.Owner,
        };
        all.Add(list);
        members[list.Id] =
        [
            new Member { AccountId = client.Caller.Id, Username = client.Caller.Username, Role = Role.Owner },
        ];
        Tell(list.Id, new Notification { TaskListCreated = new TaskListCreated { TaskList = AsTold(list) } });
        return list.Clone();
    }

    private void Tell(string listId, Notification notification)
    {
        notification.TaskListId = listId;
        notification.ActorId = client.Caller.Id;
        notification.Time = client.Time.GetUtcNow().ToTimestamp();
        client.Journal.Tell(notification);
    }

    /// <summary>Without the caller's role: a notification is the same for all who get it.</summary>
    private static TaskList AsTold(TaskList list) => new(list) { Role = Role.Unspecified };

    private static void RequireTitle(string title)
    {
        if (title.Length == 0)
        {
            throw FakeFailure.Field("task_list.title", "FIELD_REQUIRED", "must be given");
        }
    }
}
