namespace Squall.Server;

/// <summary>Who shares a list. An ended one stays as long as the journal may tell of its end.</summary>
internal sealed class MemberRow
{
    public required string ListId { get; set; }
    public required string AccountId { get; set; }
    public int Role { get; set; }

    /// <summary>The change that made it a member: what came before is not told to it.</summary>
    public long SinceSeq { get; set; }

    /// <summary>The change that ended it, the last that it is told; null while it is a member.</summary>
    public long? EndSeq { get; set; }

    /// <summary>It was removed, and there may be tasks of the list that are still assigned to it.</summary>
    public bool HasTasksToUnassign { get; set; }
}
