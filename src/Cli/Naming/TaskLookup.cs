using Squall.V1;

namespace Squall.Cli;

/// <summary>Finds the tasks that a person means: by their ids, or the ends of their ids as they are printed.</summary>
internal static class TaskLookup
{
    public const string Means = "A task: its id, or the end of its id as it is printed.";

    public static async Task<string> IdOfAsync(Invocation run, string given) => (await IdsOfAsync(run, [given]))[0];

    /// <summary>
    /// The ids, in the order in which they were given, each once. What is no whole id is looked for among all tasks
    /// that the caller can see, ended ones too, in one pass.
    /// </summary>
    public static async Task<IReadOnlyList<string>> IdsOfAsync(Invocation run, IReadOnlyList<string> given)
    {
        var parts = given.Where(text => !ShortId.IsWhole(text)).Distinct().ToList();
        if (parts.Find(part => !ShortId.IsPart(part)) is { } wrong)
        {
            throw new UsageException(
                $"'{wrong}' is no task: give its id, or at least the last {ShortId.TypedCharactersMin} of its"
                + " characters, as 'squall list' shows them.");
        }

        var found = parts.ToDictionary(part => part, _ => new List<(string Id, string Title)>());
        if (parts.Count > 0)
        {
            await foreach (var task in run.Client.Tasks.List(pageSize: 1_000).WithCancellation(run.Cancel))
            {
                foreach (var part in parts.Where(part => ShortId.Matches(task.Id, part)))
                {
                    found[part].Add((task.Id, task.Title));
                }
            }
        }

        return [.. given.Select(text => ShortId.IsWhole(text)
            ? text.ToLowerInvariant()
            : Only(text, found[text])).Distinct()];
    }

    private static string Only(string part, List<(string Id, string Title)> found) => found switch
    {
        [var one] => one.Id,
        [] => throw new RefusedException("NOT_FOUND", $"There is no task whose id ends with '{part}'."),
        _ => throw new RefusedException("AMBIGUOUS", ShortId.Several("tasks", part, found)),
    };
}
