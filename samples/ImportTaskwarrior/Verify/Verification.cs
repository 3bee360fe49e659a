using Squall.Client;
using Squall.V1;

namespace ImportTaskwarrior;

/// <summary>How many of Taskwarrior's tasks stand how, in how many lists.</summary>
internal sealed record Census(int Open, int Done, int Deleted, int Lists);

/// <summary>
/// Compares what Squall has with Taskwarrior's own files, task by task: uuid, title, list and state. The import does
/// not read these files, so the two can differ.
/// </summary>
internal sealed class Verification(ISquallClient client, string noProject)
{
    private readonly List<string> differences = [];

    /// <summary>Each difference, as a line for a person; none: all is as it should be.</summary>
    public IReadOnlyList<string> Differences => differences;

    public async Task<Census> RunAsync(IReadOnlyList<TaskwarriorState> states, CancellationToken cancellationToken)
    {
        var wanted = Wanted(states);
        var lists = await client.Lists.List(pageSize: 1_000).ToDictionaryAsync(
            list => list.Id, list => list.Title, cancellationToken: cancellationToken);
        var all = await client.Tasks.List(pageSize: 1_000).ToListAsync(cancellationToken);
        var tasks = all.ToLookup(ImportTaskwarrior.Wanted.UuidOf);
        foreach (var task in wanted.Values)
        {
            Compare(task, [.. tasks[task.Uuid]], lists);
        }

        differences.AddRange(tasks.Where(same => same.Key is { } uuid && !wanted.ContainsKey(uuid)).Select(
            same => $"{same.Key}: Squall has '{same.First().Title}', Taskwarrior does not"));
        var titles = wanted.Values.Select(ListTitleOf).ToHashSet(StringComparer.Ordinal);
        var found = lists.Values.Where(titles.Contains).ToList();
        differences.AddRange(found.GroupBy(title => title).Where(same => same.Count() > 1)
            .Select(same => $"list '{same.Key}': Squall has {same.Count()} of it"));
        return new Census(
            wanted.Values.Count(task => task.Standing == Standing.Open),
            wanted.Values.Count(task => task.Standing == Standing.Done),
            wanted.Values.Count(task => task.Standing == Standing.Gone),
            found.Count);
    }

    private static Dictionary<Guid, Wanted> Wanted(IEnumerable<TaskwarriorState> states)
    {
        var wanted = new Dictionary<Guid, Wanted>();
        foreach (var state in states)
        {
            if (!wanted.TryAdd(state.Uuid, ImportTaskwarrior.Wanted.Of(state, new Losses())))
            {
                throw state.Line.Fault($"has {state.Uuid}, which stands before it");
            }
        }

        return wanted;
    }

    private void Compare(Wanted wanted, IReadOnlyList<TaskItem> tasks, Dictionary<string, string> lists)
    {
        var count = wanted.Standing == Standing.Gone ? 0 : 1;
        if (tasks.Count != count)
        {
            differences.Add($"{wanted.Uuid}: Squall has {tasks.Count} of it, and should have {count}");
        }

        foreach (var task in tasks.Take(count))
        {
            Compare(wanted, "title", wanted.Title, task.Title);
            Compare(wanted, "list", ListTitleOf(wanted), lists.GetValueOrDefault(task.TaskListId, ""));
            Compare(wanted, "state", wanted.Standing.ToString(), task.State.ToString());
        }
    }

    private void Compare(Wanted wanted, string what, string should, string has)
    {
        if (should != has)
        {
            differences.Add($"{wanted.Uuid}: {what} is '{has}', and should be '{should}'");
        }
    }

    private string ListTitleOf(Wanted wanted) => Plan.ListTitleOf(wanted.Project, noProject);
}
