using System.IO.Compression;
using Grpc.Net.Compression;

namespace Grpc.Net.Client;

/// The encodings that a channel knows: those it may send requests in, and takes responses in.
internal sealed class MessageEncodings
{
    public const string Identity = "identity";

    private readonly List<ICompressionProvider> providers;

    public MessageEncodings(IEnumerable<ICompressionProvider> providers)
    {
        this.providers = [.. providers];
        Names = string.Join(',', this.providers.Select(provider => provider.EncodingName));
        Accepted = Names.Length > 0 ? $"{Identity},{Names}" : Identity;
    }

    /// gzip and deflate.
    public static MessageEncodings Default { get; } = new(
    [
        new GzipCompressionProvider(CompressionLevel.Fastest), new DeflateCompressionProvider(CompressionLevel.Fastest),
    ]);

    /// As gRPC lists what is accepted.
    public string Accepted { get; }

    /// The same without identity, as HTTP lists it.
    public string Names { get; }

    /// Null if the encoding is not known; identity is none.
    public ICompressionProvider? Find(string? name) => providers.Find(provider => provider.EncodingName == name);
}
