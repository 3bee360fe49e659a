using Squall.V1;
using Event = Squall.V1.Notification.EventOneofCase;

namespace ImportTaskwarrior;

/// <summary>A notification as it is printed: a line whose columns tabs part.</summary>
/// <param name="What">What happened, such as "task created".</param>
/// <param name="Id">Of the task, comment or list that it happened to.</param>
/// <param name="Text">For a person: the title, what changed, what was said.</param>
/// <param name="Cursor">Where the journal stands after it.</param>
internal sealed record Told(string Time, string List, string What, string Id, string Text, string Cursor)
{
    private const string Beginning = "watching";

    /// <summary>Whether it says from where on it is watched, and tells of no change.</summary>
    public bool IsBeginning => What == Beginning;

    /// <summary>The line that a log begins with.</summary>
    public static Told From(string cursor) => new("", "", Beginning, "", "", cursor);

    /// <summary>The line for a person, who has no use for the cursor.</summary>
    public override string ToString() => string.Join('\t', Time, List, What, Id, Text);

    /// <summary>The line for a log, from which whoever resumes takes the cursor.</summary>
    public string ToLogLine() => $"{this}\t{Cursor}";

    /// <summary>Reads a line of a log. ImportException: it is none.</summary>
    public static Told Parse(string line) => line.Split('\t') switch
    {
        [var time, var list, var what, var id, var text, var cursor] => new(time, list, what, id, text, cursor),
        _ => throw new ImportException($"This is no line of a log: '{line}'"),
    };

    /// <summary>A notification; <paramref name="titles"/> of lists are kept up to date by what it says.</summary>
    public static Told Of(Notification told, Dictionary<string, string> titles)
    {
        if ((told.MemberSet?.TaskList ?? told.TaskListCreated?.TaskList ?? told.TaskListUpdated?.TaskList) is { } list)
        {
            titles[list.Id] = list.Title;
        }

        var (what, id, text) = Describe(told);
        return new Told(
            told.Time.ToDateTimeOffset().UtcDateTime.ToString("O"),
            Escaped.Of(titles.GetValueOrDefault(told.TaskListId, told.TaskListId)),
            what, id, Escaped.Of(text), told.Cursor);
    }

    private static (string What, string Id, string Text) Describe(Notification told) => told.EventCase switch
    {
        Event.TaskCreated => Of("task created", told.TaskCreated.Task),
        Event.TaskUpdated => ("task updated", told.TaskUpdated.Task.Id,
            $"{told.TaskUpdated.Task.Title} ({string.Join(", ", told.TaskUpdated.Changed.Paths)})"),
        Event.TaskCompleted => Of("task completed", told.TaskCompleted.Task),
        Event.TaskReopened => Of("task reopened", told.TaskReopened.Task),
        Event.TaskCancelled => Of("task cancelled", told.TaskCancelled.Task),
        Event.TaskDeleted => ("task deleted", told.TaskDeleted.TaskId, ""),
        Event.CommentCreated => ("comment created", told.CommentCreated.Comment.Id, told.CommentCreated.Comment.Text),
        Event.TaskListCreated => Of("list created", told.TaskListCreated.TaskList),
        Event.TaskListUpdated => Of("list updated", told.TaskListUpdated.TaskList),
        Event.TaskListDeleted => ("list deleted", told.TaskListDeleted.TaskListId, ""),
        Event.MemberSet => ("member set", told.TaskListId,
            $"{told.MemberSet.Member.Username} {told.MemberSet.Member.Role}"),
        Event.MemberRemoved => ("member removed", told.TaskListId, told.MemberRemoved.AccountId),

        // A task's work, reminders, and what later servers tell.
        _ => (told.EventCase.ToString(), told.TaskListId, ""),
    };

    private static (string, string, string) Of(string what, TaskItem task) => (what, task.Id, task.Title);

    private static (string, string, string) Of(string what, TaskList list) => (what, list.Id, list.Title);
}
