using System.Net;
using System.Net.Sockets;
using System.Reflection;
using Grpc.Core;
using Microsoft.Extensions.Logging;

namespace Grpc.Net.Client;

/// What a channel's requests are sent through.
internal sealed class ChannelTransport : IDisposable
{
    public static readonly string UserAgent = "grpc-dotnet-squall/" + typeof(ChannelTransport).Assembly
        .GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];

    /// Marks a request whose version of HTTP the channel's options name: a handler is not to choose another.
    public static readonly HttpRequestOptionsKey<bool> VersionIsNamed = new("Squall.Rpc.VersionIsNamed");

    private static readonly Method<string, string> Nothing = new(
        MethodType.Unary, "", "", Marshallers.StringMarshaller, Marshallers.StringMarshaller);

    private static readonly TimeSpan PingDelayMax = TimeSpan.FromHours(1);

    private readonly Uri address;
    private readonly GrpcChannelOptions options;
    private readonly ILogger logger;
    private readonly HttpClient? client;
    private readonly List<HttpMessageInvoker> retired = [];
    private readonly bool disposes;
    private readonly Lock gate = new();
    private volatile HttpMessageInvoker? invoker;

    public ChannelTransport(Uri address, GrpcChannelOptions options, ILogger logger)
    {
        if (options is { HttpClient: not null, HttpHandler: not null })
        {
            throw new ArgumentException("HttpClient and HttpHandler are not to be set together.", nameof(options));
        }

        this.address = address;
        this.options = options;
        this.logger = logger;
        client = options.HttpClient;
        disposes = options.DisposeHttpClient || options is { HttpClient: null, HttpHandler: null };
        invoker = client is null
            ? new HttpMessageInvoker(options.HttpHandler ?? CreateHandler(address, PingDelay), disposes)
            : null;
    }

    /// How long a connection is quiet before it is pinged.
    public TimeSpan PingDelay { get; private set; } = TimeSpan.FromSeconds(30);

    /// How often the transport was replaced.
    public int Generation { get; private set; }

    /// Ends when the response's headers are there; an HttpMessageInvoker never waits for more.
    public Task<HttpResponseMessage> SendAsync(
        HttpRequestMessage request, IMethod method, CancellationToken cancellationToken)
    {
        request.Version = options.HttpVersion ?? options.Protocol.DefaultVersion(address, method);
        request.VersionPolicy = options.HttpVersionPolicy ?? (options.HttpVersion is null
            ? options.Protocol.DefaultPolicy(address) : HttpVersionPolicy.RequestVersionExact);
        if (options.HttpVersion is not null || options.HttpVersionPolicy is not null)
        {
            request.Options.Set(VersionIsNamed, true);
        }

        return client is null
            ? invoker!.SendAsync(request, cancellationToken)
            : client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
    }

    /// Makes a connection. What a handler that is not ours has instead of TCP, it alone knows: it is given a request
    /// which asks for nothing, and whatever the answer is, there was a connection for it.
    public async Task ConnectAsync(CancellationToken cancellationToken)
    {
        if (client is null && options.HttpHandler is null)
        {
            using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
            await socket.ConnectAsync(address.DnsSafeHost, address.Port, cancellationToken).ConfigureAwait(false);
            return;
        }

        using var request = new HttpRequestMessage(HttpMethod.Options, address);
        try
        {
            using HttpResponseMessage answer =
                await SendAsync(request, Nothing, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception failure) when (TransportFailure.IsOfStream(failure))
        {
            // Refused, by a server that is there.
        }
    }

    /// Hears what a call failed with. A server that calls our own handler to calm gets half as many pings on its next
    /// connections; the calls on the others go on.
    public void Note(Exception failure, int generation)
    {
        if (options.HttpHandler is not null || client is not null || !TransportFailure.IsCalledToCalm(failure))
        {
            return;
        }

        lock (gate)
        {
            if (generation != Generation || PingDelay >= PingDelayMax)
            {
                return;
            }

            PingDelay *= 2;
            Generation++;
            retired.Add(invoker!);
            invoker = new HttpMessageInvoker(CreateHandler(address, PingDelay));
        }

        logger.PingsTooMany(PingDelay);
    }

    public void Dispose()
    {
        invoker?.Dispose();
        lock (gate)
        {
            retired.ForEach(old => old.Dispose());
        }

        if (disposes)
        {
            client?.Dispose();
        }
    }

    internal static SocketsHttpHandler CreateHandler(Uri address, TimeSpan pingDelay) => new()
    {
        AllowAutoRedirect = false,
        AutomaticDecompression = DecompressionMethods.None,
        UseCookies = false,
        // No proxy passes HTTP/2 in clear text on.
        UseProxy = address.Scheme == Uri.UriSchemeHttps,
        ConnectTimeout = TimeSpan.FromSeconds(20),
        // A server gives a connection some 100 streams; subscriptions alone can need more.
        EnableMultipleHttp2Connections = true,
        // A peer that has vanished without a word is noticed within 50 s, but an idle connection is left in peace.
        KeepAlivePingDelay = pingDelay,
        KeepAlivePingTimeout = TimeSpan.FromSeconds(20),
        KeepAlivePingPolicy = HttpKeepAlivePingPolicy.WithActiveRequests,
        // Below the 130 s after which Kestrel closes idle connections: whoever closes first avoids the race.
        PooledConnectionIdleTimeout = TimeSpan.FromSeconds(100),
    };
}
