using System.CommandLine;
using Squall.V1;

namespace Squall.Cli;

/// <summary>squall add: a task from a title and what else is known of it.</summary>
internal static class AddVerb
{
    private static readonly Argument<string> List = new("LIST") { Description = ListLookup.Means };
    private static readonly Argument<string[]> Title = Words.Argument("TITLE", "What there is to do.");

    public static Verb Make()
    {
        var verb = new Verb(
            "add", "Adds a task to a list.",
            "squall add Home Buy milk --due tomorrow --label shop")
        {
            List, Title,
        };
        foreach (var option in TaskFields.All)
        {
            verb.Add(option);
        }

        return verb.Does(async run =>
        {
            var listId = await ListLookup.IdOfAsync(run, run.Given(List));
            var change = await TaskFields.ChangeAsync(run, () => Task.FromResult(listId));
            var task = new TaskItem { TaskListId = listId, Title = Words.Of(run.Given(Title)) };
            change(task);
            task = await run.Client.Tasks.CreateAsync(task, cancellationToken: run.Cancel);
            run.Output.Result(task, () => TaskRows.Said("Added", task, run.Time));
        });
    }
}
