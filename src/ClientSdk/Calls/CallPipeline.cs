using Grpc.Core;
using Grpc.Core.Interceptors;
using Squall.V1;

namespace Squall.Client;

/// <summary>
/// What every call passes, raw ones too: it refuses to send secrets in clear text, gives unary calls a deadline and a
/// request id, proves who calls, and tries again where that is safe.
/// </summary>
/// <param name="tokens">Null for the calls that get tokens.</param>
internal sealed class CallPipeline(SquallClientOptions options, RetryBudget budget, TokenKeeper? tokens) : Interceptor
{
    private const string Proof = "authorization";
    private const long LeaseWaitSecondsMax = 3_600;

    /// <summary>Whether a call has an authorization of its own, beside which the client's has no place.</summary>
    public static bool ProvesItself(CallOptions call) =>
        call.Credentials is not null || call.Headers?.Get(Proof) is not null;

    public override AsyncUnaryCall<TResponse> AsyncUnaryCall<TRequest, TResponse>(
        TRequest request,
        ClientInterceptorContext<TRequest, TResponse> context,
        AsyncUnaryCallContinuation<TRequest, TResponse> continuation)
    {
        RefuseClearText(context.Method);
        var deadline = context.Options.Deadline
            ?? CallSettings.Deadline(options.TimeProvider, Timeout(request as LeaseWorkRequest));
        var bounded = new ClientInterceptorContext<TRequest, TResponse>(
            context.Method, context.Host, context.Options.WithDeadline(deadline));
        var call = new RepeatedCall<TRequest, TResponse>(options, budget, tokens, bounded, continuation);
        return new AsyncUnaryCall<TResponse>(
            call.RunAsync(request), call.ResponseHeadersAsync, call.GetStatus, call.GetTrailers, call.Dispose);
    }

    public override AsyncServerStreamingCall<TResponse> AsyncServerStreamingCall<TRequest, TResponse>(
        TRequest request,
        ClientInterceptorContext<TRequest, TResponse> context,
        AsyncServerStreamingCallContinuation<TRequest, TResponse> continuation) =>
        continuation(request, Proven(context));

    public override AsyncDuplexStreamingCall<TRequest, TResponse> AsyncDuplexStreamingCall<TRequest, TResponse>(
        ClientInterceptorContext<TRequest, TResponse> context,
        AsyncDuplexStreamingCallContinuation<TRequest, TResponse> continuation) =>
        continuation(Proven(context));

    public override TResponse BlockingUnaryCall<TRequest, TResponse>(
        TRequest request,
        ClientInterceptorContext<TRequest, TResponse> context,
        BlockingUnaryCallContinuation<TRequest, TResponse> continuation) =>
        throw new NotSupportedException($"Use {context.Method.Name}Async: tokens are renewed asynchronously.");

    private ClientInterceptorContext<TRequest, TResponse> Proven<TRequest, TResponse>(
        ClientInterceptorContext<TRequest, TResponse> context)
        where TRequest : class
        where TResponse : class
    {
        RefuseClearText(context.Method);
        if (ProvesItself(context.Options))
        {
            return context;
        }

        var proof = CallCredentials.FromInterceptor(async (call, metadata) =>
        {
            if (tokens is not null && await tokens.GetAsync(call.CancellationToken).ConfigureAwait(false) is { } token)
            {
                metadata.Add(Proof, $"Bearer {token}");
            }
        });
        return new(context.Method, context.Host, context.Options.WithCredentials(proof));
    }

    /// <summary>What the caller asks the server to wait for comes on top.</summary>
    private TimeSpan Timeout(LeaseWorkRequest? lease) =>
        options.Timeout == System.Threading.Timeout.InfiniteTimeSpan ? options.Timeout
            : options.Timeout + TimeSpan.FromSeconds(Math.Clamp(lease?.Wait?.Seconds ?? 0, 0, LeaseWaitSecondsMax));

    private void RefuseClearText(IMethod method)
    {
        var endpoint = options.Endpoint!;
        if (endpoint.Scheme == Uri.UriSchemeHttp && !options.AllowClearText && !IsThisHost(endpoint)
            && MethodTraits.Of(method).CarriesSecrets)
        {
            throw new InvalidOperationException(
                $"{method.Name} would send a password or token to {endpoint.Host} in clear text. Use https, or set "
                + $"{nameof(SquallClientOptions)}.{nameof(SquallClientOptions.AllowClearText)}.");
        }
    }

    private static bool IsThisHost(Uri endpoint) => endpoint.IsLoopback
        || (System.Net.IPAddress.TryParse(endpoint.DnsSafeHost, out var address)
            && System.Net.IPAddress.IsLoopback(address));
}
