using Google.Protobuf;
using Grpc.Core;
using Grpc.Core.Interceptors;

namespace Squall.Client;

/// <summary>
/// One unary call: its attempts, until one succeeds, fails for good, or its time or the client's retries are used up.
/// Its deadline counts by the client's clock, and covers waiting for a token. Every failure is an RpcException.
/// </summary>
internal sealed class RepeatedCall<TRequest, TResponse>(
    SquallClientOptions options,
    RetryBudget budget,
    TokenKeeper? tokens,
    ClientInterceptorContext<TRequest, TResponse> context,
    Interceptor.AsyncUnaryCallContinuation<TRequest, TResponse> continuation) : IDisposable
    where TRequest : class
    where TResponse : class
{
    // A CancellationTokenSource takes no longer times; whoever asks for more waits for ever.
    private static readonly TimeSpan TimeMax = TimeSpan.FromDays(49);

    private readonly MethodTraits traits = MethodTraits.Of(context.Method);
    private readonly TaskCompletionSource<Metadata> headers = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource disposed = new();
    private readonly Backoff backoff = new(options.BackoffFirst, options.BackoffMax);
    private AsyncUnaryCall<TResponse>? last;
    private RpcException? failure;

    public Task<Metadata> ResponseHeadersAsync => headers.Task;

    private TimeSpan Left => context.Options.Deadline is { } deadline && deadline != DateTime.MaxValue
        ? deadline - options.TimeProvider.GetUtcNow().UtcDateTime
        : TimeSpan.MaxValue;

    public async Task<TResponse> RunAsync(TRequest request)
    {
        using var activity = Telemetry.Start(context.Method);
        var started = options.TimeProvider.GetTimestamp();
        using var late = Late();
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(
            context.Options.CancellationToken, disposed.Token, late.Token);
        var code = StatusCode.OK;
        try
        {
            cancel.Token.ThrowIfCancellationRequested();
            budget.Earn();
            return await RepeatAsync(OwnCopy(request), activity, cancel.Token).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            failure = e as RpcException;
            if (cancel.IsCancellationRequested && (failure is null or { StatusCode: StatusCode.Cancelled }))
            {
                failure = new RpcException(
                    context.Options.CancellationToken.IsCancellationRequested || disposed.IsCancellationRequested
                        ? new Status(StatusCode.Cancelled, "The call was cancelled by its caller.", e)
                        : new Status(StatusCode.DeadlineExceeded, "The deadline has passed.", e));
            }

            code = failure?.StatusCode ?? StatusCode.Unknown;
            headers.TrySetException(failure ?? e);
            if (failure is null || failure == e)
            {
                throw;
            }

            throw failure;
        }
        finally
        {
            // Whoever asks for the headers sees the failure; whoever does not is not told that it went unseen.
            _ = headers.Task.Exception;
            Telemetry.End(activity, context.Method, code, options.TimeProvider.GetElapsedTime(started));
        }
    }

    public Status GetStatus() => failure?.Status ?? last?.GetStatus()
        ?? throw new InvalidOperationException("The call is not over.");

    public Metadata GetTrailers() => failure?.Trailers ?? last?.GetTrailers()
        ?? throw new InvalidOperationException("The call is not over.");

    public void Dispose()
    {
        disposed.Cancel();
        last?.Dispose();
    }

    private async Task<TResponse> RepeatAsync(
        TRequest request, System.Diagnostics.Activity? activity, CancellationToken cancellationToken)
    {
        var isRenewed = false;
        for (var attempt = 1; ; attempt++)
        {
            Telemetry.Attempt(activity, attempt);
            var token = tokens is not null && traits.NeedsToken && !CallPipeline.ProvesItself(context.Options)
                ? await tokens.GetAsync(cancellationToken).ConfigureAwait(false)
                : null;
            TimeSpan delay;
            try
            {
                return await AttemptAsync(request, token, attempt, cancellationToken).ConfigureAwait(false);
            }
            catch (RpcException e) when (!isRenewed && token is not null && e.StatusCode == StatusCode.Unauthenticated)
            {
                isRenewed = true;
                if (await tokens!.RenewAsync(token, cancellationToken).ConfigureAwait(false) is null)
                {
                    throw;
                }

                delay = TimeSpan.Zero;
            }
            catch (RpcException e) when (Next(e, attempt) is { } wait)
            {
                Telemetry.Retried(activity, context.Method, e.StatusCode);
                delay = wait;
            }

            last?.Dispose();
            await Task.Delay(delay, options.TimeProvider, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task<TResponse> AttemptAsync(
        TRequest request, string? token, int attempt, CancellationToken cancellationToken)
    {
        Metadata sent = [.. context.Options.Headers ?? []];
        if (token is not null)
        {
            sent.Add("authorization", $"Bearer {token}");
        }

        if (attempt > 1)
        {
            sent.Add("grpc-previous-rpc-attempts", (attempt - 1).ToString());
        }

        var call = continuation(request, new(
            context.Method,
            context.Host,
            context.Options.WithHeaders(sent).WithCancellationToken(cancellationToken).WithDeadline(Deadline())));
        last = call;
        var response = await call.ResponseAsync.ConfigureAwait(false);
        headers.TrySetResult(await call.ResponseHeadersAsync.ConfigureAwait(false));
        return response;
    }

    /// <summary>How long to wait before the next attempt; null: this was the last.</summary>
    private TimeSpan? Next(RpcException e, int attempt)
    {
        var isRepeatable = traits.Reads || traits.RequestId is not null;
        return attempt < options.AttemptsMax
            && Retries.Delay(e, isRepeatable, backoff) is { } delay && delay < Left && budget.Spend()
            ? delay : null;
    }

    private CancellationTokenSource Late() => Left is var left && left < TimeMax
        ? new CancellationTokenSource(left > TimeSpan.Zero ? left : TimeSpan.Zero, options.TimeProvider)
        : new CancellationTokenSource();

    /// <summary>For the transport and the server, which know the machine's clock and not the client's.</summary>
    private DateTime Deadline() => CallSettings.Deadline(TimeProvider.System, Left);

    /// <summary>
    /// Of what is sent again: the caller's message may be changed meanwhile, or sent again and mean another change.
    /// </summary>
    private TRequest OwnCopy(TRequest request)
    {
        if (traits.RequestId is not { } field || request is not IDeepCloneable<TRequest> original)
        {
            return request;
        }

        var copy = original.Clone();
        if (field.Accessor.GetValue((IMessage)copy) is "")
        {
            field.Accessor.SetValue((IMessage)copy, Guid.NewGuid().ToString());
        }

        return copy;
    }
}
