using System.Text;

namespace Squall.Server;

/// <summary>
/// Where an operator's passwords come from: the terminal, or standard input's first line; never an argument, which
/// every process on the machine can see.
/// </summary>
internal static class PasswordPrompt
{
    /// <exception cref="StartRefusedException">There is none, or the two that were typed differ.</exception>
    public static async Task<string> ReadAsync()
    {
        if (Console.IsInputRedirected)
        {
            return await Console.In.ReadLineAsync()
                ?? throw new StartRefusedException("there is no password on standard input");
        }

        string password = Ask("Password: ");
        return Ask("Again: ") == password ? password : throw new StartRefusedException("the passwords differ");
    }

    private static string Ask(string prompt)
    {
        // To look for a key turns the echo off, so that what is typed ahead of the prompt is not shown either.
        _ = Console.KeyAvailable;
        Console.Error.Write(prompt);
        var typed = new StringBuilder();
        while (Console.ReadKey(intercept: true) is { Key: not ConsoleKey.Enter } key)
        {
            if (key.Key == ConsoleKey.Backspace)
            {
                typed.Length -= Math.Min(
                    typed.Length, typed.Length > 1 && char.IsLowSurrogate(typed[^1]) ? 2 : 1);
            }
            else if (!char.IsControl(key.KeyChar))
            {
                typed.Append(key.KeyChar);
            }
        }

        Console.Error.WriteLine();
        return typed.ToString();
    }
}
