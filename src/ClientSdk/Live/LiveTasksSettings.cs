namespace Squall.Client;

/// <summary>How a live view of tasks is ordered, and where it tells of itself.</summary>
public sealed record LiveTasksSettings
{
    /// <summary>In the words of ListTasks' order; empty: by list, then rank. ArgumentException for others.</summary>
    public string OrderBy { get; init; } = "";

    /// <summary>How long the server is silent at most: 1 s to 5 min. After 2.5 times that the stream is lost.</summary>
    public TimeSpan Heartbeat { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>Where handlers run, such as a UI's SynchronizationContext.Current; null: on the thread pool.</summary>
    public SynchronizationContext? Context { get; init; }
}
