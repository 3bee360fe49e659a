using Squall.V1;

namespace Squall.Server;

/// <summary>
/// One durable fact, with its place in the order. Written in the transaction of what it tells of, and never changed.
/// </summary>
internal sealed class ChangeRow
{
    /// <summary>What a row takes beside its encoded forms: its ids, its numbers, its place in the file.</summary>
    public const int OverheadBytes = 200;

    public long Seq { get; set; }

    /// <summary>Random; tells this row from another that had its place in a journal since restored.</summary>
    public long Mark { get; set; }

    /// <summary>A <see cref="Notification.EventOneofCase"/>, or one of <see cref="ChangeKind"/>.</summary>
    public int Kind { get; set; }

    /// <summary>Empty: of no list, told to nobody.</summary>
    public string ListId { get; set; } = "";
    public string TaskId { get; set; } = "";

    /// <summary>Whom it is about: the member that was set or removed, whose session ended.</summary>
    public string AccountId { get; set; } = "";
    public string ActorId { get; set; } = "";
    public long TimeMicros { get; set; }

    /// <summary>The encoded <see cref="V1.Notification"/>; empty for what is told to nobody.</summary>
    public byte[] Notification { get; set; } = [];

    /// <summary>
    /// An encoded <see cref="TaskUpdated"/>: what a filter can ask of the task as it was before, where that differs
    /// from the notification's task; the whole of it (an empty mask) where the notification has no task. Null:
    /// nothing differs, or there was no task before.
    /// </summary>
    public byte[]? Before { get; set; }

    /// <summary>
    /// In memory alone: the accounts that saw the list which this deleted. Null: those that see its list now.
    /// </summary>
    public IReadOnlySet<string>? Audience { get; set; }

    /// <summary>What it counts in the journal's bytes.</summary>
    public long Bytes => OverheadBytes + Notification.Length + (Before?.Length ?? 0);
}

/// <summary>Changes that are told to nobody; their numbers lie beyond those of notifications.</summary>
internal enum ChangeKind
{
    /// <summary>
    /// The session in <see cref="ChangeRow.TaskId"/>'s place, <see cref="ChangeRow.AccountId"/>'s, ended.
    /// </summary>
    SessionEnded = 1_000,

    /// <summary>Tokens of that session are void, and the session goes on.</summary>
    TokensVoided = 1_001,

    /// <summary><see cref="ChangeRow.AccountId"/> is deleted; its lists and memberships are still to end.</summary>
    AccountDeleted = 1_002,

    /// <summary>
    /// The API key in <see cref="ChangeRow.TaskId"/>'s place, <see cref="ChangeRow.AccountId"/>'s, ended.
    /// </summary>
    KeyEnded = 1_003,
}

/// <summary>What an account's retried request is answered from.</summary>
internal sealed class RequestRow
{
    public long Num { get; set; }
    public required string AccountId { get; set; }
    public required string Rpc { get; set; }
    public required string RequestId { get; set; }

    /// <summary>SHA-256 of the request.</summary>
    public required byte[] RequestHash { get; set; }

    /// <summary>The encoded answer. It holds no secret.</summary>
    public required byte[] Answer { get; set; }
    public long TimeMicros { get; set; }
}

/// <summary>The one row that says which journal this is and where it begins.</summary>
internal sealed class JournalRow
{
    public int Id { get; set; }

    /// <summary>Random; another one makes every cursor of before expire.</summary>
    public long Epoch { get; set; }

    /// <summary>The newest change that was trimmed, its mark and its time; 0 if none was.</summary>
    public long FloorSeq { get; set; }
    public long FloorMark { get; set; }
    public long FloorTimeMicros { get; set; }

    /// <summary>What the changes that are kept count: kept here, and never summed.</summary>
    public long Bytes { get; set; }
}
