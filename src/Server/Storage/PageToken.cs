using System.Buffers.Binary;
using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Grpc.Core;

namespace Squall.Server;

/// <summary>
/// The page tokens of calls with the same <paramref name="arguments"/>: the caller, the method, and whatever else
/// decides which rows there are and in which order (not the size of the page). A token is the keys of the page's last
/// row and a check over them and the arguments, in URL-safe base64: with other arguments it is refused like nonsense.
/// </summary>
internal sealed class PageToken(params string[] arguments)
{
    private const string Field = "page_token";
    private const int CheckBytes = 12;

    // The longest title and rank that can be allowed are some 41 KB, and a third more in base64.
    private const int TokenCharactersMax = 64 << 10;

    /// <summary>How many rows a page has.</summary>
    /// <exception cref="RpcException">INVALID_ARGUMENT: negative.</exception>
    public static int Size(int asked, Limits limits) => asked switch
    {
        < 0 => throw Fault.Field("page_size", "PAGE_SIZE", "must not be negative"),
        0 => limits.PageSizeDefault,
        _ => Math.Min(asked, limits.PageSizeMax),
    };

    /// <summary>A key that is a number, as it was written.</summary>
    /// <exception cref="RpcException">INVALID_ARGUMENT: it is none.</exception>
    public static long Number(string? key) =>
        long.TryParse(key, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long number)
            ? number
            : throw Refused();

    public static string Number(long key) => key.ToString(CultureInfo.InvariantCulture);

    /// <summary>The token of the page that begins after the row with these keys.</summary>
    public string Write(params string?[] keys)
    {
        byte[] encoded = Encode(keys);
        return Base64Url.EncodeToString([.. Check(encoded), .. encoded]);
    }

    /// <summary>The keys of the row that the page begins after; null for an empty token: the first page.</summary>
    /// <exception cref="RpcException">INVALID_ARGUMENT: nonsense, or of a call with other arguments.</exception>
    public string?[]? Read(string token, int keys)
    {
        if (token.Length == 0)
        {
            return null;
        }

        if (token.Length > TokenCharactersMax || !Base64Url.IsValid(token, out int length) || length < CheckBytes)
        {
            throw Refused();
        }

        byte[] bytes = Base64Url.DecodeFromChars(token);
        ReadOnlySpan<byte> encoded = bytes.AsSpan(CheckBytes);
        return Check(encoded).AsSpan().SequenceEqual(bytes.AsSpan(0, CheckBytes)) && Decode(encoded, keys) is { } found
            ? found
            : throw Refused();
    }

    private static RpcException Refused() =>
        Fault.Field(Field, "PAGE_TOKEN", "is none of a call with these arguments; start without one");

    private static byte[] Encode(string?[] parts)
    {
        using var bytes = new MemoryStream();
        Span<byte> length = stackalloc byte[4];
        foreach (string? part in parts)
        {
            byte[] text = Encoding.UTF8.GetBytes(part ?? "");
            BinaryPrimitives.WriteInt32BigEndian(length, part is null ? -1 : text.Length);
            bytes.Write(length);
            bytes.Write(text);
        }

        return bytes.ToArray();
    }

    private static string?[]? Decode(ReadOnlySpan<byte> bytes, int count)
    {
        var keys = new string?[count];
        for (int key = 0; key < count; key++)
        {
            if (bytes.Length < 4
                || BinaryPrimitives.ReadInt32BigEndian(bytes) is var length && length > bytes.Length - 4)
            {
                return null;
            }

            keys[key] = length < 0 ? null : Encoding.UTF8.GetString(bytes.Slice(4, length));
            bytes = bytes[(4 + Math.Max(length, 0))..];
        }

        return bytes.IsEmpty ? keys : null;
    }

    private byte[] Check(ReadOnlySpan<byte> keys)
    {
        byte[] bound = Encode(arguments);
        return SHA256.HashData([.. bound, 0xFF, .. keys])[..CheckBytes];
    }
}
