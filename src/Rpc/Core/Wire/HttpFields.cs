using System.Buffers;
using Grpc.Core;

namespace Squall.Rpc;

/// What of HTTP's header fields is a call's metadata, and how the one is written as the other.
public static class HttpFields
{
    public const string Encoding = "grpc-encoding";
    public const string AcceptEncoding = "grpc-accept-encoding";
    public const string PreviousAttempts = "grpc-previous-rpc-attempts";
    public const string RetryPushback = "grpc-retry-pushback-ms";

    private static readonly SearchValues<char> NameCharacters =
        SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789_.-");

    // HTTP's own, and those that HTTP/2 forbids: as metadata they would break the request or the connection.
    private static readonly HashSet<string> HttpOwn = new(StringComparer.OrdinalIgnoreCase)
    {
        "connection", "content-encoding", "content-length", "content-type", "host", "keep-alive", "proxy-connection",
        "te", "trailer", "transfer-encoding", "upgrade",
    };

    // Under gRPC's reserved prefix, and yet meant for whoever reads metadata.
    private static readonly HashSet<string> ReservedButShown = new(StringComparer.OrdinalIgnoreCase)
    {
        StatusTrailers.Details, PreviousAttempts, RetryPushback, "grpc-trace-bin", "grpc-tags-bin",
    };

    /// Lower-case letters, digits, `_`, `.` and `-`, at least one.
    public static bool IsName(ReadOnlySpan<char> name) => name.Length > 0 && name.IndexOfAnyExcept(NameCharacters) < 0;

    /// Whether a field of this name is metadata, and not HTTP's or gRPC's own.
    public static bool IsMetadata(string name) =>
        name.Length > 0 && name[0] != ':' && !HttpOwn.Contains(name)
        && (!name.StartsWith("grpc-", StringComparison.OrdinalIgnoreCase) || ReservedButShown.Contains(name));

    /// Adds a received field to `metadata`, if it is metadata. Bytes that metadata cannot carry are dropped from the
    /// value, with the spaces around it, and a field whose name it cannot carry is dropped whole; -bin values that are
    /// not base64 are INTERNAL.
    public static void Read(Metadata metadata, string name, string value)
    {
        name = name.ToLowerInvariant();
        if (!IsMetadata(name) || !IsName(name))
        {
            return;
        }

        if (!name.EndsWith(BinaryHeader.Suffix, StringComparison.Ordinal))
        {
            metadata.Add(name, (IsPlain(value) ? value : string.Concat(value.Where(IsPrintable))).Trim(' '));
            return;
        }

        if (!BinaryHeader.TryDecode(value, out List<byte[]> values))
        {
            throw new RpcException(new Status(StatusCode.Internal, $"The header {name} is not base64."));
        }

        values.ForEach(bytes => metadata.Add(name, bytes));
    }

    /// What an entry's value looks like on the wire; INTERNAL if it cannot be carried there.
    public static string Write(Metadata.Entry entry)
    {
        if (entry.IsBinary)
        {
            return BinaryHeader.Encode(entry.ValueBytes);
        }

        return IsPlain(entry.Value) ? entry.Value.Trim(' ') : throw Refusal.Of(
            new Status(StatusCode.Internal, $"The metadata {entry.Key} has characters outside printable ASCII."),
            ErrorReasons.InvalidResponseMetadata);
    }

    private static bool IsPlain(ReadOnlySpan<char> value) => !value.ContainsAnyExceptInRange(' ', '~');

    private static bool IsPrintable(char c) => c is >= ' ' and <= '~';
}
