using Grpc.Core;
using Grpc.Core.Interceptors;
using Squall.V1;

namespace Squall.Faults;

/// <summary>The control: whoever goes on after a cursor is not told of the first change after it.</summary>
internal sealed class SkipsOne : Interceptor
{
    public override AsyncServerStreamingCall<TResponse> AsyncServerStreamingCall<TRequest, TResponse>(
        TRequest request, ClientInterceptorContext<TRequest, TResponse> context,
        AsyncServerStreamingCallContinuation<TRequest, TResponse> continuation)
    {
        AsyncServerStreamingCall<TResponse> call = continuation(request, context);
        return request is not SubscribeRequest { After.Length: > 0 }
            ? call
            : new AsyncServerStreamingCall<TResponse>(
                new Reader<TResponse>(call.ResponseStream), call.ResponseHeadersAsync, call.GetStatus,
                call.GetTrailers, call.Dispose);
    }

    private sealed class Reader<T>(IAsyncStreamReader<T> inner) : IAsyncStreamReader<T>
    {
        private bool _skipped;

        public T Current => inner.Current;

        public async Task<bool> MoveNext(CancellationToken cancellationToken)
        {
            bool more = await inner.MoveNext(cancellationToken);
            if (more && !_skipped && Current is SubscribeResponse message
                && (message.Notification ?? message.Left) is not null)
            {
                _skipped = true;
                return await inner.MoveNext(cancellationToken);
            }

            return more;
        }
    }
}
