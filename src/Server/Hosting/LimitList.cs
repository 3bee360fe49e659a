using static Squall.Server.Option;

namespace Squall.Server;

/// <summary>The limits as options, each with the least and the most that it may be set to.</summary>
internal static class LimitList
{
    public static readonly IReadOnlyList<Option> All =
    [
        Limit(nameof(Limits.MessageBytesMax), "64KiB", "64MiB", "a message, either way"),
        Limit(nameof(Limits.AnswerBytesMax), "32KiB", "60MiB", "where a page or a batch's answer ends"),
        Limit(nameof(Limits.HeaderBytesMax), "4KiB", "1MiB", "the headers of a call"),

        Limit(nameof(Limits.ListTitleCharactersMax), "1", "10000", "a task list's title"),
        Limit(nameof(Limits.TaskTitleCharactersMax), "1", "10000", "a task's title"),
        Limit(nameof(Limits.NoteBytesMax), "0B", "1MiB", "a task's note"),
        Limit(nameof(Limits.LabelsMax), "0", "1000", "labels of a task"),
        Limit(nameof(Limits.LabelCharactersMax), "1", "1000", "a label"),
        Limit(nameof(Limits.RankCharactersMax), "16", "1000", "a task's rank"),
        Limit(nameof(Limits.CommentBytesMax), "1B", "1MiB", "a comment"),
        Limit(nameof(Limits.NameCharactersMax), "1", "1000", "a display name, and other names"),
        Limit(nameof(Limits.GreetingNameCharactersMax), "1", "10000", "the name in SayHello"),
        Limit(nameof(Limits.FilterBytesMax), "64B", "64KiB", "a filter"),
        Limit(nameof(Limits.FilterTermsMax), "1", "500", "terms of a filter"),
        Limit(nameof(Limits.FilterNestingMax), "1", "100", "how deep parentheses are nested in a filter"),

        Limit(nameof(Limits.PageSizeDefault), "1", "10000", "a page's size where none is asked for"),
        Limit(nameof(Limits.PageSizeMax), "1", "10000", "a page's size"),
        Limit(nameof(Limits.BatchTasksMax), "1", "1000", "tasks of a batch"),

        Limit(nameof(Limits.ListTasksMax), "1", "100000000", "tasks of a list"),
        Limit(nameof(Limits.TaskStepsMax), "0", "1000", "steps of a task"),
        Limit(nameof(Limits.TaskCommentsMax), "0", "1000000", "comments of a task"),
        Limit(nameof(Limits.AccountListsMax), "1", "1000000", "lists of an account"),
        Limit(nameof(Limits.ListMembersMax), "1", "10000", "members of a list"),
        Limit(nameof(Limits.AccountSessionsMax), "1", "10000", "sessions of an account"),
        Limit(nameof(Limits.AccountKeysMax), "0", "10000", "API keys of an account"),
        Limit(nameof(Limits.KeyListsMax), "1", "1000", "task lists that an API key names"),
        Limit(nameof(Limits.AccountSubscriptionsMax), "1", "10000", "subscriptions of an account"),
        Limit(nameof(Limits.ConnectionStreamsMax), "1", "100000", "calls at once on a connection"),
        Limit(nameof(Limits.ConnectionsMax), "1", "1000000", "connections to an address, of either version of HTTP"),

        Limit(nameof(Limits.PasswordCharactersMin), "8", "1024", "a password's least length"),
        Limit(nameof(Limits.PasswordCharactersMax), "64", "4096", "a password's greatest length"),
        Limit(nameof(Limits.HashesAtOnceMax), "1", "64", "passwords checked at once"),
        Limit(nameof(Limits.HashesWaitingMax), "0", "10000", "passwords that wait to be checked"),
        Limit(nameof(Limits.AccessLifetime), "1s", "1d", "an access token's life"),
        Limit(nameof(Limits.RefreshLifetime), "1m", "365d", "a refresh token's life"),
        Limit(nameof(Limits.SessionLifetime), "1m", "3650d", "a session's life, however often it is renewed"),
        Limit(nameof(Limits.RefreshGrace), "0s", "10m", "how long a spent refresh token may be used again"),
        Limit(nameof(Limits.UsernameRetention), "0s", "3650d", "how long a deleted account's name stays taken"),

        Limit(nameof(Limits.AccountAddressFailuresMax), "1", "1000", "failed logins to an account from an address"),
        Limit(nameof(Limits.AddressFailuresMax), "1", "100000", "failed logins from an address, or a /64 of IPv6"),
        Limit(nameof(Limits.FailureWindow), "1s", "1d", "within how long those are counted"),
        Limit(nameof(Limits.AccountFailuresMax), "1", "100000", "failed logins to an account from new addresses"),
        Limit(nameof(Limits.AccountFailureWindow), "1s", "7d", "within how long those are counted"),
        Limit(nameof(Limits.FamiliarTime), "0s", "365d", "how long an address is familiar after a login from it"),
        Limit(nameof(Limits.AccountPlacesMax), "1", "10000", "familiar addresses of an account"),
        Limit(nameof(Limits.AddressRegistrationsMax), "1", "100000", "registrations from an address"),
        Limit(nameof(Limits.RegistrationWindow), "1s", "30d", "within how long those are counted"),
        Limit(nameof(Limits.FailuresRememberedMax), "1000", "10000000", "what is remembered of each kind of those"),
        Limit(nameof(Limits.AccountRequestsPerSecondMax), "1", "1000000", "requests a second of an account"),

        Limit(nameof(Limits.AuditRetention), "1m", "3650d", "how long the audit trail tells of an event"),
        Limit(nameof(Limits.AuditRowsMax), "1000", "1000000000", "rows of what was done that the trail keeps"),
        Limit(nameof(Limits.AuditRefusedRowsMax), "1000", "1000000000", "rows of what was refused that it keeps"),
        Limit(nameof(Limits.AuditPendingMax), "1", "10000", "different refusals that it tells of a second"),
        Limit(nameof(Limits.KeyUseInterval), "1m", "30d", "how often it tells of an API key that is used on"),
        Limit(nameof(Limits.KeyUsePlacesMax), "1", "1000", "from how many addresses within that time, at most"),

        Limit(nameof(Limits.QueuedChangesMax), "1", "1000000", "changes that wait to be stored"),
        Limit(nameof(Limits.QueuedBytesMax), "1MiB", "1GiB", "what the waiting changes hold"),
        Limit(nameof(Limits.QueuedChangesPerAccountMax), "1", "1000000", "waiting changes of an account"),
        Limit(nameof(Limits.CommitChangesMax), "1", "10000", "changes of a commit"),
        Limit(nameof(Limits.CommitBytesMax), "64KiB", "64MiB", "what the changes of a commit hold"),
        Limit(nameof(Limits.CommitTimeMax), "1ms", "1s", "how long changes are gathered for a commit"),
        Limit(nameof(Limits.RequestMemory), "1m", "30d", "how long a request_id is remembered"),
        Limit(nameof(Limits.RequestMemoryRowsMax), "1", "1000000000", "how many request_ids are remembered"),

        Limit(nameof(Limits.JournalRetention), "1m", "3650d", "how long a change is kept for those who resume"),
        Limit(nameof(Limits.JournalChangesMax), "1000", "10000000000", "changes that are kept for them"),
        Limit(nameof(Limits.JournalBytesMax), "1MiB", "1024GiB", "what the kept changes hold"),
        Limit(nameof(Limits.TailBytesMax), "1MiB", "8GiB", "the newest changes that are kept in memory"),
        Limit(nameof(Limits.HeartbeatDefault), "1s", "1h", "a subscription's heartbeat where none is asked for"),
        Limit(nameof(Limits.HeartbeatMin), "100ms", "1h", "the shortest heartbeat"),
        Limit(nameof(Limits.HeartbeatMax), "1s", "1h", "the longest heartbeat"),
        Limit(nameof(Limits.RequestReadTimeMax), "1s", "1h", "how long a request may take to arrive"),
        Limit(nameof(Limits.StalledWriteMax), "1s", "1h", "how long a stream may not be read before it is cut"),

        Limit(nameof(Limits.CallDeadlineDefault), "1s", "1h", "how long a call without a deadline may take"),
        Limit(nameof(Limits.StopTimeMax), "100ms", "5m", "how long open calls may take when the server stops"),
    ];

    private static readonly (string Lesser, string Greater)[] Orders =
    [
        (nameof(Limits.AnswerBytesMax), nameof(Limits.MessageBytesMax)),
        (nameof(Limits.PageSizeDefault), nameof(Limits.PageSizeMax)),
        (nameof(Limits.PasswordCharactersMin), nameof(Limits.PasswordCharactersMax)),
        (nameof(Limits.HeartbeatMin), nameof(Limits.HeartbeatDefault)),
        (nameof(Limits.HeartbeatDefault), nameof(Limits.HeartbeatMax)),
    ];

    /// <summary>What is wrong with the limits beside one another; null: nothing.</summary>
    public static string? Conflict(Limits limits) =>
        Orders.Where(order => Comparer<object>.Default.Compare(Of(limits, order.Lesser), Of(limits, order.Greater)) > 0)
            .Select(order => $"--{Kebab(order.Lesser)} may not be more than --{Kebab(order.Greater)}")
            .Concat(LargestAnswer.All.Where(answer => answer.Bytes(limits) > limits.MessageBytesMax)
                .Select(answer => $"{answer.What} could be {answer.Bytes(limits)} bytes, more than "
                    + $"--{Kebab(nameof(Limits.MessageBytesMax))}: raise that, or lower "
                    + string.Join(" or ", answer.Limits.Select(limit => "--" + Kebab(limit)))))
            .FirstOrDefault();

    private static object Of(Limits limits, string property) => typeof(Limits).GetProperty(property)!.GetValue(limits)!;
}
