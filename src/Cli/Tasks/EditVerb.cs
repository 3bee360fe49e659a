using System.CommandLine;
using Squall.Client;

namespace Squall.Cli;

/// <summary>squall edit: changes the fields that are named, and no other.</summary>
internal static class EditVerb
{
    private static readonly Argument<string> TaskArgument = new("TASK") { Description = TaskLookup.Means };

    private static readonly Option<string?> Title = new("--title")
    {
        Description = "Its new title.",
        HelpName = "TEXT",
    };

    private static readonly Option<string[]> Unlabel = new("--unlabel")
    {
        Description = "A label that it loses; may be given several times.",
        HelpName = "LABEL",
        Arity = ArgumentArity.OneOrMore,
    };

    public static Verb Make()
    {
        var verb = new Verb(
            "edit", "Changes what is given of a task, and nothing else.",
            "squall edit 4f3a91c2 --due fri --priority high")
        {
            TaskArgument, Title,
        };
        foreach (var option in (IEnumerable<Option>)[.. TaskFields.All, Unlabel])
        {
            verb.Add(option);
        }

        return verb.Does(EditAsync);
    }

    private static async Task EditAsync(Invocation run)
    {
        if (!TaskFields.All.Append(Title).Append(Unlabel).Any(run.IsGiven))
        {
            throw new UsageException("There is nothing to change: say what, as in 'squall edit TASK --due fri'.");
        }

        var id = await TaskLookup.IdOfAsync(run, run.Given(TaskArgument));
        var change = await TaskFields.ChangeAsync(
            run, async () => (await run.Client.Tasks.GetAsync(id, cancellationToken: run.Cancel)).TaskListId);
        var task = await run.Client.Tasks.UpdateAsync(
            id,
            task =>
            {
                change(task);
                task.Title = run.Given(Title) ?? task.Title;
                foreach (var label in run.Given(Unlabel) ?? [])
                {
                    task.Labels.Remove(label);
                }
            },
            cancellationToken: run.Cancel);
        run.Output.Result(task, () => TaskRows.Said("Changed", task, run.Time));
    }
}
