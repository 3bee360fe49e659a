namespace ImportTaskwarrior;

/// <summary>
/// Compares what a watcher was told with what an import did: each change once, in order, and nothing else.
/// </summary>
internal static class Comparison
{
    /// <summary>The differences, each a line for a person; none: the log is as it should be.</summary>
    public static IReadOnlyList<string> Of(IEnumerable<Taken> done, IReadOnlyCollection<Told> told)
    {
        var expected = done.Where(step => step.Outcome == Outcome.Done).SelectMany(Expected).ToList();
        var seen = told.Select(line => $"{line.What} {line.Id}").ToList();
        var differences = new List<string>();
        for (var at = 0; at < Math.Max(expected.Count, seen.Count) && differences.Count == 0; at++)
        {
            var wanted = at < expected.Count ? expected[at] : "nothing more";
            var was = at < seen.Count ? seen[at] : "nothing more";
            if (wanted != was)
            {
                differences.Add($"change {at + 1}: the import did '{wanted}', the watcher was told '{was}'");
            }
        }

        differences.AddRange(told.GroupBy(line => line.Cursor).Where(same => same.Count() > 1).Select(
            same => $"told {same.Count()} times: {same.First()}"));
        return differences;
    }

    /// <summary>What the members of a list are told of a step. A new list has none yet but its owner.</summary>
    private static IEnumerable<string> Expected(Taken step) => step.Step.Split(' ')[1] switch
    {
        "list" => [],
        "share" => [$"member set {step.Id}"],
        "create" => [$"task created {step.Id}"],
        "update" => [$"task updated {step.Id}"],
        "move" => [$"task deleted {step.Id}", $"task created {step.Id}"],
        "comment" => [$"comment created {step.Id}"],
        ChangeState.Complete => [$"task completed {step.Id}"],
        ChangeState.Reopen => [$"task reopened {step.Id}"],
        ChangeState.Delete => [$"task deleted {step.Id}"],
        _ => throw new ImportException($"The record has a step of no known kind: {step.Step}"),
    };
}
