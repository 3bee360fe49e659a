using Grpc.Core;
using Squall.V1;

namespace Squall.Client;

/// <summary>
/// One stream of a subscription, and the watchdog that gives it up when it is silent for 2.5 heartbeats. A stream that
/// fell silent takes its connection with it: the next one is opened on a fresh one.
/// </summary>
internal sealed class SubscriptionStream : IDisposable
{
    private static readonly TimeSpan OpeningMin = TimeSpan.FromSeconds(10);

    private readonly Connections connections;
    private readonly CancellationTokenSource end;
    private readonly ITimer watchdog;
    private readonly AsyncServerStreamingCall<SubscribeResponse> call;
    private readonly TimeSpan silenceMax;
    private readonly int newest;
    private readonly TimeProvider time;
    private long? answered;
    private TimeSpan patience;
    private bool isSilent;

    public SubscriptionStream(
        Connections connections,
        NotificationService.NotificationServiceClient notifications,
        SubscribeRequest request,
        string? token,
        TimeProvider time,
        CancellationToken cancellationToken)
    {
        this.connections = connections;
        this.time = time;
        Token = token;
        silenceMax = request.HeartbeatInterval.ToTimeSpan() * 2.5;
        patience = silenceMax > OpeningMin ? silenceMax : OpeningMin;
        end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        watchdog = time.CreateTimer(_ => GiveUp(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        // With the token that is remembered, so that one which is refused is known.
        Metadata? proof = token is null ? null : [new("authorization", $"Bearer {token}")];
        call = notifications.Subscribe(request, proof, cancellationToken: end.Token);
        newest = connections.Newest;
    }

    /// <summary>The token that it was opened with.</summary>
    public string? Token { get; }

    /// <summary>How long ago its first message came; null: none did.</summary>
    public TimeSpan? Lived => answered is { } first ? time.GetElapsedTime(first) : null;

    /// <summary>The next message; every end is an RpcException, also an end without an error.</summary>
    public async Task<SubscribeResponse> NextAsync()
    {
        var reader = call.ResponseStream;
        try
        {
            var moving = reader.MoveNext(end.Token);
            if (!moving.IsCompleted)
            {
                // Only while nothing is here: a slow consumer is no silent server.
                watchdog.Change(patience, Timeout.InfiniteTimeSpan);
            }

            var hasNext = await moving.ConfigureAwait(false);
            watchdog.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            patience = silenceMax;
            if (!hasNext)
            {
                throw Ended("The server ended the stream.");
            }

            answered ??= time.GetTimestamp();
            return reader.Current;
        }
        catch (Exception e) when (isSilent && e is RpcException or OperationCanceledException)
        {
            connections.Retire(newest);
            throw Ended($"The server was silent for {patience.TotalSeconds} s.");
        }
        catch (OperationCanceledException) when (!end.IsCancellationRequested)
        {
            throw Ended("The stream was cancelled.");
        }
    }

    public void Dispose()
    {
        watchdog.Dispose();
        call.Dispose();
        end.Dispose();
    }

    private static RpcException Ended(string why) => new(new Status(StatusCode.Unavailable, why));

    private void GiveUp()
    {
        isSilent = true;
        try
        {
            end.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // The stream ended while the watchdog woke up.
        }
    }
}
