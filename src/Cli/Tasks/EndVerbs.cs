using System.CommandLine;
using Squall.Client;
using Squall.V1;

namespace Squall.Cli;

/// <summary>squall done, cancel, reopen and rm: one thing done to each of several tasks.</summary>
internal static class EndVerbs
{
    private static readonly Argument<string[]> Given = new("TASK")
    {
        Description = TaskLookup.Means,
        Arity = ArgumentArity.OneOrMore,
    };

    public static Verb Done() => Make(
        "done", "Completes tasks.", "squall done 4f3a91c2",
        (run, id) => EndAsync(run, "Done", run.Client.Tasks.CompleteAsync(id, cancellationToken: run.Cancel)));

    public static Verb Cancel() => Make(
        "cancel", "Ends tasks without doing them.", "squall cancel 4f3a91c2",
        (run, id) => EndAsync(run, "Cancelled", run.Client.Tasks.CancelAsync(id, cancellationToken: run.Cancel)));

    public static Verb Reopen() => Make(
        "reopen", "Opens tasks again that were done, cancelled or given up.", "squall reopen 4f3a91c2",
        (run, id) => EndAsync(run, "Reopened", run.Client.Tasks.ReopenAsync(id, cancellationToken: run.Cancel)));

    public static Verb Remove() => Make(
        "rm", "Deletes tasks, with their steps and comments.", "squall rm 4f3a91c2",
        async (run, id) =>
        {
            await run.Client.Tasks.DeleteAsync(id, cancellationToken: run.Cancel);
            run.Output.Deleted(id, $"Deleted {ShortId.Of(id)}");
        });

    private static Verb Make(string name, string sentence, string example, Func<Invocation, string, Task> act) =>
        new Verb(name, sentence, example) { Given }.Does(run => EachAsync(run, act));

    /// <summary>What is refused for one task does not keep the others from it.</summary>
    private static async Task<int> EachAsync(Invocation run, Func<Invocation, string, Task> act)
    {
        var exitCode = Failure.Done;
        foreach (var id in await TaskLookup.IdsOfAsync(run, run.Given(Given)))
        {
            try
            {
                await act(run, id);
            }
            catch (SquallException e) when (e is SquallNotFoundException or SquallPreconditionException
                or SquallPermissionException or SquallConflictException)
            {
                run.Output.Flush();
                var failure = Failure.Of(e, run.Server);
                failure = failure with { Message = $"{ShortId.Of(id)}: {failure.Message}" };
                exitCode = failure.Report(run.Output.IsJson);
            }
        }

        return exitCode;
    }

    private static async Task EndAsync(Invocation run, string verb, Task<TaskItem> ending)
    {
        var task = await ending;
        run.Output.Result(task, () => TaskRows.Said(verb, task, run.Time));
    }
}
