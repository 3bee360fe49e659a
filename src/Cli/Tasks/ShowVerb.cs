using System.CommandLine;
using Google.Protobuf.WellKnownTypes;
using Squall.V1;

namespace Squall.Cli;

/// <summary>squall show: all that is known of one task, its steps and its conversation.</summary>
internal static class ShowVerb
{
    private static readonly Argument<string> TaskArgument = new("TASK") { Description = TaskLookup.Means };

    public static Verb Make() => new Verb(
        "show", "Shows a task with its note, steps and comments.",
        "squall show 4f3a91c2")
    {
        TaskArgument,
    }.Does(ShowAsync);

    private static async Task ShowAsync(Invocation run)
    {
        var id = await TaskLookup.IdOfAsync(run, run.Given(TaskArgument));
        var task = await run.Client.Tasks.GetAsync(id, cancellationToken: run.Cancel);
        var steps = await AllAsync(run.Client.Tasks.List($"parent_id = \"{task.Id}\"", pageSize: 1_000), run.Cancel);
        var comments = await AllAsync(run.Client.Tasks.ListComments(task.Id, pageSize: 1_000), run.Cancel);
        if (run.Output.IsJson)
        {
            run.Output.Raw(JsonText.Object(json =>
            {
                json.WriteMessage("task", task);
                json.WriteMessages("steps", steps);
                json.WriteMessages("comments", comments);
            }));
            return;
        }

        var names = new Names(run);
        await names.LearnListsAsync();
        foreach (var accountId in comments.Select(comment => comment.AuthorId)
            .Append(task.CreatorId).Append(task.AssigneeId).Distinct())
        {
            await names.LearnMembersAsync(task.TaskListId, accountId);
        }

        Write(run, task, names);
        Write(run.Output, "Steps", steps.Select(step =>
            $"{ShortId.Of(step.Id)}  {TaskRows.Named(step.State)}  {step.Title}"));
        Write(run.Output, "Comments", comments.Select(comment =>
            $"{At(run, comment.CreateTime)} {names.OfMember(task.TaskListId, comment.AuthorId)}: {comment.Text}"));
    }

    private static void Write(Invocation run, TaskItem task, Names names)
    {
        var creator = names.OfMember(task.TaskListId, task.CreatorId);
        (string Label, string Text)[] facts =
        [
            ("id", task.Id),
            ("list", names.OfList(task.TaskListId)),
            ("state", TaskRows.Named(task.State)),
            ("priority", TaskRows.Named(task.Priority)),
            ("due", task.DueTime is { } due ? DueTime.Text(due.ToDateTimeOffset(), run.Time) : ""),
            ("labels", string.Join(", ", task.Labels)),
            ("for", names.OfMember(task.TaskListId, task.AssigneeId)),
            ("step of", ShortId.Of(task.ParentId)),
            ("work", task.Work?.Kind ?? ""),
            ("error", task.Work?.Error ?? ""),
            ("created", $"{At(run, task.CreateTime)} by {creator}"),
            ("changed", At(run, task.UpdateTime)),
            ("completed", At(run, task.CompleteTime)),
        ];
        run.Output.Line(task.Title);
        foreach (var (label, text) in facts.Where(fact => fact.Text.Length > 0))
        {
            run.Output.Line($"  {label,-10}{text}");
        }

        if (task.Note.Length > 0)
        {
            run.Output.Raw("");
            run.Output.Lines(task.Note, "  ");
        }
    }

    private static void Write(Output output, string title, IEnumerable<string> entries)
    {
        foreach (var (index, entry) in entries.Index())
        {
            if (index == 0)
            {
                output.Raw("");
                output.Raw(title);
            }

            output.Lines(entry, "  ");
        }
    }

    public static string At(Invocation run, Timestamp? time) => time is null ? ""
        : TimeZoneInfo.ConvertTime(time.ToDateTimeOffset(), run.Time.LocalTimeZone).ToString("yyyy-MM-dd HH:mm");

    private static async Task<List<T>> AllAsync<T>(IAsyncEnumerable<T> items, CancellationToken cancellationToken)
    {
        var all = new List<T>();
        await foreach (var item in items.WithCancellation(cancellationToken))
        {
            all.Add(item);
        }

        return all;
    }
}
