using System.CommandLine;

namespace Squall.Cli;

/// <summary>Asks whether what cannot be undone is meant.</summary>
internal static class Confirmation
{
    public static Option<bool> Yes() => new("--yes") { Description = "Do not ask whether it is meant." };

    /// <summary>Ends the run unless it is meant.</summary>
    public static async Task AskAsync(Invocation run, Option<bool> yes, string question)
    {
        if (run.Given(yes))
        {
            return;
        }

        if (Console.IsInputRedirected)
        {
            throw new UsageException($"There is no terminal to ask whether it is meant: say {yes.Name}.");
        }

        await Console.Error.WriteAsync($"{question} [y/N] ");
        var answer = await Task.Run(Console.ReadLine, run.Cancel).WaitAsync(run.Cancel);
        if (answer?.Trim() is not ("y" or "Y" or "yes"))
        {
            throw new RefusedException("NOT_CONFIRMED", "Nothing was deleted.");
        }
    }
}
