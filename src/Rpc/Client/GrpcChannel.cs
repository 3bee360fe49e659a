using Grpc.Core;
using Grpc.Net.Client.Configuration;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Squall.Rpc;

namespace Grpc.Net.Client;

/// A server's address and the connections to it. Making one connects to nothing; it is meant to be kept and shared.
public sealed class GrpcChannel : ChannelBase, IDisposable
{
    private readonly Connectivity connectivity = new();
    private readonly CancellationTokenSource closing = new();

    private GrpcChannel(Uri address, GrpcChannelOptions options)
        : base(address.Authority)
    {
        options.ServiceConfig?.Check();
        Address = address;
        Options = options;
        Security = new ChannelSecurity(address, options);
        Encodings = options.CompressionProviders is { } providers
            ? new MessageEncodings(providers) : MessageEncodings.Default;
        RetryBuffer = new RetryBuffer(options.MaxRetryBufferSize, options.MaxRetryBufferPerCallSize);
        Throttle = new RetryThrottle(options.ServiceConfig?.RetryThrottling);
        Redial = new Redial(options.InitialReconnectBackoff, options.MaxReconnectBackoff, options.Time);
        Closing = closing.Token;
        ILoggerFactory loggers = options.LoggerFactory
            ?? options.ServiceProvider?.GetService(typeof(ILoggerFactory)) as ILoggerFactory
            ?? NullLoggerFactory.Instance;
        Logger = loggers.CreateLogger<GrpcChannel>();
        Transport = new ChannelTransport(address, options, Logger);
    }

    /// What is known of the connection: how the last call or ConnectAsync fared.
    public ConnectivityState State => connectivity.State;

    internal Uri Address { get; }

    internal GrpcChannelOptions Options { get; }

    internal ChannelSecurity Security { get; }

    internal ChannelTransport Transport { get; }

    internal MessageEncodings Encodings { get; }

    internal RetryBuffer RetryBuffer { get; }

    internal RetryThrottle Throttle { get; }

    internal RetryPolicy? RetryPolicyOf(IMethod method) => Options.ServiceConfig?.Find(method)?.RetryPolicy;

    internal Redial Redial { get; }

    internal CancellationToken Closing { get; }

    internal ILogger Logger { get; }

    /// A channel to an address such as http://localhost:7080 or https://localhost:7443.
    public static GrpcChannel ForAddress(string address) => ForAddress(address, new GrpcChannelOptions());

    public static GrpcChannel ForAddress(string address, GrpcChannelOptions channelOptions) =>
        ForAddress(new Uri(address), channelOptions);

    public static GrpcChannel ForAddress(Uri address) => ForAddress(address, new GrpcChannelOptions());

    public static GrpcChannel ForAddress(Uri address, GrpcChannelOptions channelOptions)
    {
        ArgumentNullException.ThrowIfNull(address);
        ArgumentNullException.ThrowIfNull(channelOptions);
        if (!address.IsAbsoluteUri || address.Scheme != Uri.UriSchemeHttp && address.Scheme != Uri.UriSchemeHttps)
        {
            throw new ArgumentException(
                $"'{address}' is not an address: it is to begin with http:// or https://.", nameof(address));
        }

        return new GrpcChannel(address, channelOptions);
    }

    public override CallInvoker CreateCallInvoker()
    {
        ObjectDisposedException.ThrowIf(closing.IsCancellationRequested, this);
        return new HttpCallInvoker(this);
    }

    /// Finds out whether the server accepts connections; throws RpcException UNAVAILABLE if not.
    /// Calls do not need it: they connect by themselves.
    public async Task ConnectAsync(CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(closing.IsCancellationRequested, this);
        connectivity.Set(ConnectivityState.Connecting);
        try
        {
            await Transport.ConnectAsync(cancellationToken).ConfigureAwait(false);
            connectivity.Set(ConnectivityState.Ready);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            connectivity.Set(ConnectivityState.Idle);
            throw;
        }
        catch (Exception e)
        {
            connectivity.Set(ConnectivityState.TransientFailure);
            throw new RpcException(TransportFailure.ToStatus(e, Address));
        }
    }

    /// Waits until State is another than `lastObservedState`.
    public Task WaitForStateChangedAsync(
        ConnectivityState lastObservedState, CancellationToken cancellationToken = default) =>
        connectivity.WaitForChangeAsync(lastObservedState, cancellationToken);

    /// Cancels the calls that are under way and closes the connections.
    public void Dispose()
    {
        if (!closing.IsCancellationRequested)
        {
            closing.Cancel();
            connectivity.Set(ConnectivityState.Shutdown);
            Transport.Dispose();
            closing.Dispose();
        }
    }

    internal void Reached(bool reached)
    {
        if (reached)
        {
            Redial.Succeeded();
        }
        else
        {
            Redial.Failed();
        }

        connectivity.Set(reached ? ConnectivityState.Ready : ConnectivityState.TransientFailure);
    }

    protected override Task ShutdownAsyncCore()
    {
        Dispose();
        return Task.CompletedTask;
    }
}
