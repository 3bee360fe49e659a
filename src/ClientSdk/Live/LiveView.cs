using System.Collections.Immutable;
using Squall.V1;

namespace Squall.Client;

/// <summary>
/// The tasks of a live view as they were at one place in the journal. It never changes; a later one shares what is the
/// same, so that keeping one costs little. Its tasks are shared too: clone one before you change it.
/// </summary>
public sealed class LiveView
{
    private readonly TaskTable table;

    internal LiveView(TaskTable table, string cursor, bool isLive) =>
        (this.table, Cursor, IsLive) = (table, cursor, isLive);

    /// <summary>The tasks, in order.</summary>
    public IReadOnlyList<TaskItem> Tasks => table.Ordered;

    /// <summary>The place, after which a subscription can go on; empty: nothing has been read yet.</summary>
    public string Cursor { get; }

    /// <summary>
    /// True: the tasks are all that match, as of the cursor, and what changes comes at once. False: the stream is lost
    /// or not yet there, or a list that was gained is still being read and shown later.
    /// </summary>
    public bool IsLive { get; }

    /// <summary>A task by its id; null if it is not among them.</summary>
    public TaskItem? Find(string taskId) => table.Find(taskId);

    internal TaskTable Table => table;
}

/// <summary>A step of a live view: from one place to a later one, or from being live to not being so.</summary>
/// <param name="View">The view after it.</param>
/// <param name="Changes">
/// What differs from the view before; several, where a list came or went, or after a snapshot. In no particular order.
/// </param>
public sealed record LiveTasksChange(LiveView View, IReadOnlyList<TaskChange> Changes);

/// <summary>A task that came (Before is null), went (After is null), or is another now.</summary>
public sealed record TaskChange(TaskItem? Before, TaskItem? After);

/// <summary>Tasks by id and in order. It never changes; what changes it gives another one.</summary>
internal sealed class TaskTable
{
    private readonly ImmutableDictionary<string, TaskItem> byId;
    private readonly ImmutableSortedSet<TaskItem> ordered;

    public TaskTable(IComparer<TaskItem> order)
        : this(ImmutableDictionary.Create<string, TaskItem>(StringComparer.Ordinal), ImmutableSortedSet.Create(order))
    {
    }

    private TaskTable(ImmutableDictionary<string, TaskItem> byId, ImmutableSortedSet<TaskItem> ordered) =>
        (this.byId, this.ordered) = (byId, ordered);

    public IReadOnlyList<TaskItem> Ordered => ordered;

    public TaskItem? Find(string id) => byId.GetValueOrDefault(id);

    public TaskTable With(TaskItem task)
    {
        var others = Find(task.Id) is { } before ? ordered.Remove(before) : ordered;
        return new TaskTable(byId.SetItem(task.Id, task), others.Add(task));
    }

    public TaskTable Without(TaskItem held) => new(byId.Remove(held.Id), ordered.Remove(held));

    /// <summary>
    /// What differs from an earlier table. Not by versions: a server that was restored gives them a second time.
    /// </summary>
    public IReadOnlyList<TaskChange> Since(TaskTable earlier) =>
    [
        .. earlier.byId.Values.Where(before => !byId.ContainsKey(before.Id)).Select(gone => new TaskChange(gone, null)),
        .. byId.Values.Select(after => new TaskChange(earlier.Find(after.Id), after))
            .Where(change => !Equals(change.Before, change.After)),
    ];
}
