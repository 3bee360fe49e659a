using Squall.Client;
using Squall.V1;

namespace Squall.Cli;

/// <summary>Finds the list that a person means: by its id, its title, or the end of its id as it is printed.</summary>
internal static class ListLookup
{
    public const string Means = "A list: its title, its id, or the end of its id as it is printed.";

    /// <summary>An id is taken as it is; anything else is looked for among the caller's lists.</summary>
    public static async Task<string> IdOfAsync(Invocation run, string given) =>
        ShortId.IsWhole(given) ? given.ToLowerInvariant() : (await FindAsync(run, given)).Id;

    public static async Task<TaskList> FindAsync(Invocation run, string given)
    {
        if (ShortId.IsWhole(given))
        {
            return await run.Client.Lists.GetAsync(given.ToLowerInvariant(), cancellationToken: run.Cancel);
        }

        var lists = await AllAsync(run);
        foreach (var isMeant in (Func<TaskList, bool>[])
        [
            list => list.Title == given,
            list => string.Equals(list.Title, given, StringComparison.OrdinalIgnoreCase),
            list => ShortId.IsPart(given) && ShortId.Matches(list.Id, given),
        ])
        {
            switch (lists.Where(isMeant).ToList())
            {
                case [var one]:
                    return one;
                case [_, _, ..] several:
                    throw new RefusedException(
                        "AMBIGUOUS", ShortId.Several("lists", given, several.Select(list => (list.Id, list.Title))));
            }
        }

        throw new RefusedException("NOT_FOUND", $"There is no list '{given}': 'squall lists' shows yours.");
    }

    public static async Task<List<TaskList>> AllAsync(Invocation run)
    {
        var lists = new List<TaskList>();
        await foreach (var list in run.Client.Lists.List(pageSize: 1_000).WithCancellation(run.Cancel))
        {
            lists.Add(list);
        }

        return lists;
    }
}
