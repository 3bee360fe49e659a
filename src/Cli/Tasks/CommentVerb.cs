using System.CommandLine;

namespace Squall.Cli;

/// <summary>squall comment: a message in a task's conversation.</summary>
internal static class CommentVerb
{
    private static readonly Argument<string> TaskArgument = new("TASK") { Description = TaskLookup.Means };
    private static readonly Argument<string[]> Text = Words.Argument("TEXT", "What to say.");

    public static Verb Make() => new Verb(
        "comment", "Says something about a task to those who share it.",
        "squall comment 4f3a91c2 The shop is closed today")
    {
        TaskArgument, Text,
    }.Does(async run =>
    {
        var id = await TaskLookup.IdOfAsync(run, run.Given(TaskArgument));
        var comment = await run.Client.Tasks.CommentAsync(id, Words.Of(run.Given(Text)), cancellationToken: run.Cancel);
        run.Output.Result(comment, () => $"Commented on {ShortId.Of(id)}");
    });
}
