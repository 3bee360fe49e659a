using System.CommandLine;
using System.Text.RegularExpressions;
using Squall.V1;

namespace Squall.Cli;

/// <summary>squall list: the tasks of a list, or of all lists, that are not over yet.</summary>
internal static partial class ListTasksVerb
{
    public static readonly Argument<string?> List = new("LIST")
    {
        Description = ListLookup.Means + " Left out: all of yours.",
        Arity = ArgumentArity.ZeroOrOne,
    };

    public static readonly Option<string?> Filter = new("--filter")
    {
        Description = "Only tasks for which this holds, such as 'priority >= HIGH AND labels:\"shop\"'.",
        HelpName = "FILTER",
    };

    private static readonly Option<string?> OrderBy = new("--order-by")
    {
        Description = "By rank, title, due_time, priority, create_time, update_time or complete_time, each with ' desc'"
            + " for descending.",
        HelpName = "FIELDS",
    };

    private static readonly Option<bool> All = new("--all") { Description = "Tasks that are done or cancelled, too." };

    public static Verb Make() => new Verb(
        "list", "Shows tasks: those that are open, unless the filter names a state.",
        "squall list Home --order-by due_time")
    {
        List, Filter, OrderBy, All,
    }.Does(ListAsync);

    /// <summary>
    /// The filter, and that a task is in the list. What is added comes last, so that the places in the server's errors
    /// are those of the filter as it was given; since OR binds closer than AND, it needs no parentheses.
    /// </summary>
    public static string In(string? filter, string? listId) => And(
        filter ?? "", listId is null ? "" : $"task_list_id = \"{listId}\"");

    private static async Task ListAsync(Invocation run)
    {
        var given = run.GivenOrNull(List);
        var filter = In(run.Given(Filter), given is null ? null : await ListLookup.IdOfAsync(run, given));
        if (!run.Given(All) && !NamesState(run.Given(Filter) ?? ""))
        {
            filter = And(filter, "NOT state = DONE AND NOT state = CANCELLED");
        }

        var tasks = run.Client.Tasks.List(filter, run.Given(OrderBy) ?? "", pageSize: 1_000);
        if (run.Output.IsTerminal)
        {
            await ShowAsync(run, tasks, withLists: given is null);
            return;
        }

        var names = new Names(run);
        if (!run.Output.IsJson)
        {
            await names.LearnListsAsync();
        }

        await foreach (var task in tasks.WithCancellation(run.Cancel))
        {
            run.Output.Row(task, () => TaskRows.Plain(task, names.OfList(task.TaskListId), run.Time));
        }
    }

    private static async Task ShowAsync(Invocation run, IAsyncEnumerable<TaskItem> tasks, bool withLists)
    {
        var names = new Names(run);
        var all = new List<TaskItem>();
        await foreach (var task in tasks.WithCancellation(run.Cancel))
        {
            all.Add(task);
        }

        if (all.Count == 0)
        {
            run.Output.Note("There is nothing to do.");
            return;
        }

        if (withLists)
        {
            await names.LearnListsAsync();
        }

        foreach (var task in all)
        {
            await names.LearnMembersAsync(task.TaskListId, task.AssigneeId);
        }

        run.Output.Styled(TaskRows.Table(all, names, withLists, run));
    }

    private static string And(string filter, string more) =>
        string.IsNullOrWhiteSpace(filter) ? more : more.Length == 0 ? filter : $"{filter} AND {more}";

    /// <summary>Whether it says itself which states it wants, outside of quotations.</summary>
    private static bool NamesState(string filter) => State().IsMatch(Quotation().Replace(filter, "\"\""));

    [GeneratedRegex("""("(\\.|[^"\\])*")|('(\\.|[^'\\])*')""")]
    private static partial Regex Quotation();

    [GeneratedRegex(@"\bstate\b")]
    private static partial Regex State();
}
