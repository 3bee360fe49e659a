using System.CommandLine;

namespace ImportTaskwarrior;

internal static class ImportCommand
{
    private static readonly Argument<string> Backlog = new("backlog") { Description = "Taskwarrior's backlog.data" };

    private static readonly Option<string[]> ShareWith = new("--share-with")
    {
        Description = "An account that becomes editor of each list",
    };

    private static readonly Option<string?> LossesFile = new("--losses")
    {
        Description = "A file for each value that has no place in Squall",
    };

    public static Command Make() => new Command(
        "import", "Replays a backlog; run again after a break, it goes on and doubles nothing")
    {
        Backlog, Commands.Record, ShareWith, LossesFile, Commands.NoProject, Commands.User, Commands.Register,
    }.Runs(RunAsync);

    private static async Task<bool> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        // All of it is read and checked before anything is done.
        var states = BacklogFile.Read(parsed.GetRequiredValue(Backlog));
        var losses = new Losses();
        var plan = Plan.Of(states, losses, parsed.GetRequiredValue(Commands.NoProject));
        Console.WriteLine($"{states.Count} states of {states.DistinctBy(state => state.Uuid).Count()} tasks: "
            + $"{plan.Count} steps.");

        using var record = ImportRecord.Open(parsed.GetRequiredValue(Commands.Record));
        await using var login = await Commands.LoginAsync(parsed, cancellationToken);
        var replay = new Replay(login.Client, record, parsed.GetValue(ShareWith) ?? []);
        await replay.RunAsync(plan, cancellationToken);

        Report(replay.Results, plan.Count);
        losses.Summarize(Console.Out);
        if (parsed.GetValue(LossesFile) is { } path)
        {
            losses.WriteAll(path);
        }

        return true;
    }

    private static void Report(IReadOnlyList<(Step Step, Outcome Outcome)> results, int planned)
    {
        var kinds = results.Where(result => result.Outcome == Outcome.Done)
            .CountBy(result => result.Step.Kind.Split(' ')[0]).Select(kind => $"{kind.Value} {kind.Key}");
        Console.WriteLine($"Taken before: {planned - results.Count}. Taken now: {results.Count}"
            + (results.Count > 0 ? $" ({string.Join(", ", kinds)})." : "."));
        foreach (var (step, outcome) in results.Where(result => result.Outcome != Outcome.Done))
        {
            Console.WriteLine($"{step.Line.File}:{step.Line.Number}: {step.Kind}: " + (outcome == Outcome.WasSo
                ? "somebody had done it in Squall"
                : "left alone, since somebody has deleted or ended it in Squall"));
        }
    }
}
