using Squall.V1;

namespace Squall.Client;

/// <summary>The tasks as the events of a subscription leave them, one after the other.</summary>
internal sealed class TaskReplay(LiveOrder order, string accountId)
{
    private readonly HashSet<string> unread = [];
    private readonly List<TaskChange> changes = [];

    public TaskTable Table { get; private set; } = new(order);

    /// <summary>
    /// The lists that were gained and whose tasks are not known yet: what is told of them is left to who reads them.
    /// </summary>
    public IReadOnlyCollection<string> Unread => unread;

    /// <summary>Forgets all: a snapshot follows.</summary>
    public void Clear()
    {
        Table = new TaskTable(order);
        unread.Clear();
    }

    /// <summary>Gives what changes.</summary>
    public IReadOnlyList<TaskChange> Apply(SubscriptionEvent told)
    {
        changes.Clear();
        switch (told)
        {
            case SubscriptionEvent.SnapshotTask { Task: var task }:
                Put(task);
                break;
            case SubscriptionEvent.Changed { Notification: var change, Cursor: var cursor }:
                Apply(change, isSnapshot: cursor is null);
                break;
            case SubscriptionEvent.Left { Notification: var change }:
                Leave(change);
                break;
        }

        return changes.Count == 0 ? [] : [.. changes];
    }

    /// <summary>Takes the tasks of an unread list, as they are now or were since it was gained.</summary>
    public void Read(string listId, IEnumerable<TaskItem> tasks)
    {
        foreach (var task in tasks)
        {
            Put(task);
        }

        unread.Remove(listId);
    }

    private void Apply(Notification change, bool isSnapshot)
    {
        switch (change.EventCase)
        {
            case Notification.EventOneofCase.TaskListDeleted:
            case Notification.EventOneofCase.MemberRemoved when change.MemberRemoved.AccountId == accountId:
                unread.Remove(change.TaskListId);
                foreach (var task in TasksOf(change.TaskListId).ToList())
                {
                    Drop(task);
                }

                break;
            // Within a snapshot the server reads the lists that are gained. Of a list that some tasks are known of, all
            // are: it was another role that was given.
            case Notification.EventOneofCase.MemberSet
                when change.MemberSet.Member.AccountId == accountId && !isSnapshot && !TasksOf(change.TaskListId).Any():
                unread.Add(change.TaskListId);
                break;
            default:
                if (TaskOf(change) is { } known && !unread.Contains(change.TaskListId))
                {
                    Put(known);
                }

                break;
        }
    }

    /// <summary>Whoever read ahead of the stream holds it newer than it left, or in another list.</summary>
    private void Leave(Notification change)
    {
        var task = TaskOf(change);
        if (Table.Find(task?.Id ?? change.TaskDeleted?.TaskId ?? "") is { } held
            && (task is null ? held.TaskListId == change.TaskListId : held.Version <= task.Version))
        {
            Drop(held);
        }
    }

    /// <summary>The higher version counts; of the same one, which a reminder leaves as it is, the later.</summary>
    private void Put(TaskItem task)
    {
        var held = Table.Find(task.Id);
        if (held is null || (held.Version <= task.Version && !held.Equals(task)))
        {
            Table = Table.With(task);
            changes.Add(new TaskChange(held, task));
        }
    }

    private void Drop(TaskItem held)
    {
        Table = Table.Without(held);
        changes.Add(new TaskChange(held, null));
    }

    private IEnumerable<TaskItem> TasksOf(string listId) => Table.Ordered.Where(task => task.TaskListId == listId);

    private static TaskItem? TaskOf(Notification change) => change.EventCase switch
    {
        Notification.EventOneofCase.TaskCreated => change.TaskCreated.Task,
        Notification.EventOneofCase.TaskUpdated => change.TaskUpdated.Task,
        Notification.EventOneofCase.TaskCompleted => change.TaskCompleted.Task,
        Notification.EventOneofCase.TaskReopened => change.TaskReopened.Task,
        Notification.EventOneofCase.TaskCancelled => change.TaskCancelled.Task,
        Notification.EventOneofCase.TaskReminder => change.TaskReminder.Task,
        Notification.EventOneofCase.WorkLeased => change.WorkLeased.Task,
        Notification.EventOneofCase.WorkReleased => change.WorkReleased.Task,
        Notification.EventOneofCase.WorkFailed => change.WorkFailed.Task,
        _ => null,
    };
}
