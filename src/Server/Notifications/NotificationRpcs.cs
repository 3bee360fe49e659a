using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Microsoft.AspNetCore.Http.Features;
using Squall.V1;

namespace Squall.Server;

/// <summary>Tells of changes: as a stream, or a page at a time.</summary>
internal sealed class NotificationRpcs(
    Store store, Tail tail, Bell bell, CatchUp catchUp, JournalPages journal, Subscriptions subscriptions,
    Memberships memberships, Limits limits, TimeProvider time) : NotificationService.NotificationServiceBase
{
    /// <summary>
    /// More than this, without a message in it, ends a page of ListNotifications: its cursor has moved.
    /// </summary>
    private const int LookedAtMax = 20_000;

    /// <summary>
    /// (1) Checks the request, (2) takes one of the account's places, (3) finds where to start, (4) answers with the
    /// headers at once, (5) sends until the call, or its session or key, ends.
    /// </summary>
    public override async Task Subscribe(
        SubscribeRequest request, IServerStreamWriter<SubscribeResponse> responseStream, ServerCallContext context)
    {
        Caller caller = Caller.Of(context);
        var view = new View(memberships, caller.AccountId, Filter.Parse(request.Filter, limits), caller.Key);
        TimeSpan heartbeat = HeartbeatOf(request.HeartbeatInterval);
        CheckStart(request);

        using OpenSubscription open = subscriptions.Enter(
            caller, ConnectionOf(context), context.CancellationToken);
        try
        {
            Cursor start = await StartAsync(request.After, open);
            await context.WriteResponseHeadersAsync([]);
            using var delivery = new Delivery(responseStream, open, limits.StalledWriteMax, time);
            using var subscription = new Subscription(
                tail, bell, catchUp, new ChangeReader(tail, journal, start), view, delivery, open, heartbeat, time);
            await subscription.CatchUpAsync(
                request.Snapshot ? new SnapshotScan(store, view) : null, resumes: request.After.Length > 0);
            await subscription.TellLiveAsync();
        }
        catch (OperationCanceledException) when (open.AccessEnded)
        {
            throw Sessions.Ended(caller);
        }
        catch (OperationCanceledException) when (open.Cut.IsCancellationRequested)
        {
            throw Fault.Unavailable(
                "READER_STALLED", "The reader did not read: subscribe again after the last cursor.", TimeSpan.Zero);
        }
    }

    public override async Task<ListNotificationsResponse> ListNotifications(
        ListNotificationsRequest request, ServerCallContext context)
    {
        Caller caller = Caller.Of(context);
        var view = new View(memberships, caller.AccountId, Filter.Parse(request.Filter, limits), caller.Key);
        int size = PageToken.Size(request.PageSize, limits);
        CancellationToken cancelled = context.CancellationToken;
        ChangeReader changes = request.After.Length == 0
            ? await journal.FromOldestAsync(cancelled)
            : new ChangeReader(tail, journal, await journal.PlaceOfAsync(request.After, cancelled));
        Cursor place = changes.Place;
        var answer = new ListNotificationsResponse();
        int bytes = 0;
        for (int looked = 0; looked < LookedAtMax && answer.Messages.Count < size; looked++)
        {
            if (await changes.NextAsync(cancelled) is not { } change)
            {
                break;
            }

            Sight sight = view.Of(change);
            if (sight != Sight.Nothing)
            {
                SubscribeResponse message = change.Message(sight).Message;
                bytes += message.CalculateSize();
                if (bytes > limits.AnswerBytesMax && answer.Messages.Count > 0)
                {
                    break;
                }

                answer.Messages.Add(message);
            }

            place = changes.Place;
        }

        answer.NextCursor = place.ToString();
        return answer;
    }

    /// <summary>What the call came by, which the server names; "": it has no connection.</summary>
    private static string ConnectionOf(ServerCallContext context) =>
        context.GetHttpContext().Features.Get<IHttpConnectionFeature>()?.ConnectionId ?? "";

    private static void CheckStart(SubscribeRequest request)
    {
        if (request.After.Length == 0)
        {
            return;
        }

        JournalPages.Parse(request.After);
        if (request.Snapshot)
        {
            throw Fault.Field(
                "snapshot", "SNAPSHOT_WITH_AFTER", "is not for a subscription that starts after a cursor");
        }
    }

    private TimeSpan HeartbeatOf(Duration? asked)
    {
        if (asked is null or { Seconds: 0, Nanos: 0 })
        {
            return limits.HeartbeatDefault;
        }

        // Reckoned in nanoseconds, which a TimeSpan cuts off, once the seconds are known to leave room for them.
        bool whole = asked.Nanos is >= 0 and < Duration.NanosecondsPerSecond
            && asked.Seconds >= 0 && asked.Seconds <= (long)limits.HeartbeatMax.TotalSeconds;
        long nanos = whole ? (asked.Seconds * Duration.NanosecondsPerSecond) + asked.Nanos : -1;
        return nanos >= limits.HeartbeatMin.TotalNanoseconds && nanos <= limits.HeartbeatMax.TotalNanoseconds
            ? asked.ToTimeSpan()
            : throw Fault.Field("heartbeat_interval", "HEARTBEAT_INTERVAL", string.Create(
                System.Globalization.CultureInfo.InvariantCulture,
                $"must be {limits.HeartbeatMin.TotalSeconds} s to {limits.HeartbeatMax.TotalSeconds} s, or empty"));
    }

    /// <summary>
    /// Where a subscription that is among the open ones starts. Its session or key may have ended before it was one, so
    /// that it was not told: what the database says now comes after that.
    /// </summary>
    private async Task<Cursor> StartAsync(string after, OpenSubscription open)
    {
        long now = Micros.Of(time.GetUtcNow());
        bool live = await store.ReadAsync(db => Sessions.IsLive(db, open.Caller, now), open.Cancelled);
        Cursor start = after.Length == 0 ? tail.End : await journal.PlaceOfAsync(after, open.Cancelled);
        if (!live)
        {
            throw Sessions.Ended(open.Caller);
        }

        open.ThrowIfOver();
        return start;
    }
}
