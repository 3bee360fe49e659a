using System.Buffers;
using Grpc.Core;
using Squall.Rpc;

namespace Grpc.Net.Client;

/// One call, of any of the four kinds. All kinds open, read and end in the same way; they differ in who writes the
/// request and in how many messages are read.
internal sealed class HttpCall<TRequest, TResponse>
    where TRequest : class
    where TResponse : class
{
    private readonly GrpcChannel channel;
    private readonly Method<TRequest, TResponse> method;
    private readonly string? host;
    private readonly CallOptions options;
    private readonly CallLifetime lifetime;
    private readonly TaskCompletionSource<Metadata> headers = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly RequestFlow? stream;
    private readonly Task<CallResponse> opening;
    private volatile CallResponse? response;
    private RequestEncoder<TRequest>? encoder;

    /// Starts the call, with its only request or, without one, with a stream of them.
    public HttpCall(
        GrpcChannel channel,
        Method<TRequest, TResponse> method,
        string? host,
        CallOptions options,
        TRequest? only)
    {
        ObjectDisposedException.ThrowIf(channel.Closing.IsCancellationRequested, channel);
        this.channel = channel;
        this.method = method;
        this.host = host;
        this.options = options;
        lifetime = new CallLifetime(channel, options);
        stream = only is null ? new RequestFlow(channel.RetryBuffer) : null;
        lifetime.Token.UnsafeRegister(_ => response?.Dispose(), null);
        opening = Observed(OpenAsync(only));
    }

    public CallLifetime Lifetime => lifetime;

    public Task<Metadata> Headers => headers.Task;

    public Status GetStatus() => lifetime.Outcome?.Status
        ?? throw new InvalidOperationException("Unable to get the status because the call is not complete.");

    public Metadata GetTrailers() => lifetime.Outcome?.Trailers
        ?? throw new InvalidOperationException("Unable to get the trailers because the call is not complete.");

    /// Ends the call as cancelled, unless it has ended.
    public void Dispose()
    {
        lifetime.Abort(new Status(StatusCode.Cancelled, "gRPC call disposed."));
        response?.Dispose();
    }

    /// The response of a call that has exactly one; anything else that ends OK is UNIMPLEMENTED.
    public Task<TResponse> ReadOnlyAsync() => Observed(ReadOnlyCoreAsync());

    /// The next of the responses; null after the last. A call that does not end OK throws, however often it is asked.
    public async Task<TResponse?> ReadNextAsync()
    {
        try
        {
            CallResponse opened = await opening.ConfigureAwait(false);
            if (lifetime.Outcome is null)
            {
                if (await ReadMessageAsync(opened).ConfigureAwait(false) is { } message)
                {
                    return message;
                }

                End(opened, opened.Outcome ?? opened.End());
            }
        }
        catch (Exception e)
        {
            throw lifetime.Fail(e);
        }

        return lifetime.Outcome!.Status.StatusCode == StatusCode.OK ? null : throw lifetime.ToException();
    }

    /// Writes one of a stream of requests.
    public async Task WriteAsync(TRequest message, WriteFlags flags, CancellationToken cancellationToken)
    {
        using CancellationTokenRegistration registration = lifetime.CancelWith(cancellationToken);
        // What the marshaller throws is its caller's own: there is no answer to wait for.
        FrameBuffer? encoded = encoder?.Encode(message, flags);
        try
        {
            // Without an encoder the call has failed before it began, and tells why.
            FrameBuffer frame = encoded ?? throw new OperationCanceledException();
            bool flush = (flags & WriteFlags.BufferHint) == 0;
            await stream!.WriteAsync(frame.Written, flush, lifetime.Ended, lifetime.Token).ConfigureAwait(false);
            // Only now: a write that was given up may still be reading from the buffer.
            frame.Dispose();
        }
        catch (Exception e) when (e is not RpcException)
        {
            throw await ExplainWriteFailureAsync(e).ConfigureAwait(false);
        }
    }

    /// Ends the stream of requests.
    public void CompleteRequests() => stream!.Complete();

    private async Task<TResponse> ReadOnlyCoreAsync()
    {
        try
        {
            CallResponse opened = await opening.ConfigureAwait(false);
            TResponse? message = await ReadMessageAsync(opened).ConfigureAwait(false);
            bool second = message is not null && await ReadPayloadAsync(opened).ConfigureAwait(false) is not null;
            if (second)
            {
                throw new RpcException(new Status(StatusCode.Unimplemented, "The response has more than one message."));
            }

            CallOutcome outcome = opened.Outcome ?? opened.End();
            if (message is null && outcome.Status.StatusCode == StatusCode.OK)
            {
                throw new RpcException(new Status(StatusCode.Unimplemented, "The response has no message."));
            }

            End(opened, outcome);
            return lifetime.Outcome!.Status.StatusCode == StatusCode.OK ? message! : throw lifetime.ToException();
        }
        catch (Exception e)
        {
            throw lifetime.Fail(e);
        }
    }

    /// Up to the response's headers: (1) tell of the call and watch the time, (2) encode the only request, (3) send,
    /// again as the policy says, (4) tell the headers, and the end where the response is nothing else.
    private async Task<CallResponse> OpenAsync(TRequest? only)
    {
        try
        {
            lifetime.Activity = CallActivity.Start(channel, method);
            lifetime.Watch();
            lifetime.Token.ThrowIfCancellationRequested();
            encoder = new(channel, method, method.RequestMarshaller, CallRequest.EncodingOf(channel, options));
            RequestFlow flow = stream
                ?? new RequestFlow(encoder.EncodeOnce(only!, options.WriteOptions?.Flags ?? default));
            var request = new CallRequest(channel, method, host, options, lifetime, flow);
            CallResponse opened = await new CallAttempts(request, options.IsWaitForReady).OpenAsync()
                .ConfigureAwait(false);
            response = opened;
            if (lifetime.Token.IsCancellationRequested)
            {
                opened.Dispose();
            }

            headers.TrySetResult(opened.Headers);
            if (opened.Outcome is { Status.StatusCode: not StatusCode.OK } failed)
            {
                End(opened, failed);
            }

            return opened;
        }
        catch (Exception e)
        {
            Exception failure = lifetime.Fail(e);
            // What was written before there was any attempt is not kept for one either.
            stream?.Settle();
            headers.TrySetException(failure);
            _ = Observed(headers.Task);
            throw failure;
        }
    }

    private async Task<TResponse?> ReadMessageAsync(CallResponse opened)
    {
        if (await ReadPayloadAsync(opened).ConfigureAwait(false) is not { } payload)
        {
            return null;
        }

        try
        {
            return channel.Options.Codec.Decode(payload, method.ResponseMarshaller);
        }
        catch (Exception e) when (e is not RpcException)
        {
            throw new RpcException(new Status(StatusCode.Internal, "A message of the response cannot be parsed.", e));
        }
    }

    private async Task<ReadOnlySequence<byte>?> ReadPayloadAsync(CallResponse opened) => opened.Outcome is not null
        ? null
        : await opened.ReadAsync(lifetime.Token).AsTask().WaitAsync(lifetime.Token).ConfigureAwait(false);

    private void End(CallResponse opened, CallOutcome outcome)
    {
        if (lifetime.TryEnd(outcome))
        {
            opened.Release();
            opened.Dispose();
            stream?.Complete();
            if (outcome.Status.StatusCode == StatusCode.OK)
            {
                channel.Throttle.Succeeded();
            }
            else if (opened.Outcome is null && channel.RetryPolicyOf(method) is { } policy
                && policy.RetryableStatusCodes.Contains(outcome.Status.StatusCode))
            {
                channel.Throttle.MayRetry(); // It counts, too late though it came to be tried again.
            }
        }
    }

    /// A server may end a call while requests are still written, and then its answer says more than the failed write.
    private async Task<Exception> ExplainWriteFailureAsync(Exception failure)
    {
        try
        {
            await opening.ConfigureAwait(false);
            // Where one response is awaited, it is being read; elsewhere its reader may never come.
            await (method.Type == MethodType.ClientStreaming ? lifetime.Ended : Task.CompletedTask)
                .ConfigureAwait(false);
        }
        catch (Exception e) when (e is RpcException or OperationCanceledException)
        {
            return e;
        }

        return lifetime.Outcome switch
        {
            null when failure is OperationCanceledException => new RpcException(new Status(
                StatusCode.Cancelled, "The server takes no more requests; its responses tell why.", failure)),
            null => new RpcException(TransportFailure.ToStatus(failure, channel.Address)),
            { Status.StatusCode: StatusCode.OK } =>
                new InvalidOperationException("Can't write the message because the call is complete.", failure),
            _ => lifetime.ToException(),
        };
    }

    // A failure that nobody awaits is not lost: the call's status tells it.
    private static Task<T> Observed<T>(Task<T> task)
    {
        _ = task.ContinueWith(failed => _ = failed.Exception, CancellationToken.None,
            TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously,
            TaskScheduler.Default);
        return task;
    }
}
