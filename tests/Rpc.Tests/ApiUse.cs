using Grpc.Core;
using Grpc.Core.Interceptors;
using Grpc.Net.Client;
using Grpc.Net.Client.Configuration;
using Grpc.Net.Client.Web;

// Code as grpc-dotnet's users write it, which is to compile, and work, as it is: nothing here is Squall's own.
namespace Ordinary.Application;

using Squall.Rpc.Tests;

/// Logs and times calls, on either side.
public sealed class RecordingInterceptor(List<string> record) : Interceptor
{
    public override AsyncUnaryCall<TResponse> AsyncUnaryCall<TRequest, TResponse>(
        TRequest request,
        ClientInterceptorContext<TRequest, TResponse> context,
        AsyncUnaryCallContinuation<TRequest, TResponse> continuation)
    {
        record.Add($"client {context.Method.Type} {context.Method.FullName}");
        Metadata headers = context.Options.Headers ?? [];
        headers.Add("caller", "someone");
        var options = context.Options.WithHeaders(headers);
        AsyncUnaryCall<TResponse> call = continuation(
            request, new ClientInterceptorContext<TRequest, TResponse>(context.Method, context.Host, options));
        return new AsyncUnaryCall<TResponse>(
            RecordAsync(call.ResponseAsync),
            call.ResponseHeadersAsync,
            call.GetStatus,
            call.GetTrailers,
            call.Dispose);
    }

    public override AsyncServerStreamingCall<TResponse> AsyncServerStreamingCall<TRequest, TResponse>(
        TRequest request,
        ClientInterceptorContext<TRequest, TResponse> context,
        AsyncServerStreamingCallContinuation<TRequest, TResponse> continuation)
    {
        record.Add($"client {context.Method.Type}");
        return base.AsyncServerStreamingCall(request, context, continuation);
    }

    public override async Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
        TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation)
    {
        record.Add($"server {context.Method} by {context.RequestHeaders.GetValue("caller")}");
        try
        {
            return await continuation(request, context);
        }
        catch (RpcException e) when (e.StatusCode == StatusCode.NotFound)
        {
            record.Add("not found");
            throw;
        }
    }

    private async Task<TResponse> RecordAsync<TResponse>(Task<TResponse> response)
    {
        try
        {
            return await response;
        }
        finally
        {
            record.Add("client done");
        }
    }
}

/// A service of all four kinds.
public sealed class OrdinaryService : EchoService.EchoServiceBase
{
    public override async Task<EchoResponse> Unary(EchoRequest request, ServerCallContext context)
    {
        await context.WriteResponseHeadersAsync(new Metadata { { "x-peer", context.Peer } });
        context.ResponseTrailers.Add("x-host-bin", System.Text.Encoding.UTF8.GetBytes(context.Host));
        if (request.Text.Length == 0)
        {
            throw new RpcException(new Status(StatusCode.NotFound, "nothing"), new Metadata { { "x-why", "empty" } });
        }

        return new EchoResponse { Text = request.Text };
    }

    public override async Task Repeat(
        EchoRequest request, IServerStreamWriter<EchoResponse> responseStream, ServerCallContext context)
    {
        responseStream.WriteOptions = new WriteOptions(WriteFlags.NoCompress);
        for (int i = 0; i < request.Count && !context.CancellationToken.IsCancellationRequested; i++)
        {
            await responseStream.WriteAsync(new EchoResponse { Index = i }, context.CancellationToken);
        }
    }

    public override async Task<EchoResponse> Collect(
        IAsyncStreamReader<EchoRequest> requestStream, ServerCallContext context)
    {
        int count = 0;
        while (await requestStream.MoveNext(context.CancellationToken))
        {
            count += requestStream.Current.Text.Length;
        }

        context.Status = new Status(StatusCode.OK, "");
        return new EchoResponse { Index = count };
    }

    public override async Task Chat(
        IAsyncStreamReader<EchoRequest> requestStream,
        IServerStreamWriter<EchoResponse> responseStream,
        ServerCallContext context)
    {
        await foreach (EchoRequest request in requestStream.ReadAllAsync(context.CancellationToken))
        {
            await responseStream.WriteAsync(new EchoResponse { Text = request.Text });
        }
    }
}

/// Channels as they are configured.
public static class OrdinaryChannels
{
    public static GrpcChannel Create(Uri address) => GrpcChannel.ForAddress(address, new GrpcChannelOptions
    {
        MaxReceiveMessageSize = 8 * 1024 * 1024,
        MaxSendMessageSize = null,
        MaxRetryAttempts = 4,
        MaxRetryBufferSize = 1024 * 1024,
        MaxRetryBufferPerCallSize = 64 * 1024,
        ThrowOperationCanceledOnCancellation = true,
        InitialReconnectBackoff = TimeSpan.FromSeconds(2),
        MaxReconnectBackoff = TimeSpan.FromSeconds(30),
        DisableResolverServiceConfig = true,
        UnsafeUseInsecureChannelCallCredentials = true,
        Credentials = ChannelCredentials.Create(new SslCredentials(), CallCredentials.FromInterceptor(AuthoriseAsync)),
        ServiceConfig = new ServiceConfig
        {
            MethodConfigs =
            {
                new MethodConfig
                {
                    Names = { MethodName.Default },
                    RetryPolicy = new RetryPolicy
                    {
                        MaxAttempts = 3,
                        InitialBackoff = TimeSpan.FromMilliseconds(100),
                        MaxBackoff = TimeSpan.FromSeconds(1),
                        BackoffMultiplier = 1.5,
                        RetryableStatusCodes = { StatusCode.Unavailable },
                    },
                },
            },
            RetryThrottling = new RetryThrottlingPolicy { MaxTokens = 10, TokenRatio = 0.1 },
        },
    });

    public static GrpcChannel CreateWeb(string address) => GrpcChannel.ForAddress(address, new GrpcChannelOptions
    {
        HttpHandler = new GrpcWebHandler(GrpcWebMode.GrpcWebText, new HttpClientHandler()),
        DisposeHttpClient = true,
    });

    private static async Task AuthoriseAsync(AuthInterceptorContext context, Metadata metadata)
    {
        await Task.Yield();
        metadata.Add("authorization", $"Bearer {context.MethodName} {context.ServiceUrl.Length > 0}");
    }
}

/// A context for unit tests, as they subclass it.
public sealed class UnitTestContext(Metadata requestHeaders, CancellationToken token) : ServerCallContext
{
    private readonly Metadata trailers = [];

    public Metadata? SentHeaders { get; private set; }

    protected override string MethodCore => "/s/m";

    protected override string HostCore => "host";

    protected override string PeerCore => "peer";

    protected override DateTime DeadlineCore => DateTime.MaxValue;

    protected override Metadata RequestHeadersCore => requestHeaders;

    protected override CancellationToken CancellationTokenCore => token;

    protected override Metadata ResponseTrailersCore => trailers;

    protected override Status StatusCore { get; set; }

    protected override WriteOptions? WriteOptionsCore { get; set; }

    protected override AuthContext AuthContextCore => new(null, []);

    protected override ContextPropagationToken CreatePropagationTokenCore(ContextPropagationOptions? options) =>
        throw new NotSupportedException();

    protected override Task WriteResponseHeadersAsyncCore(Metadata responseHeaders)
    {
        SentHeaders = responseHeaders;
        return Task.CompletedTask;
    }
}

/// A client that answers without a server.
public sealed class ClientDouble : EchoService.EchoServiceClient
{
    public override AsyncUnaryCall<EchoResponse> UnaryAsync(EchoRequest request, CallOptions options) => new(
        Task.FromResult(new EchoResponse { Text = "double of " + request.Text }),
        Task.FromResult(new Metadata()),
        () => Status.DefaultSuccess,
        () => [],
        () => { });
}
