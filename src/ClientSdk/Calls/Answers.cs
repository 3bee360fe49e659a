using Grpc.Core;

namespace Squall.Client;

/// <summary>
/// Makes raw calls the caller's way: with settings, and with exceptions of the SDK's own. A cursor is named where the
/// server does not continue from it.
/// </summary>
internal sealed class Answers(TimeProvider time)
{
    public async Task<TResult> OfAsync<TResponse, TResult>(
        Func<CallOptions, AsyncUnaryCall<TResponse>> start,
        Func<TResponse, TResult> pick,
        CallSettings? settings,
        CancellationToken cancellationToken,
        string cursor = "")
    {
        cancellationToken.ThrowIfCancellationRequested();
        try
        {
            using var call = start(CallSettings.Options(settings, time, cancellationToken));
            return pick(await call.ResponseAsync.ConfigureAwait(false));
        }
        catch (RpcException e)
        {
            throw Refusals.From(e, cancellationToken, cursor);
        }
        catch (OperationCanceledException e) when (cancellationToken.IsCancellationRequested)
        {
            throw new OperationCanceledException("The call was cancelled.", e, cancellationToken);
        }
    }
}
