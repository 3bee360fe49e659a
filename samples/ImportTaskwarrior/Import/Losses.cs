namespace ImportTaskwarrior;

/// <summary>A value of a task that has no place in Squall.</summary>
internal sealed record Loss(SourceLine Line, Guid Uuid, string Field, string Value, string Why);

/// <summary>What an import cannot carry over: each value once a task, with the line that has it first.</summary>
internal sealed class Losses
{
    private readonly HashSet<(Guid, string, string)> known = [];
    private readonly List<Loss> all = [];

    public IReadOnlyList<Loss> All => all;

    public void Add(TaskwarriorState state, string field, string value, string why)
    {
        if (known.Add((state.Uuid, field, value)))
        {
            all.Add(new Loss(state.Line, state.Uuid, field, value, why));
        }
    }

    /// <summary>Adds what a state holds that Squall has no field for.</summary>
    public void AddOthers(TaskwarriorState state)
    {
        foreach (var (name, value) in state.Others)
        {
            Add(state, name, value, WhyOf(name));
        }
    }

    /// <summary>A line a field: how many values of how many tasks, and why.</summary>
    public void Summarize(TextWriter output)
    {
        output.WriteLine(all.Count == 0 ? "Nothing was lost." : "What has no place in Squall:");
        foreach (var field in all.GroupBy(loss => (loss.Field, loss.Why)).OrderBy(field => field.Key.Field))
        {
            var tasks = field.Select(loss => loss.Uuid).Distinct().Count();
            output.WriteLine($"  {field.Key.Field,-20} {field.Count(),6} of {tasks} tasks: {field.Key.Why}");
        }
    }

    /// <summary>A line a value, in columns that tabs part: file and line, uuid, field, value, why.</summary>
    public void WriteAll(string path) => File.WriteAllLines(path, all.Select(loss => string.Join('\t',
        $"{loss.Line.File}:{loss.Line.Number}", loss.Uuid, loss.Field, Escaped.Of(loss.Value), loss.Why)));

    private static string WhyOf(string name) => name switch
    {
        "entry" => "Squall sets create_time when it creates a task",
        "modified" => "Squall sets update_time when it changes a task",
        "end" => "Squall sets complete_time when it completes a task",
        "wait" or "scheduled" or "start" or "until" => "Squall has no such time yet",
        "recur" or "rtype" or "mask" or "imask" or "parent" or "template" or "last" => "Squall has no recurrence yet",
        "depends" => "Squall has no dependencies between tasks",
        _ => "an attribute that Squall does not know",
    };
}

/// <summary>A text as it stands in a line of columns that tabs part.</summary>
internal static class Escaped
{
    public static string Of(string text) => text.Replace(@"\", @"\\", StringComparison.Ordinal)
        .Replace("\t", @"\t", StringComparison.Ordinal)
        .Replace("\n", @"\n", StringComparison.Ordinal)
        .Replace("\r", @"\r", StringComparison.Ordinal);
}
