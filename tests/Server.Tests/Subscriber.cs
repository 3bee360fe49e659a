using Grpc.Core;
using Squall.V1;

namespace Squall.Server.Tests;

/// <summary>A subscription over the wire, read message by message.</summary>
internal sealed class Subscriber : IDisposable
{
    private static readonly TimeSpan Net = TimeSpan.FromSeconds(30);
    private readonly AsyncServerStreamingCall<SubscribeResponse> _call;

    public Subscriber(Client client, SubscribeRequest? request = null)
        : this(client.Notifications, client.Headers, request)
    {
    }

    public Subscriber(
        NotificationService.NotificationServiceClient service, Metadata headers, SubscribeRequest? request = null) =>
        _call = service.Subscribe(request ?? new SubscribeRequest(), headers);

    /// <summary>The newest cursor that it was told; a notification of the snapshot has none.</summary>
    public string Cursor { get; private set; } = "";

    /// <summary>The next message.</summary>
    /// <exception cref="RpcException">The stream has ended so.</exception>
    public async Task<SubscribeResponse> NextAsync()
    {
        Assert.True(await _call.ResponseStream.MoveNext(CancellationToken.None).WaitAsync(Net));
        SubscribeResponse message = _call.ResponseStream.Current;
        Cursor = message.MessageCase switch
        {
            SubscribeResponse.MessageOneofCase.Synced => message.Synced.Cursor,
            SubscribeResponse.MessageOneofCase.Heartbeat => message.Heartbeat.Cursor,
            SubscribeResponse.MessageOneofCase.Notification => message.Notification.Cursor,
            SubscribeResponse.MessageOneofCase.Left => message.Left.Cursor,
            _ => Cursor,
        };
        return message;
    }

    /// <summary>The next notification or <c>left</c>; heartbeats do not keep it waiting for ever.</summary>
    public Task<Notification> NotificationAsync() => NextNotificationAsync().WaitAsync(Net);

    /// <summary>All up to and with the first message of a kind.</summary>
    public async Task<List<SubscribeResponse>> ThroughAsync(SubscribeResponse.MessageOneofCase kind)
    {
        var read = new List<SubscribeResponse>();
        do
        {
            read.Add(await NextAsync());
        }
        while (read[^1].MessageCase != kind);

        return read;
    }

    public void Dispose() => _call.Dispose();

    private async Task<Notification> NextNotificationAsync()
    {
        while (true)
        {
            SubscribeResponse message = await NextAsync();
            if ((message.Notification ?? message.Left) is { } notification)
            {
                return notification;
            }
        }
    }
}
