using System.Threading.Channels;
using Grpc.Core;
using Grpc.Core.Interceptors;

namespace Squall.Faults;

/// <summary>The control: what a subscriber does not read is kept for it in a queue without a bound.</summary>
internal sealed class Queues : Interceptor
{
    public override async Task ServerStreamingServerHandler<TRequest, TResponse>(
        TRequest request, IServerStreamWriter<TResponse> responseStream, ServerCallContext context,
        ServerStreamingServerMethod<TRequest, TResponse> continuation)
    {
        var queue = Channel.CreateUnbounded<TResponse>();
        Task sending = SendAsync(queue.Reader, responseStream, context.CancellationToken);
        await Task.WhenAny(continuation(request, new Writer<TResponse>(queue.Writer), context), sending);
    }

    private static async Task SendAsync<T>(
        ChannelReader<T> queue, IServerStreamWriter<T> stream, CancellationToken cancelled)
    {
        await foreach (T message in queue.ReadAllAsync(cancelled))
        {
            await stream.WriteAsync(message, cancelled);
        }
    }

    private sealed class Writer<T>(ChannelWriter<T> queue) : IServerStreamWriter<T>
    {
        public WriteOptions? WriteOptions { get; set; }

        public Task WriteAsync(T message)
        {
            queue.TryWrite(message);
            return Task.CompletedTask;
        }

        public Task WriteAsync(T message, CancellationToken cancellationToken) => WriteAsync(message);
    }
}
