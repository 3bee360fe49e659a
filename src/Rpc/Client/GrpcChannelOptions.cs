using Grpc.Core;
using Grpc.Net.Client.Configuration;
using Grpc.Net.Compression;
using Microsoft.Extensions.Logging;
using Squall.Rpc;

namespace Grpc.Net.Client;

/// How a channel connects and what its calls are held to. Read when the channel is made.
public sealed class GrpcChannelOptions
{
    private TimeSpan initialReconnectBackoff = TimeSpan.FromSeconds(1);
    private TimeSpan? maxReconnectBackoff = TimeSpan.FromMinutes(2);

    /// What the channel's calls prove, and that it is secure. Null: as the address's scheme says.
    public ChannelCredentials? Credentials { get; set; }

    /// What requests are sent through, in place of the channel's own handler. Not together with HttpClient.
    public HttpMessageHandler? HttpHandler { get; set; }

    /// What requests are sent through, in place of the channel's own. Its Timeout ends streams, too.
    public HttpClient? HttpClient { get; set; }

    /// Whether HttpClient or HttpHandler is disposed with the channel.
    public bool DisposeHttpClient { get; set; }

    /// Where failures are told, at Debug. Null: the service provider's, if there is one.
    public ILoggerFactory? LoggerFactory { get; set; }

    /// The largest message that may be sent, in bytes. Null: any.
    public int? MaxSendMessageSize { get; set; }

    /// The largest message that is taken, in bytes, after decompression. Null: any.
    public int? MaxReceiveMessageSize { get; set; } = 4 * 1024 * 1024;

    /// How often a call is tried at most, the first time included, whatever its policy says. Null: as the policy says.
    public int? MaxRetryAttempts { get; set; } = 5;

    /// How many bytes of streamed requests are kept for further attempts, over all calls of the channel. Null: any.
    public long? MaxRetryBufferSize { get; set; } = 16 * 1024 * 1024;

    /// The same of one call. A call that streams more than is kept is not tried again.
    public long? MaxRetryBufferPerCallSize { get; set; } = 1024 * 1024;

    /// The encodings that requests may be sent in and responses are taken in. Null: gzip and deflate.
    public IList<ICompressionProvider>? CompressionProviders { get; set; }

    /// Whether call credentials are sent in clear text to hosts other than this one.
    public bool UnsafeUseInsecureChannelCallCredentials { get; set; }

    /// Whether a call that is cancelled or late throws OperationCanceledException in place of RpcException.
    public bool ThrowOperationCanceledOnCancellation { get; set; }

    /// What is tried again.
    public ServiceConfig? ServiceConfig { get; set; }

    /// For other implementations' sake: there are no resolvers here, whose configuration it would ignore.
    public bool DisableResolverServiceConfig { get; set; }

    /// The bound of the wait before a server that was not reached is dialled anew. Each wait is a random part of it.
    public TimeSpan InitialReconnectBackoff
    {
        get => initialReconnectBackoff;
        set => initialReconnectBackoff = Positive(value);
    }

    /// What that bound grows to. Null: without end.
    public TimeSpan? MaxReconnectBackoff
    {
        get => maxReconnectBackoff;
        set => maxReconnectBackoff = value is null ? null : Positive(value.Value);
    }

    /// Where the channel finds its logger factory, if it is not given one.
    public IServiceProvider? ServiceProvider { get; set; }

    /// The HTTP version of requests. Null: 2.
    public Version? HttpVersion { get; set; }

    /// What may be used in place of HttpVersion. Null: nothing.
    public HttpVersionPolicy? HttpVersionPolicy { get; set; }

    /// What the calls speak, gRPC unless another was chosen.
    internal CallProtocol Protocol { get; set; } = GrpcProtocol.Instance;

    /// What the messages are written in.
    internal ClientCodec Codec { get; set; } = ClientCodec.Proto;

    internal TimeProvider Time { get; set; } = TimeProvider.System;

    private static TimeSpan Positive(TimeSpan value) =>
        value > TimeSpan.Zero ? value : throw new ArgumentException("A backoff is to be more than nothing.");
}
