using System.Globalization;
using System.Text;

namespace Squall.Server;

/// <summary>
/// The rules of every text in a request: characters are code points; control characters are refused, but tab, LF and
/// CR LF where a text has lines; half a surrogate pair, which JSON can spell, is refused.
/// </summary>
internal static class Text
{
    /// <summary>A text that must be there.</summary>
    /// <exception cref="Grpc.Core.RpcException">INVALID_ARGUMENT, with the field named.</exception>
    public static string Require(string field, string value, int charactersMax, bool lines = false) =>
        value.Length == 0 ? throw Fault.Required(field) : Allow(field, value, charactersMax, lines);

    /// <summary>A text that may be empty.</summary>
    /// <exception cref="Grpc.Core.RpcException">INVALID_ARGUMENT, with the field named.</exception>
    public static string Allow(string field, string value, int charactersMax, bool lines = false) =>
        Check(field, value, lines) > charactersMax
            ? throw Fault.TooLong(field, charactersMax, "characters")
            : value;

    /// <summary>A text that may be empty, and whose size is limited in bytes of UTF-8.</summary>
    /// <exception cref="Grpc.Core.RpcException">INVALID_ARGUMENT, with the field named.</exception>
    public static string AllowBytes(string field, string value, int bytesMax, bool lines = false)
    {
        Check(field, value, lines);
        return Encoding.UTF8.GetByteCount(value) > bytesMax ? throw Fault.TooLong(field, bytesMax, "bytes") : value;
    }

    /// <summary>How many characters there are, each of which is allowed.</summary>
    private static int Check(string field, string value, bool lines)
    {
        int characters = 0;
        for (int at = 0; at < value.Length; at++, characters++)
        {
            char unit = value[at];
            if (char.IsControl(unit) && !(lines && IsLayout(value, at)))
            {
                throw Fault.Field(field, "CHARACTER_NOT_ALLOWED", string.Create(
                    CultureInfo.InvariantCulture,
                    $"the control character U+{(int)unit:X4} at character {characters + 1} is not allowed"));
            }

            if (char.IsHighSurrogate(unit) && at + 1 < value.Length && char.IsLowSurrogate(value[at + 1]))
            {
                at++;
            }
            else if (char.IsSurrogate(unit))
            {
                throw Fault.Field(field, "CHARACTER_NOT_ALLOWED", string.Create(
                    CultureInfo.InvariantCulture,
                    $"character {characters + 1} is half a surrogate pair, which is no valid text"));
            }
        }

        return characters;
    }

    private static bool IsLayout(string value, int at) =>
        value[at] is '\t' or '\n' || (value[at] == '\r' && at + 1 < value.Length && value[at + 1] == '\n');
}
