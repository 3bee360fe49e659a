using Grpc.Core;
using Grpc.Core.Interceptors;
using Squall.V1;

namespace Squall.Faults;

/// <summary>
/// A control: whoever goes on after a cursor is sent its first changes after it otherwise. What comes in their place is
/// handed over at once, so that no cut falls in between.
/// </summary>
/// <param name="count">How many changes are altered.</param>
/// <param name="alter">Gives what comes in their place.</param>
internal sealed class Alters(int count, Func<SubscribeResponse[], SubscribeResponse[]> alter) : Interceptor
{
    public static Alters SkipOne() => new(1, _ => []);

    public static Alters TellOneTwice() => new(1, told => [told[0], told[0]]);

    /// <summary>The second before the first, and one more, so that the stream stands where it would have.</summary>
    public static Alters SwapTwo() => new(3, told => [told[1], told[0], told[2]]);

    public override AsyncServerStreamingCall<TResponse> AsyncServerStreamingCall<TRequest, TResponse>(
        TRequest request, ClientInterceptorContext<TRequest, TResponse> context,
        AsyncServerStreamingCallContinuation<TRequest, TResponse> continuation)
    {
        AsyncServerStreamingCall<TResponse> call = continuation(request, context);
        if (request is not SubscribeRequest { After.Length: > 0 })
        {
            return call;
        }

        var reader = new Reader((IAsyncStreamReader<SubscribeResponse>)call.ResponseStream, count, alter);
        return new AsyncServerStreamingCall<TResponse>(
            (IAsyncStreamReader<TResponse>)(object)reader, call.ResponseHeadersAsync, call.GetStatus, call.GetTrailers,
            call.Dispose);
    }

    private sealed class Reader(
        IAsyncStreamReader<SubscribeResponse> inner, int count, Func<SubscribeResponse[], SubscribeResponse[]> alter)
        : IAsyncStreamReader<SubscribeResponse>
    {
        private readonly List<SubscribeResponse> _changes = [];
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
                if (_changes.Count == count || (message.Notification ?? message.Left) is null)
                {
                    _next.Enqueue(message);
                    continue;
                }

                _changes.Add(message);
                if (_changes.Count == count)
                {
                    Array.ForEach(alter([.. _changes]), _next.Enqueue);
                }
            }

            Current = _next.Dequeue();
            return true;
        }
    }
}
