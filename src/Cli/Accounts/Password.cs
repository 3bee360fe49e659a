using System.Text;

namespace Squall.Cli;

/// <summary>Where passwords come from: never from an argument, which every process on the machine can see.</summary>
internal static class Password
{
    public const string Variable = "SQUALL_PASSWORD";

    /// <summary>From standard input, the environment, or whoever sits at the terminal.</summary>
    /// <param name="isNew">It is asked for twice, since nobody sees what is typed.</param>
    public static async Task<string> ReadAsync(bool fromInput, bool isNew, CancellationToken cancellationToken)
    {
        if (fromInput)
        {
            return await Console.In.ReadLineAsync(cancellationToken)
                ?? throw new UsageException("There is no password on standard input.");
        }

        if (Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } given)
        {
            return given;
        }

        if (Console.IsInputRedirected)
        {
            throw new UsageException(
                $"There is no terminal to ask for a password: use --password-stdin or {Variable}.");
        }

        var password = await AskAsync("Password: ", cancellationToken);
        return !isNew || await AskAsync("Again: ", cancellationToken) == password
            ? password
            : throw new UsageException("The passwords differ.");
    }

    /// <summary>
    /// The current one and a new one, from two lines of standard input or whoever sits at the terminal.
    /// </summary>
    public static async Task<(string Current, string Next)> ReadChangeAsync(
        bool fromInput, CancellationToken cancellationToken)
    {
        if (fromInput)
        {
            var current = await Console.In.ReadLineAsync(cancellationToken);
            var next = await Console.In.ReadLineAsync(cancellationToken);
            return current is not null && next is not null ? (current, next) : throw new UsageException(
                "Standard input has to have two lines: the current password and the new one.");
        }

        if (Console.IsInputRedirected)
        {
            throw new UsageException("There is no terminal to ask for passwords: use --password-stdin.");
        }

        var old = await AskAsync("Current password: ", cancellationToken);
        var chosen = await AskAsync("New password: ", cancellationToken);
        return await AskAsync("Again: ", cancellationToken) == chosen
            ? (old, chosen)
            : throw new UsageException("The passwords differ.");
    }

    /// <summary>Reads keys without showing them, beside the thread that hears of Ctrl-C.</summary>
    private static async Task<string> AskAsync(string prompt, CancellationToken cancellationToken)
    {
        // To look for a key turns the echo off, so that what is typed ahead of the prompt is not shown either.
        _ = Console.KeyAvailable;
        await Console.Error.WriteAsync(prompt);
        try
        {
            return await Task.Run(ReadKeys, cancellationToken).WaitAsync(cancellationToken);
        }
        finally
        {
            await Console.Error.WriteLineAsync();
        }
    }

    private static string ReadKeys()
    {
        var typed = new StringBuilder();
        while (true)
        {
            var key = Console.ReadKey(intercept: true);
            switch (key.Key)
            {
                case ConsoleKey.Enter:
                    return typed.ToString();
                case ConsoleKey.Backspace:
                    typed.Length -= Math.Min(typed.Length, EndsInPair(typed) ? 2 : 1);
                    break;
                default:
                    if (!char.IsControl(key.KeyChar))
                    {
                        typed.Append(key.KeyChar);
                    }

                    break;
            }
        }
    }

    private static bool EndsInPair(StringBuilder text) => text.Length > 1 && char.IsLowSurrogate(text[^1]);
}
