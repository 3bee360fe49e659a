using System.Buffers.Text;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace Squall.Server;

/// <summary>
/// Tokens: a prefix that says what it is, and 256 random bits. They are told once; what is kept is a hash.
/// </summary>
internal static class Token
{
    public const string Access = "sqa_";
    public const string Refresh = "sqr_";
    public const string ApiKey = "sqk_";
    private const int Bytes = 32;
    private const int Characters = 4 + 43;

    public static string New(string prefix) => prefix + Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(Bytes));

    /// <summary>Whether it has the form of a token of this prefix; if not, nobody has to be asked.</summary>
    public static bool HasForm(string token, string prefix) =>
        token.Length == Characters && token.StartsWith(prefix, StringComparison.Ordinal)
        && Base64Url.IsValid(token.AsSpan(prefix.Length));

    public static byte[] Hash(string token) => SHA256.HashData(Encoding.UTF8.GetBytes(token));
}

/// <summary>The hash of a token as a key of a dictionary.</summary>
internal readonly record struct TokenKey(ulong A, ulong B, ulong C, ulong D)
{
    public static TokenKey Of(ReadOnlySpan<byte> hash) => MemoryMarshal.Read<TokenKey>(hash);
}
