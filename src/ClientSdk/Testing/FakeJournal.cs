using System.Threading.Channels;
using Grpc.Core;
using Squall.V1;

namespace Squall.Client.Testing;

/// <summary>What happened, and who is told of it. Its client's lock guards it.</summary>
internal sealed class FakeJournal
{
    private const string Prefix = "cursor-";

    private readonly List<Change> history = [];
    private readonly List<(Channel<SubscriptionEvent> Channel, Func<TaskItem, bool> Sees)> subscribers = [];
    private readonly HashSet<string> lost = [];
    private int floor;

    /// <summary>What a filter means.</summary>
    public Func<string, TaskItem, bool> Matches { get; set; } = (_, _) => true;

    public string End => $"{Prefix}{history.Count}";

    /// <summary>Tells an event as it is, whatever the filters.</summary>
    public void Tell(SubscriptionEvent told)
    {
        var placed = told with { Cursor = told.Cursor ?? Next };
        Add(new Change("", _ => placed));
    }

    /// <summary>Tells a change of a task, by what it was and what it is; of a list or member, with neither.</summary>
    public void Tell(Notification notification, TaskItem? before = null, TaskItem? after = null)
    {
        var cursor = notification.Cursor = Next;
        (before, after) = (before?.Clone(), after?.Clone());
        if (notification.TaskListDeleted is not null)
        {
            lost.Add(notification.TaskListId);
        }

        // The deletion itself stays to be told.
        Add(new Change(notification.TaskListDeleted is null ? notification.TaskListId : "", sees =>
            (after is null && before is null) || (after is not null && sees(after))
                ? new SubscriptionEvent.Changed(notification.Clone()) { Cursor = cursor }
                : before is not null && sees(before)
                    ? new SubscriptionEvent.Left(notification.Clone()) { Cursor = cursor } : null));
    }

    /// <summary>
    /// What is told from a cursor on, without what happened in lists that are gone; throws where it leads nowhere.
    /// </summary>
    public List<SubscriptionEvent> After(string cursor, Func<TaskItem, bool> sees) =>
    [
        .. history.Skip(PlaceOf(cursor)).Where(change => !lost.Contains(change.ListId))
            .Select(change => change.As(sees)).OfType<SubscriptionEvent>(),
    ];

    /// <summary>Forgets what happened: earlier cursors are gaps from now on.</summary>
    public void Forget() => floor = history.Count;

    /// <summary>What a subscription asks for; as the filter's meaning is when it is asked.</summary>
    public Func<TaskItem, bool> Sees(string filter, string listId = "") => task =>
        (listId.Length == 0 || task.TaskListId == listId) && (filter.Length == 0 || Matches(filter, task));

    public void Join(Channel<SubscriptionEvent> channel, Func<TaskItem, bool> sees) => subscribers.Add((channel, sees));

    public void Leave(Channel<SubscriptionEvent> channel) => subscribers.RemoveAll(one => one.Channel == channel);

    public void EndAll(Exception failure)
    {
        subscribers.ForEach(subscriber => subscriber.Channel.Writer.TryComplete(failure));
        subscribers.Clear();
    }

    private string Next => $"{Prefix}{history.Count + 1}";

    private void Add(Change change)
    {
        history.Add(change);
        foreach (var (channel, sees) in subscribers)
        {
            if (change.As(sees) is { } told)
            {
                channel.Writer.TryWrite(told);
            }
        }
    }

    private int PlaceOf(string cursor)
    {
        if (cursor.Length == 0)
        {
            return floor;
        }

        if (!cursor.StartsWith(Prefix, StringComparison.Ordinal)
            || !int.TryParse(cursor[Prefix.Length..], out var place))
        {
            throw FakeFailure.Field("after", "CURSOR_FORMAT", "is no cursor");
        }

        return place >= floor && place <= history.Count ? place
            : throw FakeFailure.Gap(cursor);
    }

    /// <summary>A change, which shows itself as a subscription sees it; null: not at all.</summary>
    private sealed record Change(string ListId, Func<Func<TaskItem, bool>, SubscriptionEvent?> As);
}

/// <summary>The failures of the fakes, with the reasons and details of the server's.</summary>
internal static class FakeFailure
{
    public static SquallException Field(string field, string reason, string message) =>
        Make(StatusCode.InvalidArgument, reason, $"{field}: {message}", new Google.Rpc.BadRequest
        {
            FieldViolations =
            {
                new Google.Rpc.BadRequest.Types.FieldViolation { Field = field, Description = message },
            },
        });

    public static SquallException NotFound(string resource, string id) =>
        Make(StatusCode.NotFound, "NOT_FOUND", $"There is no such {resource}.", new Google.Rpc.ResourceInfo
        {
            ResourceType = resource,
            ResourceName = id,
        });

    public static SquallException Version(long current) => Make(
        StatusCode.Aborted, "VERSION_MISMATCH", "It was changed meanwhile.", null, ("version", $"{current}"));

    public static SquallException Taken(string username) =>
        Make(StatusCode.AlreadyExists, "ALREADY_EXISTS", "The username is taken.", new Google.Rpc.ResourceInfo
        {
            ResourceType = "username",
            ResourceName = username,
        });

    public static SquallException Gap(string cursor) => Refusals.From(
        Cause(StatusCode.OutOfRange, "CURSOR_EXPIRED", "The journal does not continue from this cursor."), cursor);

    public static SquallException Make(
        StatusCode code, string reason, string message, Google.Protobuf.IMessage? detail = null,
        (string Key, string Value)? metadata = null) => Refusals.From(Cause(code, reason, message, detail, metadata));

    private static RpcException Cause(
        StatusCode code, string reason, string message, Google.Protobuf.IMessage? detail = null,
        (string Key, string Value)? metadata = null)
    {
        var cause = new Google.Rpc.ErrorInfo { Domain = "squall", Reason = reason };
        if (metadata is var (key, value))
        {
            cause.Metadata.Add(key, value);
        }

        var status = new Google.Rpc.Status { Code = (int)code, Message = message };
        status.Details.Add(Google.Protobuf.WellKnownTypes.Any.Pack(cause));
        if (detail is not null)
        {
            status.Details.Add(Google.Protobuf.WellKnownTypes.Any.Pack(detail));
        }

        return status.ToRpcException();
    }
}
