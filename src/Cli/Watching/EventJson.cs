using Squall.Client;

namespace Squall.Cli;

/// <summary>
/// What watch prints for programs: an object for each event, with its name, the cursor after which to resume, null
/// within a snapshot, and what it is about, in the contract's own form.
/// </summary>
internal static class EventJson
{
    /// <summary>Null: there is nothing to tell.</summary>
    public static string? Of(SubscriptionEvent told, string? cursor) => NameOf(told) is not { } name
        ? null
        : JsonText.Object(json =>
        {
            json.WriteString("event", name);
            json.WriteString("cursor", cursor);
            switch (told)
            {
                case SubscriptionEvent.SnapshotTask snapshot:
                    json.WriteMessage("task", snapshot.Task);
                    break;
                case SubscriptionEvent.Changed changed:
                    json.WriteMessage("notification", changed.Notification);
                    break;
                case SubscriptionEvent.Left left:
                    json.WriteMessage("notification", left.Notification);
                    break;
            }
        });

    private static string? NameOf(SubscriptionEvent told) => told switch
    {
        SubscriptionEvent.SnapshotTask => "task",
        SubscriptionEvent.Synced => "synced",
        SubscriptionEvent.Changed => "changed",
        SubscriptionEvent.Left => "left",
        SubscriptionEvent.SnapshotRestarted => "restarted",
        SubscriptionEvent.Gap => "gap",
        SubscriptionEvent.Reconnecting => "reconnecting",
        SubscriptionEvent.Resumed => "resumed",
        _ => null,
    };
}
