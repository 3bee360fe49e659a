using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Squall;

/// <summary>
/// Where all secrets of the tests come from, or are told of. What ./test.sh runs writes each down, in a file that it
/// searches all output for (tests/secrets.sh); no test may spell a password out itself.
/// </summary>
internal static class Secrets
{
    /// <summary>The file of this process; null: nobody will search.</summary>
    private static readonly StreamWriter? Written = Open();

    /// <summary>A new one, of 256 random bits: no text holds it by chance.</summary>
    public static string Password() =>
        Remember("password", "pass " + Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32)));

    /// <summary>
    /// Remembers what came from elsewhere, and gives it back. A token of the server's is known by its shape in whatever
    /// form; anything else is written down in each form.
    /// </summary>
    /// <param name="kind">A word: password, access, refresh, key, id-token.</param>
    public static string Remember(string kind, string secret)
    {
        if (Written is not null && secret.Length > 0)
        {
            bool isToken = kind is "access" or "refresh" or "key";
            string[] forms = isToken ? [secret] : [.. Forms(secret)];
            lock (Written)
            {
                Written.Write(string.Concat(forms.Select((form, at) => $"{(at == 0 ? kind : "form")} {form}\n")));
            }
        }

        return secret;
    }

    /// <summary>Reads what a program says to its end, for the search; gives how it began.</summary>
    public static async Task<string> HearAsync(StreamReader output)
    {
        const int Kept = 8_192;
        var beginning = new StringBuilder();
        await using StreamWriter heard = new(
            Environment.GetEnvironmentVariable("TESTS_LOGS") is { Length: > 0 } directory
                ? new FileStream(Path.Combine(directory, $"{Guid.NewGuid():N}.log"), FileMode.CreateNew)
                : Stream.Null);
        while (await output.ReadLineAsync() is { } line)
        {
            await heard.WriteLineAsync(line);
            if (beginning.Length < Kept)
            {
                beginning.AppendLine(line);
            }
        }

        return beginning.ToString();
    }

    /// <summary>As it is, and as it would stand in an address, in JSON and in base64, wherever there.</summary>
    public static IEnumerable<string> Forms(string secret)
    {
        string[] plain = [secret, Uri.EscapeDataString(secret), JsonEncodedText.Encode(secret).ToString()];
        byte[] bytes = Encoding.UTF8.GetBytes(secret);
        return plain.Concat(Enumerable.Range(0, 3).Select(before => Inner(bytes, before))).Distinct();
    }

    /// <summary>The characters of its base64 on which what stands before and behind it has no bearing.</summary>
    private static string Inner(byte[] secret, int before)
    {
        string all = Convert.ToBase64String([.. new byte[before], .. secret]);
        int whole = (before + secret.Length) / 3 * 4;
        return all[(before == 0 ? 0 : 4)..whole];
    }

    private static StreamWriter? Open()
    {
        if (Environment.GetEnvironmentVariable("TESTS_SECRETS") is not { Length: > 0 } directory)
        {
            return null;
        }

        string name = Path.Combine(directory, $"{AppDomain.CurrentDomain.FriendlyName}-{Environment.ProcessId}");
        var written = new StreamWriter(name, append: true) { AutoFlush = true };
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(name, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }

        return written;
    }
}
