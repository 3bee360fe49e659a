using Spectre.Console;
using Squall.Client;
using Squall.V1;

namespace Squall.Cli;

/// <summary>What watch prints for people: a line for each change.</summary>
internal sealed class EventLines(Invocation run, Names names)
{
    private static readonly Style Dim = new(decoration: Decoration.Dim);

    public async Task WriteAsync(SubscriptionEvent told)
    {
        switch (told)
        {
            case SubscriptionEvent.SnapshotTask { Task: var task }:
                Write(new Line("", "task", task.Id, task.Title, names.OfList(task.TaskListId), ""));
                break;
            case SubscriptionEvent.Changed { Notification: var change }:
                Write(await LineOfAsync(change, hasLeft: false));
                break;
            case SubscriptionEvent.Left { Notification: var change }:
                Write(await LineOfAsync(change, hasLeft: true));
                break;
            case SubscriptionEvent.Synced:
                run.Output.Note("Watching; Ctrl-C ends it.");
                break;
            case SubscriptionEvent.Reconnecting { Attempt: 1 }:
                run.Output.Note("The connection is lost; trying again.");
                break;
            case SubscriptionEvent.Resumed:
                run.Output.Note("Connected again.");
                break;
            case SubscriptionEvent.SnapshotRestarted:
                run.Output.Note("The connection broke; all tasks once more.");
                break;
            case SubscriptionEvent.Gap:
                run.Output.Note("Some changes are not known any more; all tasks once more.");
                break;
        }
    }

    private async Task<Line> LineOfAsync(Notification change, bool hasLeft)
    {
        if ((change.TaskListCreated?.TaskList ?? change.TaskListUpdated?.TaskList ?? change.MemberSet?.TaskList)
            is { } list)
        {
            names.LearnList(list.Id, list.Title);
        }

        await names.LearnMembersAsync(change.TaskListId, change.ActorId);
        var (verb, id, text) = Say(change);
        if (hasLeft && change.TaskDeleted is null)
        {
            text += " (does not match any more)";
        }

        var local = TimeZoneInfo.ConvertTime(change.Time.ToDateTimeOffset(), run.Time.LocalTimeZone);
        return new Line(
            local.ToString("HH:mm:ss"), verb, id, text, names.OfList(change.TaskListId),
            names.OfMember(change.TaskListId, change.ActorId));
    }

    private (string Verb, string Id, string Text) Say(Notification change) => change.EventCase switch
    {
        Notification.EventOneofCase.TaskCreated => Of("added", change.TaskCreated.Task),
        Notification.EventOneofCase.TaskUpdated => Of(
            "changed", change.TaskUpdated.Task, $" ({string.Join(", ", change.TaskUpdated.Changed.Paths)})"),
        Notification.EventOneofCase.TaskCompleted => Of("done", change.TaskCompleted.Task),
        Notification.EventOneofCase.TaskReopened => Of("reopened", change.TaskReopened.Task),
        Notification.EventOneofCase.TaskCancelled => Of("cancelled", change.TaskCancelled.Task),
        Notification.EventOneofCase.TaskDeleted => ("deleted", change.TaskDeleted.TaskId, ""),
        Notification.EventOneofCase.TaskReminder => Of("reminder", change.TaskReminder.Task),
        Notification.EventOneofCase.CommentCreated => (
            "comment", change.CommentCreated.Comment.TaskId, change.CommentCreated.Comment.Text),
        Notification.EventOneofCase.WorkLeased => Of("leased", change.WorkLeased.Task),
        Notification.EventOneofCase.WorkReleased => Of("released", change.WorkReleased.Task),
        Notification.EventOneofCase.WorkFailed => Of("failed", change.WorkFailed.Task),
        Notification.EventOneofCase.TaskListCreated => ("new list", change.TaskListId, ""),
        Notification.EventOneofCase.TaskListUpdated => ("renamed", change.TaskListId, ""),
        Notification.EventOneofCase.TaskListDeleted => ("list gone", change.TaskListId, ""),
        Notification.EventOneofCase.MemberSet => (
            "member", change.TaskListId,
            $"{change.MemberSet.Member.Username} is {ListVerbs.Named(change.MemberSet.Member.Role)}"),
        Notification.EventOneofCase.MemberRemoved => (
            "member", change.TaskListId,
            $"{names.OfMember(change.TaskListId, change.MemberRemoved.AccountId)} is no member any more"),
        _ => (change.EventCase.ToString(), change.TaskListId, ""),
    };

    private static (string, string, string) Of(string verb, TaskItem task, string more = "") =>
        (verb, task.Id, task.Title + more);

    private void Write(Line line)
    {
        if (!run.Output.IsTerminal)
        {
            string[] cells = [line.Time, line.Verb, ShortId.Of(line.Id), line.Text, line.List, line.Actor];
            run.Output.Raw(string.Join('\t', cells.Select(Printable.Line)));
            return;
        }

        var where = line.Actor.Length > 0 ? $"  {line.List}, by {line.Actor}" : $"  {line.List}";
        run.Output.Styled(new Paragraph()
            .Append(line.Time.Length > 0 ? $"{line.Time}  " : "", Dim)
            .Append($"{line.Verb,-10}", StyleOf(line.Verb))
            .Append($"{ShortId.Of(line.Id)}  ", Dim)
            .Append(Printable.Line(line.Text))
            .Append(Printable.Line(where) + "\n", Dim));
    }

    private static Style? StyleOf(string verb) => verb switch
    {
        "added" or "new list" or "reopened" => new Style(Color.Blue),
        "done" => new Style(Color.Green),
        "deleted" or "cancelled" or "failed" or "list gone" => new Style(Color.Red),
        "changed" or "reminder" or "comment" => new Style(Color.Yellow),
        _ => null,
    };

    private sealed record Line(string Time, string Verb, string Id, string Text, string List, string Actor);
}
