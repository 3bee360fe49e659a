using Grpc.Core;
using Squall.V1;

namespace Squall.Client;

/// <summary>
/// A subscription over however many streams it takes: (1) open one after the last cursor that was told, (2) tell its
/// messages, (3) when it breaks or falls silent, wait and begin again, (4) end where beginning again cannot help.
/// </summary>
internal sealed class Subscription(
    SquallClientOptions options,
    Connections connections,
    TokenKeeper tokens,
    NotificationService.NotificationServiceClient notifications,
    SubscribeSettings settings) : IDisposable
{
    private readonly TimeProvider time = options.TimeProvider;
    private readonly Backoff backoff = new(options.BackoffFirst, options.ReconnectMax);
    private readonly Queue<SubscriptionEvent> waiting = [];
    private SubscriptionStream? stream;
    private string cursor = settings.After;
    private bool isSnapshot = settings.Snapshot;
    private bool isSynced;
    private bool hasToldTasks;
    private bool hasHeard;
    private bool isRenewed;
    private int? owner;
    private int attempt;
    private TimeSpan delay;
    private long? lost;
    private DateTimeOffset? lastTold;

    /// <summary>The next event. Throws when the subscription cannot go on, or is cancelled.</summary>
    public async Task<SubscriptionEvent> NextAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (waiting.TryDequeue(out var told))
            {
                return told;
            }

            try
            {
                stream ??= await OpenAsync(cancellationToken).ConfigureAwait(false);
                var message = await stream.NextAsync().ConfigureAwait(false);
                hasHeard = true;
                if (Told(message) is { } next)
                {
                    return next;
                }
            }
            catch (Exception) when (cancellationToken.IsCancellationRequested)
            {
                throw new OperationCanceledException("The subscription was cancelled.", null, cancellationToken);
            }
            catch (RpcException e)
            {
                await BrokenAsync(e, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    public void Dispose() => stream?.Dispose();

    /// <summary>A page of the history; at its end is the place to go on from.</summary>
    public static Page<SubscriptionEvent> Past(ListNotificationsResponse answer, string after)
    {
        var told = answer.Messages.Select(Past).OfType<SubscriptionEvent>().ToList();
        if (answer.NextCursor != after)
        {
            return new Page<SubscriptionEvent>(told, answer.NextCursor);
        }

        told.Add(new SubscriptionEvent.Synced { Cursor = answer.NextCursor });
        return new Page<SubscriptionEvent>(told, "");
    }

    private static SubscriptionEvent? Past(SubscribeResponse message) => message.MessageCase switch
    {
        SubscribeResponse.MessageOneofCase.Notification =>
            new SubscriptionEvent.Changed(message.Notification) { Cursor = message.Notification.Cursor },
        SubscribeResponse.MessageOneofCase.Left =>
            new SubscriptionEvent.Left(message.Left) { Cursor = message.Left.Cursor },
        _ => null,
    };

    private async Task<SubscriptionStream> OpenAsync(CancellationToken cancellationToken)
    {
        await Task.Delay(delay, time, cancellationToken).ConfigureAwait(false);
        delay = TimeSpan.Zero;
        var request = new SubscribeRequest
        {
            Filter = settings.Selected(),
            After = cursor,
            Snapshot = isSnapshot,
            HeartbeatInterval = Google.Protobuf.WellKnownTypes.Duration.FromTimeSpan(settings.Heartbeat),
        };
        var token = await tokens.GetAsync(cancellationToken).ConfigureAwait(false);
        owner ??= tokens.Owner;
        if (owner != tokens.Owner)
        {
            // What follows would be another account's.
            throw new RpcException(new Status(
                StatusCode.Unauthenticated, "The login that the subscription began with has ended."));
        }

        return new SubscriptionStream(connections, notifications, request, token, time, cancellationToken);
    }

    /// <summary>
    /// The stream was worth opening, since it told something or lived for a while: its failure is a first one. To be
    /// answered is not enough, or a server that answers and fails at once would be asked ever again without a pause.
    /// </summary>
    private void Progressed()
    {
        lost = null;
        attempt = 0;
        isRenewed = false;
        backoff.Reset();
    }

    /// <summary>The message as an event; null if there is nothing to tell. What is told is where to resume.</summary>
    private SubscriptionEvent? Told(SubscribeResponse message)
    {
        switch (message.MessageCase)
        {
            case SubscribeResponse.MessageOneofCase.Task:
                hasToldTasks = true;
                return new SubscriptionEvent.SnapshotTask(message.Task);
            case SubscribeResponse.MessageOneofCase.Synced:
                return Synced(message.Synced.Cursor);
            case SubscribeResponse.MessageOneofCase.Notification:
                lastTold = message.Notification.Time?.ToDateTimeOffset();
                return new SubscriptionEvent.Changed(message.Notification) { Cursor = At(message.Notification.Cursor) };
            case SubscribeResponse.MessageOneofCase.Left:
                lastTold = message.Left.Time?.ToDateTimeOffset();
                return new SubscriptionEvent.Left(message.Left) { Cursor = At(message.Left.Cursor) };
            case SubscribeResponse.MessageOneofCase.Heartbeat:
                var at = At(message.Heartbeat.Cursor);
                return settings.ControlEvents ? new SubscriptionEvent.Heartbeat { Cursor = at } : null;
            default:
                // A later server tells what this version has no word for.
                return null;
        }
    }

    private SubscriptionEvent? Synced(string at)
    {
        var isFirst = !isSynced;
        isSynced = true;
        isSnapshot = false;
        lost = null;
        cursor = at;
        return isFirst ? new SubscriptionEvent.Synced { Cursor = at }
            : settings.ControlEvents ? new SubscriptionEvent.Resumed { Cursor = at } : null;
    }

    /// <summary>A snapshot has no place to resume: its tasks are of different times until it is synced.</summary>
    private string? At(string at)
    {
        if (isSnapshot || at.Length == 0)
        {
            hasToldTasks |= isSnapshot;
            return null;
        }

        Progressed();
        return cursor = at;
    }

    /// <summary>Prepares for another stream, or throws what the caller is to know.</summary>
    private async Task BrokenAsync(RpcException e, CancellationToken cancellationToken)
    {
        if (stream?.Lived >= options.ReconnectMax)
        {
            Progressed();
        }

        var refused = stream?.Token;
        stream?.Dispose();
        stream = null;
        lost ??= time.GetTimestamp();
        switch (e.StatusCode)
        {
            case StatusCode.OutOfRange when Refusals.IsGap(e) && settings.OnGap == OnGap.Resnapshot:
                delay = backoff.Next();
                BeginAnew(new SubscriptionEvent.Gap(cursor) { LastTold = lastTold });
                return;
            case StatusCode.Unauthenticated when !isRenewed && refused is not null && owner == tokens.Owner:
                isRenewed = true;
                await RenewAsync(e, refused, cancellationToken).ConfigureAwait(false);
                return;
            case var code when Refusals.IsFinal(code):
            // Later it may be one's own streams that the server has yet to find dead.
            case StatusCode.ResourceExhausted when !hasHeard && Refusals.RetryAfter(e.GetRpcStatus()) is null:
                throw Refusals.From(e, cursor);
        }

        if (settings.GiveUpAfter is { } most && time.GetElapsedTime(lost.Value) >= most)
        {
            throw Refusals.From(e, cursor);
        }

        attempt++;
        delay = (Refusals.RetryAfter(e.GetRpcStatus()) ?? TimeSpan.Zero) + backoff.Next();
        Telemetry.Reconnecting(e.StatusCode.ToString());
        if (settings.ControlEvents)
        {
            waiting.Enqueue(new SubscriptionEvent.Reconnecting(attempt, delay, Refusals.From(e, cursor)));
        }

        if (isSnapshot && hasToldTasks)
        {
            BeginAnew(new SubscriptionEvent.SnapshotRestarted());
        }
    }

    private void BeginAnew(SubscriptionEvent say)
    {
        waiting.Enqueue(say);
        cursor = "";
        isSnapshot = true;
        isSynced = false;
        hasToldTasks = false;
    }

    private async Task RenewAsync(RpcException e, string refused, CancellationToken cancellationToken)
    {
        try
        {
            if (await tokens.RenewAsync(refused, cancellationToken).ConfigureAwait(false) is null)
            {
                throw Refusals.From(e, cursor);
            }
        }
        catch (RpcException renewal) when (renewal.StatusCode == StatusCode.Unauthenticated)
        {
            // The session is over, which the stream says better than the refusal of its refresh token.
            throw Refusals.From(e, cursor);
        }
        catch (RpcException)
        {
            // The server could not be reached to renew: the next stream's opening tells more.
            isRenewed = false;
            delay = backoff.Next();
        }
    }
}
