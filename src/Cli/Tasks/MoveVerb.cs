using System.CommandLine;
using Google.Protobuf.WellKnownTypes;
using Squall.V1;

namespace Squall.Cli;

/// <summary>squall move: the same task, in another list.</summary>
internal static class MoveVerb
{
    private static readonly Argument<string> TaskArgument = new("TASK") { Description = TaskLookup.Means };
    private static readonly Argument<string> List = new("LIST") { Description = ListLookup.Means };

    public static Verb Make() => new Verb(
        "move", "Moves a task to another list.",
        "squall move 4f3a91c2 Garden")
    {
        TaskArgument, List,
    }.Does(async run =>
    {
        var listId = await ListLookup.IdOfAsync(run, run.Given(List));
        var id = await TaskLookup.IdOfAsync(run, run.Given(TaskArgument));
        var task = await run.Client.Tasks.UpdateAsync(
            new TaskItem { Id = id, TaskListId = listId }, new FieldMask { Paths = { "task_list_id" } },
            cancellationToken: run.Cancel);
        run.Output.Result(task, () => TaskRows.Said("Moved", task, run.Time));
    });
}
