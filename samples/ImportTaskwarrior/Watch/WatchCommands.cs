using System.CommandLine;

namespace ImportTaskwarrior;

internal static class WatchCommands
{
    public static Command Watch()
    {
        var log = new Option<string?>("--log")
        {
            Description = "A file that each line goes to with its cursor; a later run goes on from there",
        };
        return new Command("watch", "Prints each change of the lists that the account shares, until it is stopped")
        {
            log, Commands.User, Commands.Register,
        }.Runs(async (parsed, cancellationToken) =>
        {
            using var telling = parsed.GetValue(log) is { } path ? TellingLog.Open(path) : null;
            await using var login = await Commands.LoginAsync(parsed, cancellationToken);
            try
            {
                await new Watcher(login.Client, Console.Out).WatchAsync(telling, cancellationToken);
            }
            catch (OperationCanceledException)
            {
                // It was stopped, which is how it ends.
            }

            return true;
        });
    }

    public static Command History()
    {
        var after = new Option<string>("--after")
        {
            Description = "The cursor after which it begins",
            DefaultValueFactory = _ => "",
        };
        return new Command("history", "Prints what the account would have been told until now, as a log has it")
        {
            after, Commands.User, Commands.Register,
        }.Runs(async (parsed, cancellationToken) =>
        {
            await using var login = await Commands.LoginAsync(parsed, cancellationToken);
            await new Watcher(login.Client, Console.Out)
                .HistoryAsync(parsed.GetRequiredValue(after), cancellationToken);
            return true;
        });
    }

    public static Command Compare()
    {
        var log = new Argument<string>("log") { Description = "A watcher's log" };
        return new Command("compare", "Compares a watcher's log with an import's record; fails on a difference")
        {
            log, Commands.Record,
        }.Runs((parsed, _) =>
        {
            var done = ImportRecord.Read(parsed.GetRequiredValue(Commands.Record));
            var told = TellingLog.Read(parsed.GetRequiredValue(log)).Where(line => !line.IsBeginning).ToList();
            var differences = Comparison.Of(done, told);
            var kinds = told.CountBy(line => line.What).Select(what => $"{what.Value} {what.Key}");
            Console.WriteLine(
                $"{told.Count} changes told: {string.Join(", ", kinds)}. Differences: {differences.Count}.");
            return Task.FromResult(Commands.Print(differences));
        });
    }
}
