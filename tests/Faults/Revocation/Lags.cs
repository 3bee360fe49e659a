using Grpc.Core;
using Grpc.Core.Interceptors;

namespace Squall.Faults;

/// <summary>The control: what is told of is sent more than a second later.</summary>
internal sealed class Lags(TimeProvider time) : Interceptor
{
    private static readonly TimeSpan Lag = TimeSpan.FromSeconds(1.2);

    public override Task ServerStreamingServerHandler<TRequest, TResponse>(
        TRequest request, IServerStreamWriter<TResponse> responseStream, ServerCallContext context,
        ServerStreamingServerMethod<TRequest, TResponse> continuation) =>
        continuation(request, new Writer<TResponse>(responseStream, time), context);

    private sealed class Writer<T>(IServerStreamWriter<T> stream, TimeProvider time) : IServerStreamWriter<T>
    {
        public WriteOptions? WriteOptions { get; set; }

        public Task WriteAsync(T message) => WriteAsync(message, CancellationToken.None);

        public async Task WriteAsync(T message, CancellationToken cancellationToken)
        {
            await Task.Delay(Lag, time, CancellationToken.None);
            await stream.WriteAsync(message, CancellationToken.None);
        }
    }
}
