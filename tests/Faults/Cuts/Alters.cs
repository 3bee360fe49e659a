using Grpc.Core;
using Grpc.Core.Interceptors;
using Squall.V1;

namespace Squall.Faults;

/// <summary>
/// A control: whoever begins so is sent the first messages of a kind otherwise. What comes in their place is handed
/// over at once, so that no cut falls in between.
/// </summary>
/// <param name="begins">Whose stream is altered.</param>
/// <param name="counts">Which messages are.</param>
/// <param name="count">How many of them.</param>
/// <param name="alter">Gives what comes in their place.</param>
internal sealed class Alters(
    Func<SubscribeRequest, bool> begins, Func<SubscribeResponse, bool> counts, int count,
    Func<SubscribeResponse[], SubscribeResponse[]> alter) : Interceptor
{
    public static Alters SkipOne() => OnResume(1, _ => []);

    public static Alters TellOneTwice() => OnResume(1, told => [told[0], told[0]]);

    /// <summary>The second before the first, and one more, so that the stream stands where it would have.</summary>
    public static Alters SwapTwo() => OnResume(3, told => [told[1], told[0], told[2]]);

    public static Alters SkipTask() =>
        new(request => request.Snapshot, message => message.Task is not null, 1, _ => []);

    /// <summary>All that is changed while the snapshot is sent.</summary>
    public static Alters SkipChanges() => new(request => request.Snapshot, IsChange, int.MaxValue, _ => []);

    public override AsyncServerStreamingCall<TResponse> AsyncServerStreamingCall<TRequest, TResponse>(
        TRequest request, ClientInterceptorContext<TRequest, TResponse> context,
        AsyncServerStreamingCallContinuation<TRequest, TResponse> continuation)
    {
        AsyncServerStreamingCall<TResponse> call = continuation(request, context);
        if (request is not SubscribeRequest subscribe || !begins(subscribe))
        {
            return call;
        }

        var reader = new Reader((IAsyncStreamReader<SubscribeResponse>)call.ResponseStream, counts, count, alter);
        return new AsyncServerStreamingCall<TResponse>(
            (IAsyncStreamReader<TResponse>)(object)reader, call.ResponseHeadersAsync, call.GetStatus, call.GetTrailers,
            call.Dispose);
    }

    private static Alters OnResume(int count, Func<SubscribeResponse[], SubscribeResponse[]> alter) =>
        new(request => request.After.Length > 0, IsChange, count, alter);

    private static bool IsChange(SubscribeResponse message) => (message.Notification ?? message.Left) is not null;

    private sealed class Reader(
        IAsyncStreamReader<SubscribeResponse> inner, Func<SubscribeResponse, bool> counts, int count,
        Func<SubscribeResponse[], SubscribeResponse[]> alter) : IAsyncStreamReader<SubscribeResponse>
    {
        private readonly List<SubscribeResponse> _altered = [];
        private readonly Queue<SubscribeResponse> _next = [];

        public SubscribeResponse Current { get; private set; } = null!;

        public async Task<bool> MoveNext(CancellationToken cancellationToken)
        {
            while (_next.Count == 0)
            {
                if (!await inner.MoveNext(cancellationToken))
                {
                    return false;
                }

                SubscribeResponse message = inner.Current;
                if (_altered.Count == count || !counts(message))
                {
                    _next.Enqueue(message);
                    continue;
                }

                _altered.Add(message);
                if (_altered.Count == count)
                {
                    Array.ForEach(alter([.. _altered]), _next.Enqueue);
                }
            }

            Current = _next.Dequeue();
            return true;
        }
    }
}
