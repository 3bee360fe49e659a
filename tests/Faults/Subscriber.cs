using Grpc.Core;
using Grpc.Net.Client;
using Squall.V1;

namespace Squall.Faults;

/// <summary>Sees all that happens, and after each outage goes on after the last cursor that it has seen.</summary>
internal sealed class Subscriber(Ledger ledger, Connection connection)
{
    private readonly TaskCompletionSource _started = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private string _cursor = "";

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
        GrpcChannel channel = await connection.ChannelAsync();
        try
        {
            using AsyncServerStreamingCall<SubscribeResponse> call =
                new NotificationService.NotificationServiceClient(channel).Subscribe(
                    new SubscribeRequest { After = _cursor }, connection.Headers);
            await foreach (SubscribeResponse message in call.ResponseStream.ReadAllAsync())
            {
                // A deletion is told as left, for the task matched before it.
                Notification? change = message.Notification ?? message.Left;
                _cursor = change?.Cursor ?? message.Synced?.Cursor ?? message.Heartbeat?.Cursor
                    ?? throw new InvalidOperationException($"The subscriber was sent {message.MessageCase}.");
                _started.TrySetResult();
                if (change is not null && ledger.Tell(change) == lastWriter)
                {
                    return true;
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
            ledger.RefuseCursor();
            _cursor = "";
            return false;
        }
    }
}
