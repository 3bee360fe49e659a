using System.Runtime.CompilerServices;
using Grpc.Core;

namespace Squall.Client;

/// <summary>
/// What a live view goes through, step by step, each as of one place. It lives on after a failure: following it again
/// goes on where it was.
/// </summary>
internal sealed class LiveFeed(ISquallClient client, string filter, LiveTasksSettings settings, LiveOrder order)
{
    private TaskReplay? replay;
    private string? account;
    private string cursor = "";
    private bool isReading = true;
    private bool isConnected;

    /// <summary>The last step's view.</summary>
    public LiveView View { get; private set; } = new(new TaskTable(order), "", isLive: false);

    private bool IsSynced => cursor.Length > 0;

    /// <summary>
    /// (1) Subscribes with a snapshot, or after the place that was reached, and (2) gives a step for each change; (3)
    /// what is read, by a snapshot or of a list that was gained, is a step by itself once it is complete. (4) When a
    /// list was gained its tasks are read, and the next stream is synced after the place that they are of: then all are
    /// of one place again.
    /// </summary>
    public async IAsyncEnumerable<LiveTasksChange> FollowAsync(
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await IdentifyAsync(cancellationToken).ConfigureAwait(false);
        var isOver = false;
        while (!isOver)
        {
            await ReadGainedAsync(cancellationToken).ConfigureAwait(false);
            isOver = true;
            await foreach (var told in client.SubscribeAsync(Start(), cancellationToken).ConfigureAwait(false))
            {
                if (told is SubscriptionEvent.Synced)
                {
                    // Not another account's, whose login has come in between.
                    await IdentifyAsync(cancellationToken).ConfigureAwait(false);
                }

                if (Step(told) is { } step)
                {
                    yield return step;
                }

                isOver = isReading || replay!.Unread.Count == 0;
                if (!isOver)
                {
                    break;
                }
            }
        }
    }

    /// <summary>The step to not being live.</summary>
    public LiveTasksChange Lost()
    {
        isConnected = false;
        return To(View.Table, View.Cursor, []);
    }

    /// <summary>Whether trying again may help.</summary>
    public bool Outlives(SquallException e) =>
        !Refusals.IsFinal(e.Code) && (e.Code != StatusCode.ResourceExhausted || IsSynced || e.RetryAfter is not null);

    private SubscribeSettings Start()
    {
        if (!IsSynced)
        {
            Restart();
        }

        return new SubscribeSettings
        {
            Filter = filter,
            After = cursor,
            Snapshot = !IsSynced,
            Heartbeat = settings.Heartbeat,
            OnGap = OnGap.Resnapshot,
            ControlEvents = true,
        };
    }

    /// <summary>Reads all anew; until that is complete, the view stays as it is.</summary>
    private void Restart()
    {
        cursor = "";
        isReading = true;
        replay!.Clear();
    }

    private LiveTasksChange? Step(SubscriptionEvent told)
    {
        switch (told)
        {
            case SubscriptionEvent.Reconnecting:
                return Lost();
            case SubscriptionEvent.Gap or SubscriptionEvent.SnapshotRestarted:
                Restart();
                return Lost();
            case SubscriptionEvent.Synced or SubscriptionEvent.Resumed:
                cursor = told.Cursor!;
                var differences = isReading ? replay!.Table.Since(View.Table) : [];
                isReading = false;
                isConnected = true;
                return To(replay!.Table, cursor, differences);
            default:
                var changes = replay!.Apply(told);
                cursor = told.Cursor ?? cursor;
                return isReading ? null : To(replay.Table, cursor, changes);
        }
    }

    private LiveTasksChange To(TaskTable table, string at, IReadOnlyList<TaskChange> changes)
    {
        View = new LiveView(table, at, isConnected && replay?.Unread.Count == 0);
        return new LiveTasksChange(View, changes);
    }

    private async Task ReadGainedAsync(CancellationToken cancellationToken)
    {
        foreach (var listId in replay!.Unread.ToList())
        {
            try
            {
                isReading = true;
                replay.Read(listId, await ReadAsync(listId, cancellationToken).ConfigureAwait(false));
            }
            catch (SquallValidationException)
            {
                // The filter leaves no room for another term.
                Restart();
                return;
            }
        }
    }

    /// <summary>The tasks of one list, as of a place after that which was reached.</summary>
    private async Task<IReadOnlyList<V1.TaskItem>> ReadAsync(string listId, CancellationToken cancellationToken)
    {
        var read = new TaskReplay(order, account!);
        var start = Start() with { After = "", Snapshot = true, TaskListId = listId };
        await foreach (var told in client.SubscribeAsync(start, cancellationToken).ConfigureAwait(false))
        {
            switch (told)
            {
                case SubscriptionEvent.Synced:
                    return read.Table.Ordered;
                case SubscriptionEvent.Reconnecting lost:
                    throw lost.Cause;
                case SubscriptionEvent.Gap:
                    read.Clear();
                    break;
                default:
                    read.Apply(told);
                    break;
            }
        }

        throw Refusals.From(new RpcException(new Status(StatusCode.Unavailable, "The stream ended.")));
    }

    private async Task IdentifyAsync(CancellationToken cancellationToken)
    {
        var now = (await client.GetAccountAsync(null, cancellationToken).ConfigureAwait(false)).Id;
        account ??= now;
        replay ??= new TaskReplay(order, account);
        if (now != account)
        {
            throw Refusals.From(new RpcException(new Status(
                StatusCode.Unauthenticated, "The login that the view began with has ended.")));
        }
    }
}
