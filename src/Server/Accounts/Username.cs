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

    private static bool IsAllowed(char unit) => char.IsAsciiLetterOrDigit(unit) || unit is '.' or '_' or '-';
}
