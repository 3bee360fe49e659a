namespace Squall.Client;

/// <summary>What a subscription is to tell, and from where on.</summary>
public sealed record SubscribeSettings
{
    /// <summary>Which tasks, in the words of ListTasks' filter; empty: all that the caller can see.</summary>
    public string Filter { get; init; } = "";

    /// <summary>
    /// Of which list the tasks; empty: of all. What happens to other lists themselves and to their members is told all
    /// the same.
    /// </summary>
    public string TaskListId { get; init; } = "";

    /// <summary>Starts right after this cursor, taken from an event. Empty: now.</summary>
    public string After { get; init; } = "";

    /// <summary>Tells the matching tasks first, then what changes from there. Not with After.</summary>
    public bool Snapshot { get; init; }

    /// <summary>How long the server is silent at most: 1 s to 5 min. After 2.5 times that the stream is lost.</summary>
    public TimeSpan Heartbeat { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>What to do when the server no longer knows all that happened since.</summary>
    public OnGap OnGap { get; init; } = OnGap.Throw;

    /// <summary>Whether to tell of heartbeats, lost streams and their resumption as well.</summary>
    public bool ControlEvents { get; init; }

    /// <summary>How long to try to get back a stream that was lost before giving up; null: until cancelled.</summary>
    public TimeSpan? GiveUpAfter { get; init; }

    /// <summary>
    /// The filter and the list. What is added comes last, so that the places in the server's errors are those of the
    /// filter as it was given; since OR binds closer than AND, it needs no parentheses.
    /// </summary>
    internal string Selected()
    {
        if (TaskListId.Length == 0)
        {
            return Filter;
        }

        var quoted = TaskListId.Replace("\\", "\\\\").Replace("\"", "\\\"");
        var ofList = $"task_list_id = \"{quoted}\"";
        return string.IsNullOrWhiteSpace(Filter) ? ofList : $"{Filter} AND {ofList}";
    }
}

/// <summary>What a subscription does when it cannot resume.</summary>
public enum OnGap
{
    /// <summary>It ends with SquallGapException.</summary>
    Throw,

    /// <summary>It says so with a Gap, and begins anew with a snapshot.</summary>
    Resnapshot,
}
