using System.Collections;
using System.Globalization;

namespace Squall.Server;

/// <summary>
/// The audit trail's lines in the log: the event's number and name as the event's id, and the entry's fields, each a
/// value of its own. (A generated log method has one id each; these would be thirty that differ in nothing else.)
/// </summary>
internal sealed class AuditLog(ILogger<AuditLog> log)
{
    public void Tell(IReadOnlyList<AuditEntry> entries)
    {
        foreach (AuditEntry entry in entries)
        {
            Tell(entry, 1);
        }
    }

    /// <param name="count">How often it happened, beyond what was told.</param>
    public void Tell(AuditEntry entry, long count)
    {
        LogLevel level = entry.Event.IsRefusal() ? LogLevel.Warning : LogLevel.Information;
        if (log.IsEnabled(level))
        {
            log.Log(
                level, new EventId((int)entry.Event, entry.Event.Name()), new Fields(entry, count), exception: null,
                static (fields, _) => fields.ToString());
        }
    }

    /// <summary>What an entry has, by name; <c>login_failed: Address=192.0.2.7 Cause=unknown_name</c>.</summary>
    private sealed class Fields(AuditEntry entry, long count) : IReadOnlyList<KeyValuePair<string, object?>>
    {
        private readonly KeyValuePair<string, object?>[] _fields =
        [
            .. new KeyValuePair<string, object?>[]
            {
                new("Username", entry.Username),
                new("AccountId", entry.AccountId),
                new("ProofId", entry.ProofId),
                new("SubjectId", entry.SubjectId),
                new("Address", entry.Address),
                new("TaskListId", entry.ListId),
                new("Role", entry.Role == 0 ? null : entry.Role.ToString().ToLowerInvariant()),
                new("Cause", entry.Cause),
                new("Rpc", entry.Rpc),
                new("Count", count == 1 ? null : count),
            }.Where(field => field.Value is not null),
        ];

        public int Count => _fields.Length + 1;

        public KeyValuePair<string, object?> this[int index] =>
            index == 0 ? new("Event", entry.Event.Name()) : _fields[index - 1];

        public IEnumerator<KeyValuePair<string, object?>> GetEnumerator() =>
            Enumerable.Range(0, Count).Select(at => this[at]).GetEnumerator();

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

        public override string ToString() => entry.Event.Name() + (_fields.Length == 0 ? "" : ": ") + string.Join(
            ' ', _fields.Select(field => string.Create(CultureInfo.InvariantCulture, $"{field.Key}={field.Value}")));
    }
}
