using Google.Protobuf;
using Squall.V1;

namespace Squall.Server;

/// <summary>
/// A change as subscriptions share it: its row, and what filters ask of it, parsed when the first one asks.
/// </summary>
internal sealed class Change(ChangeRow row)
{
    /// <summary>What a change takes beside its encoded forms.</summary>
    private const int OverheadBytes = 512;

    /// <summary>As it was stored, framed, and parsed: each takes about as much.</summary>
    private const int FormsMax = 3;

    private Notification? _notification;
    private SharedResponse? _shown;
    private SharedResponse? _left;
    private Past? _past;
    private WeakReference<FilterSubject>? _after;
    private WeakReference<FilterSubject>? _before;

    private sealed record Past(TaskItem? Task);

    public ChangeRow Row => row;

    public Notification.EventOneofCase Event => (Notification.EventOneofCase)row.Kind;

    public long Bytes => OverheadBytes + (FormsMax * (row.Notification.Length + (row.Before?.Length ?? 0L)));

    /// <summary>Shared by all who are told of it: not to be changed.</summary>
    public Notification Notification => _notification ??= Notification.Parser.ParseFrom(row.Notification);

    /// <summary>The task as the change left it; null: it tells of none, or of one that is gone.</summary>
    public TaskItem? TaskAfter => TaskOf(Notification);

    /// <summary>
    /// What filters can ask of the task as it was before (for a comment: as it is); null: there was none.
    /// </summary>
    public TaskItem? TaskBefore => (_past ??= new Past(Server.TaskBefore.Of(row, TaskAfter))).Task;

    /// <summary>
    /// <see cref="TaskAfter"/> as filters look at it. What they find out of it is shared by all who ask at about the
    /// same time, and not kept for longer: the words of a note take more room than the note.
    /// </summary>
    public FilterSubject? SubjectAfter => Shared(ref _after, TaskAfter);

    /// <summary><see cref="TaskBefore"/> as filters look at it, shared as well.</summary>
    public FilterSubject? SubjectBefore => Shared(ref _before, TaskBefore);

    /// <summary>The message that all who are told of it are sent, framed by the first of them.</summary>
    public SharedResponse Message(Sight sight) =>
        sight == Sight.Left
            ? _left ??= Framed(SubscribeResponse.LeftFieldNumber)
            : _shown ??= Framed(SubscribeResponse.NotificationFieldNumber);

    /// <summary>
    /// The stored notification stands in the message as it is, behind its field's tag and its length.
    /// </summary>
    private SharedResponse Framed(int field)
    {
        uint tag = WireFormat.MakeTag(field, WireFormat.WireType.LengthDelimited);
        int length = row.Notification.Length;
        byte[] payload = new byte[
            CodedOutputStream.ComputeTagSize(field) + CodedOutputStream.ComputeLengthSize(length) + length];
        using var output = new CodedOutputStream(payload);
        output.WriteTag(tag);
        output.WriteLength(length);
        row.Notification.CopyTo(payload, payload.Length - length);
        return new SharedResponse(payload);
    }

    private static FilterSubject? Shared(ref WeakReference<FilterSubject>? kept, TaskItem? task)
    {
        if (task is null)
        {
            return null;
        }

        if (kept?.TryGetTarget(out FilterSubject? subject) == true)
        {
            return subject;
        }

        subject = new FilterSubject(task);
        kept = new WeakReference<FilterSubject>(subject);
        return subject;
    }

    private static TaskItem? TaskOf(Notification notification) => notification.EventCase switch
    {
        Notification.EventOneofCase.TaskCreated => notification.TaskCreated.Task,
        Notification.EventOneofCase.TaskUpdated => notification.TaskUpdated.Task,
        Notification.EventOneofCase.TaskCompleted => notification.TaskCompleted.Task,
        Notification.EventOneofCase.TaskReopened => notification.TaskReopened.Task,
        Notification.EventOneofCase.TaskCancelled => notification.TaskCancelled.Task,
        Notification.EventOneofCase.TaskReminder => notification.TaskReminder.Task,
        Notification.EventOneofCase.WorkLeased => notification.WorkLeased.Task,
        Notification.EventOneofCase.WorkReleased => notification.WorkReleased.Task,
        Notification.EventOneofCase.WorkFailed => notification.WorkFailed.Task,
        _ => null,
    };
}
