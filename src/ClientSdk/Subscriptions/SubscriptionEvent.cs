using Squall.V1;

namespace Squall.Client;

/// <summary>Something that a subscription tells, in the order in which it happened.</summary>
public abstract record SubscriptionEvent
{
    private SubscriptionEvent()
    {
    }

    /// <summary>
    /// Where to resume once this event is dealt with; null where it cannot be resumed, as within a snapshot. Opaque.
    /// </summary>
    public string? Cursor { get; init; }

    /// <summary>A task of the snapshot.</summary>
    public sealed record SnapshotTask(TaskItem Task) : SubscriptionEvent;

    /// <summary>The snapshot, or what was missed, is complete: live from here. Told once.</summary>
    public sealed record Synced : SubscriptionEvent;

    /// <summary>A change; of a task, it matches the filter after it.</summary>
    public sealed record Changed(Notification Notification) : SubscriptionEvent;

    /// <summary>A change after which the task does not match the filter any more, or is gone: drop it.</summary>
    public sealed record Left(Notification Notification) : SubscriptionEvent;

    /// <summary>
    /// The stream broke within the snapshot, which begins anew: forget the tasks that were told so far. Always told.
    /// </summary>
    public sealed record SnapshotRestarted : SubscriptionEvent;

    /// <summary>
    /// What happened after LostCursor is not known in full: forget all; a snapshot follows. Only with OnGap.Resnapshot,
    /// and then always.
    /// </summary>
    public sealed record Gap(string LostCursor) : SubscriptionEvent
    {
        /// <summary>
        /// When the last change that was told happened, by the server's clock; null: none was told. What happened
        /// between then and the snapshot is told by the snapshot's tasks alone.
        /// </summary>
        public DateTimeOffset? LastTold { get; init; }
    }

    /// <summary>A control event: nothing happened up to this cursor.</summary>
    public sealed record Heartbeat : SubscriptionEvent;

    /// <summary>A control event: the stream was lost, and is opened again after a delay.</summary>
    public sealed record Reconnecting(int Attempt, TimeSpan Delay, Exception Cause) : SubscriptionEvent;

    /// <summary>A control event: after a break, all that was missed has been told; live again.</summary>
    public sealed record Resumed : SubscriptionEvent;
}
