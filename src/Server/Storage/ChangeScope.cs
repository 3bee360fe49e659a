using Google.Protobuf;
using Squall.V1;

namespace Squall.Server;

/// <summary>
/// What one change works with: the transaction's context, its time, and what it tells. It reads what it needs,
/// refuses by throwing a <see cref="Fault"/> (nothing of it stays), or writes and tells. It does nothing but
/// database work and waits for nothing; it may be run again if the transaction is lost.
/// </summary>
internal sealed class ChangeScope(SquallDb db, long epoch)
{
    private readonly List<ChangeRow> _told = [];
    private readonly List<Action<SquallDb>> _deferred = [];
    private readonly List<AuditEntry> _recorded = [];
    private long _seq;

    public SquallDb Db => db;

    /// <summary>Later than the time of every change before it.</summary>
    public long NowMicros { get; private set; }

    /// <summary>The seq of the change that is told next.</summary>
    public long NextSeq => _seq + 1;

    public IReadOnlyList<ChangeRow> Told => _told;

    public IReadOnlyList<Action<SquallDb>> Deferred => _deferred;

    public IReadOnlyList<AuditEntry> Recorded => _recorded;

    internal void Begin(long seq, long nowMicros)
    {
        _seq = seq;
        NowMicros = nowMicros;
        _told.Clear();
        _deferred.Clear();
        _recorded.Clear();
    }

    /// <summary>
    /// Writes the change row of <paramref name="notification"/>, whose cursor, time, actor and list it fills in.
    /// </summary>
    public ChangeRow Tell(
        string actorId, string listId, Notification notification,
        string taskId = "", string accountId = "", TaskUpdated? before = null)
    {
        ChangeRow row = Next((int)notification.EventCase, actorId, accountId);
        notification.Cursor = new Cursor(epoch, row.Seq, (uint)row.Mark).ToString();
        notification.Time = Micros.ToTimestamp(NowMicros);
        notification.ActorId = actorId;
        notification.TaskListId = listId;
        row.ListId = listId;
        row.TaskId = taskId;
        row.Notification = notification.ToByteArray();
        row.Before = before?.ToByteArray();
        return Add(row);
    }

    /// <summary>
    /// Has <paramref name="write"/> done in the same transaction, once all changes of the commit have run; not at all
    /// if this one is undone. The words of tasks are written so: a full-text index that is written within savepoints
    /// makes a segment of each, to be merged again. Until then no change finds what it writes.
    /// </summary>
    public void Defer(Action<SquallDb> write) => _deferred.Add(write);

    /// <summary>Writes the row of a change that is told to nobody.</summary>
    public ChangeRow Note(ChangeKind kind, string accountId, string subjectId)
    {
        ChangeRow row = Next((int)kind, accountId, accountId);
        row.TaskId = subjectId;
        return Add(row);
    }

    /// <summary>Has the audit trail tell of this change: with it, or not at all.</summary>
    public void Record(AuditEntry entry)
    {
        Record(entry, NowMicros, 1);
        _recorded.Add(entry);
    }

    /// <summary>Writes what was told already, as it happened: it goes with no change.</summary>
    public void Record(AuditEntry entry, long timeMicros, long count) => db.Execute(
        """
        INSERT INTO audit ("TimeMicros", "Event", "IsRefusal", "AccountId", "ProofId", "SubjectId", "Address",
            "ListId", "Role", "Cause", "Rpc", "Count")
        VALUES (@time, @event, @refusal, @account, @proof, @subject, @address, @list, @role, @cause, @rpc, @count)
        """,
        ("@time", timeMicros), ("@event", (int)entry.Event), ("@refusal", entry.Event.IsRefusal()),
        ("@account", entry.AccountId), ("@proof", entry.ProofId), ("@subject", entry.SubjectId),
        ("@address", entry.Address), ("@list", entry.ListId), ("@role", (int)entry.Role), ("@cause", entry.Cause),
        ("@rpc", entry.Rpc), ("@count", count));

    private ChangeRow Next(int kind, string actorId, string accountId) => new()
    {
        Seq = ++_seq,
        Mark = RandomBytes.NextInt32(),
        Kind = kind,
        ActorId = actorId,
        AccountId = accountId,
        TimeMicros = NowMicros,
    };

    private ChangeRow Add(ChangeRow row)
    {
        db.Execute(
            """
            INSERT INTO changes ("Seq", "Mark", "Kind", "ListId", "TaskId", "AccountId", "ActorId", "TimeMicros",
                "Notification", "Before")
            VALUES (@seq, @mark, @kind, @list, @task, @account, @actor, @time, @notification, @before)
            """,
            ("@seq", row.Seq), ("@mark", row.Mark), ("@kind", row.Kind), ("@list", row.ListId), ("@task", row.TaskId),
            ("@account", row.AccountId), ("@actor", row.ActorId), ("@time", row.TimeMicros),
            ("@notification", row.Notification), ("@before", row.Before));
        _told.Add(row);
        return row;
    }
}
