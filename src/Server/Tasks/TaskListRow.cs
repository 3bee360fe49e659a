using Squall.V1;

namespace Squall.Server;

/// <summary>A list of tasks.</summary>
internal sealed class TaskListRow
{
    public required string Id { get; set; }
    public required string Title { get; set; }
    public long CreateTimeMicros { get; set; }
    public long UpdateTimeMicros { get; set; }
    public long Version { get; set; }

    /// <summary>Counts that limits need; of tasks, members that have not ended.</summary>
    public int TaskCount { get; set; }
    public int MemberCount { get; set; }

    /// <summary>
    /// When it was deleted; its rows are cleared away afterwards, but nobody sees it from the mark on.
    /// </summary>
    public long? DeleteTimeMicros { get; set; }

    /// <param name="role">The caller's; unspecified in a notification, which is the same for all who get it.</param>
    public TaskList ToProto(Role role = Role.Unspecified) => new()
    {
        Id = Id,
        Title = Title,
        CreateTime = Micros.ToTimestamp(CreateTimeMicros),
        UpdateTime = Micros.ToTimestamp(UpdateTimeMicros),
        Version = Version,
        Role = role,
    };
}
