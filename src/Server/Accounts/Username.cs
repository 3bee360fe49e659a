using System.Text;
using Grpc.Core;

namespace Squall.Server;

/// <summary>Usernames: 3 to 32 of a-z, 0-9, '.', '_' and '-'; upper case is taken as lower.</summary>
internal static class Username
{
    private const int CharactersMin = 3;
    private const int CharactersMax = 32;

    /// <summary>The name as it is kept.</summary>
    /// <exception cref="RpcException">INVALID_ARGUMENT: it can be nobody's.</exception>
    public static string Parse(string field, string name)
    {
        if (name.Length == 0)
        {
            throw Fault.Required(field);
        }

        return name.Length is >= CharactersMin and <= CharactersMax && name.All(IsAllowed)
            ? name.ToLowerInvariant()
            : throw Fault.Field(
                field, "USERNAME_FORMAT",
                $"must be {CharactersMin} to {CharactersMax} of a-z, 0-9, '.', '_' and '-'");
    }

    /// <summary>A name made legal: of an e-mail address what is before the @.</summary>
    public static string From(string text)
    {
        string legal = new([.. text.Split('@')[0].Normalize(NormalizationForm.FormKD).ToLowerInvariant()
            .Where(IsAllowed).Take(CharactersMax)]);
        return legal.Length < CharactersMin ? "user" : legal;
    }

    /// <summary>A name with a number behind it, cut so that it fits.</summary>
    public static string Numbered(string name, string number) =>
        name[..Math.Min(name.Length, CharactersMax - number.Length)] + number;

    private static bool IsAllowed(char unit) => char.IsAsciiLetterOrDigit(unit) || unit is '.' or '_' or '-';
}
