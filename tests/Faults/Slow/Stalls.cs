using System.Collections.Concurrent;
using Grpc.Core;
using Grpc.Core.Interceptors;

namespace Squall.Faults;

/// <summary>Sees, from within the server, which of its streams it resets since nobody reads them, and when.</summary>
internal sealed class Stalls(TimeProvider time) : Interceptor
{
    private readonly ConcurrentQueue<long> _resets = [];
    private readonly SemaphoreSlim _one = new(0);

    /// <summary>The times of the resets.</summary>
    public IEnumerable<long> Resets => _resets;

    /// <summary>Done when so many were reset.</summary>
    public async Task UntilAsync(int count, TimeSpan max)
    {
        using var net = new CancellationTokenSource(max, time);
        for (int seen = 0; seen < count; seen++)
        {
            await _one.WaitAsync(net.Token);
        }
    }

    public override async Task ServerStreamingServerHandler<TRequest, TResponse>(
        TRequest request, IServerStreamWriter<TResponse> responseStream, ServerCallContext context,
        ServerStreamingServerMethod<TRequest, TResponse> continuation)
    {
        try
        {
            await continuation(request, responseStream, context);
        }
        catch (RpcException stalled) when (stalled.StatusCode == StatusCode.Unavailable)
        {
            _resets.Enqueue(time.GetTimestamp());
            _one.Release();
            throw;
        }
    }
}
