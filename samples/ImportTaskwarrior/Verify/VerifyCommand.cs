using System.CommandLine;

namespace ImportTaskwarrior;

internal static class VerifyCommand
{
    public static Command Make()
    {
        var files = new Argument<string[]>("files")
        {
            Description = "Taskwarrior's pending.data and completed.data",
            Arity = ArgumentArity.OneOrMore,
        };
        return new Command("verify", "Compares uuid, title, list and state of each task; fails on a difference")
        {
            files, Commands.NoProject, Commands.User, Commands.Register,
        }.Runs(async (parsed, cancellationToken) =>
        {
            var states = parsed.GetRequiredValue(files).SelectMany(BracketFile.Read).ToList();
            await using var login = await Commands.LoginAsync(parsed, cancellationToken);
            var verification = new Verification(login.Client, parsed.GetRequiredValue(Commands.NoProject));
            var census = await verification.RunAsync(states, cancellationToken);
            Console.WriteLine($"{states.Count} tasks in {census.Lists} lists: {census.Open} open, {census.Done} done, "
                + $"{census.Deleted} deleted. Differences: {verification.Differences.Count}.");
            return Commands.Print(verification.Differences);
        });
    }
}
