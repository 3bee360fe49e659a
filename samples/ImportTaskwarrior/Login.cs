using System.Text;
using Squall.Client;

namespace ImportTaskwarrior;

/// <summary>A client that is logged in until it is disposed of.</summary>
internal sealed class Login : IAsyncDisposable
{
    public const string PasswordVariable = "SQUALL_PASSWORD";

    private Login(SquallClient client) => Client = client;

    public SquallClient Client { get; }

    /// <summary>Logs in with a password that stands in the environment, or is asked for.</summary>
    /// <param name="register">Whether the account is to be created first.</param>
    public static async Task<Login> AsAsync(
        string endpoint, string username, bool register, CancellationToken cancellationToken)
    {
        var password = Environment.GetEnvironmentVariable(PasswordVariable) is { Length: > 0 } given
            ? given
            : Ask($"Password of {username}: ");
        var client = new SquallClient(endpoint);
        try
        {
            if (register)
            {
                await client.RegisterAsync(username, password, cancellationToken: cancellationToken);
            }

            await client.LoginAsync(username, password, cancellationToken: cancellationToken);
            return new Login(client);
        }
        catch
        {
            client.Dispose();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            await Client.LogoutAsync();
        }
        catch (SquallException)
        {
            // The server is out of reach, and ends the session when its tokens run out.
        }
        finally
        {
            Client.Dispose();
        }
    }

    private static string Ask(string prompt)
    {
        if (Console.IsInputRedirected)
        {
            throw new ImportException($"There is nobody to ask for a password: set {PasswordVariable}.");
        }

        Console.Error.Write(prompt);
        var password = new StringBuilder();
        while (Console.ReadKey(intercept: true) is { Key: not ConsoleKey.Enter } key)
        {
            if (key.Key == ConsoleKey.Backspace)
            {
                password.Length = Math.Max(0, password.Length - 1);
            }
            else
            {
                password.Append(key.KeyChar);
            }
        }

        Console.Error.WriteLine();
        return password.ToString();
    }
}
