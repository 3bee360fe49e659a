using Grpc.Core;
using Grpc.Core.Interceptors;
using Grpc.Net.Client;
using Squall.V1;

namespace Squall.Faults;

/// <summary>
/// Sees all that happens, and after each outage, and each cut if there is a <paramref name="cutter"/>, goes on after
/// the last cursor that it has seen.
/// </summary>
internal sealed class Subscriber(
    Ledger.Telling telling, Connection connection, Cutter? cutter, Interceptor[] interceptors)
{
    private readonly TaskCompletionSource _started = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private string _cursor = "";

    /// <summary>Also told each change.</summary>
    public Action<Notification>? Tells { get; init; }

    /// <summary>Done when it has a place from where on it misses nothing.</summary>
    public Task Started => _started.Task;

    /// <summary>Goes on until it sees a task of <paramref name="lastWriter"/>.</summary>
    public async Task RunAsync(int lastWriter)
    {
        try
        {
            while (!await StreamAsync(lastWriter))
            {
            }
        }
        catch (Exception failure)
        {
            _started.TrySetException(failure);
            throw;
        }
    }

    private async Task<bool> StreamAsync(int lastWriter)
    {
        await connection.ChannelAsync();
        if (cutter is not null)
        {
            cutter.Proxy.Upstream = connection.Address;
            cutter.Begin();
        }

        // One of its own: its connection is the proxy's newest.
        using var channel = GrpcChannel.ForAddress(cutter?.Proxy.Address ?? connection.Address);
        try
        {
            using AsyncServerStreamingCall<SubscribeResponse> call =
                new NotificationService.NotificationServiceClient(
                    channel.CreateCallInvoker().Intercept(interceptors)).Subscribe(
                    new SubscribeRequest { After = _cursor }, connection.Headers);
            await foreach (SubscribeResponse message in call.ResponseStream.ReadAllAsync())
            {
                // A deletion is told as left, for the task matched before it.
                Notification? change = message.Notification ?? message.Left;
                _cursor = change?.Cursor ?? message.Synced?.Cursor ?? message.Heartbeat?.Cursor
                    ?? throw new InvalidOperationException($"The subscriber was sent {message.MessageCase}.");
                _started.TrySetResult();
                if (change is not null)
                {
                    Tells?.Invoke(change);
                    if (telling.Tell(change) == lastWriter)
                    {
                        return true;
                    }

                    cutter?.Saw();
                }
            }

            throw new InvalidOperationException("The subscription ended OK.");
        }
        catch (RpcException broken) when (Connection.IsBreak(broken))
        {
            return false;
        }
        catch (RpcException gap) when (gap.StatusCode == StatusCode.OutOfRange)
        {
            telling.RefuseCursor();
            _cursor = "";
            return false;
        }
    }
}
