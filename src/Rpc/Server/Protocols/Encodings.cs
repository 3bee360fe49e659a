using System.IO.Compression;
using Grpc.Core;
using Grpc.Net.Compression;
using Microsoft.Extensions.Primitives;

namespace Squall.Rpc;

/// The encodings of one service: those that requests may have, and the one that answers get if their caller takes it.
internal sealed class Encodings
{
    private const string Identity = "identity";

    private readonly IReadOnlyList<ICompressionProvider> providers;
    private readonly ICompressionProvider? response;
    private readonly CompressionLevel? level;

    /// Answers are compressed from `bytesMin` on: a small one only grows.
    public Encodings(
        IEnumerable<ICompressionProvider> providers, string? response, CompressionLevel? level, int bytesMin)
    {
        this.providers = [.. providers.DistinctBy(provider => provider.EncodingName)];
        this.response = response is null or Identity ? null : Find(response) ?? throw new InvalidOperationException(
            $"Responses are to be compressed as {response}, for which no compression provider is configured.");
        this.level = level;
        BytesMin = bytesMin;
        Accepted = string.Join(',', this.providers.Select(provider => provider.EncodingName).Prepend(Identity));
    }

    /// All that requests may have, as headers tell it.
    public string Accepted { get; }

    public int BytesMin { get; }

    /// What a request's encoding is inflated with; false if nobody here knows the encoding.
    public bool TryFind(StringValues encoding, out ICompressionProvider? provider)
    {
        provider = null;
        if (encoding.Count == 0)
        {
            return true;
        }

        provider = encoding.Count == 1 ? Find(encoding[0]!) : null;
        return provider is not null || encoding == Identity;
    }

    /// What a request is refused with whose encoding nobody here knows.
    public RpcException Unknown(string what) => Refusal.Of(
        new Status(StatusCode.Unimplemented, $"The server reads {what} in {Accepted}, and in no other encoding."),
        ErrorReasons.UnknownEncoding);

    /// What the answer is compressed with, for a caller that takes these encodings; null: with nothing.
    public ICompressionProvider? ForAnswer(StringValues accepted)
    {
        if (response is null)
        {
            return null;
        }

        foreach (string? line in accepted)
        {
            foreach (Range part in line.AsSpan().Split(','))
            {
                ReadOnlySpan<char> name = line.AsSpan(part).Trim();
                int parameters = name.IndexOf(';');
                bool refused = parameters >= 0 && IsZero(name[(parameters + 1)..]);
                if (!refused && (parameters < 0 ? name : name[..parameters].TrimEnd()).SequenceEqual(
                    response.EncodingName))
                {
                    return response;
                }
            }
        }

        return null;
    }

    public ReadOnlyMemory<byte> Deflate(ICompressionProvider provider, ReadOnlyMemory<byte> plain) =>
        provider.Deflate(plain, level);

    /// Whether a weight such as `q=0.0` says that the encoding is not wanted.
    private static bool IsZero(ReadOnlySpan<char> weight)
    {
        ReadOnlySpan<char> text = weight.Trim();
        return text.StartsWith("q=0", StringComparison.OrdinalIgnoreCase) && text[3..].Trim(".0").IsEmpty;
    }

    private ICompressionProvider? Find(string name)
    {
        foreach (ICompressionProvider provider in providers)
        {
            if (string.Equals(provider.EncodingName, name, StringComparison.Ordinal))
            {
                return provider;
            }
        }

        return null;
    }
}
