using Grpc.Core;
using Grpc.Net.Compression;
using Squall.Rpc;

namespace Grpc.Net.Client;

/// What each attempt of a call sends.
internal sealed class CallRequest(
    GrpcChannel channel, IMethod method, string? host, CallOptions options, CallLifetime lifetime, RequestFlow flow)
{
    /// The header by which a caller names the encoding of its requests; it is not sent.
    private const string EncodingHeader = "grpc-internal-encoding-request";

    public GrpcChannel Channel => channel;

    public IMethod Method => method;

    public string? Host => host;

    public CallLifetime Lifetime => lifetime;

    /// The messages.
    public RequestFlow Flow => flow;

    /// What messages may be compressed with; null: none is.
    public ICompressionProvider? Encoding { get; } = EncodingOf(channel, options);

    /// The caller's metadata, and what credentials added.
    public IEnumerable<Metadata.Entry> Metadata => (options.Headers ?? Core.Metadata.Empty).Concat(Proof);

    public Metadata Proof { get; } = [];

    /// Asks the credentials anew: what they gave for the attempt before may have expired.
    public Task ProveAsync()
    {
        Proof.Clear();
        return channel.Security.ProveAsync(options.Credentials, method, Proof, lifetime.Token);
    }

    /// The encoding that the caller asked for; INTERNAL if the channel does not know it.
    public static ICompressionProvider? EncodingOf(GrpcChannel channel, CallOptions options) =>
        options.Headers?.GetValue(EncodingHeader) is not { } name || name == MessageEncodings.Identity
            ? null
            : channel.Encodings.Find(name) ?? throw new RpcException(new Status(
                StatusCode.Internal, $"Requests cannot be encoded as '{name}': the channel has no provider of it."));
}
