namespace Squall.Server;

/// <summary>Every limit of the service, with its default. Each is an option of the server (see --help).</summary>
internal sealed class Limits
{
    public int MessageBytesMax { get; set; } = 4 << 20;
    public int AnswerBytesMax { get; set; } = 3 << 20;
    public int HeaderBytesMax { get; set; } = 32 << 10;

    public int ListTitleCharactersMax { get; set; } = 200;
    public int TaskTitleCharactersMax { get; set; } = 500;
    public int NoteBytesMax { get; set; } = 64 << 10;
    public int LabelsMax { get; set; } = 50;
    public int LabelCharactersMax { get; set; } = 100;
    public int RankCharactersMax { get; set; } = 64;
    public int CommentBytesMax { get; set; } = 16 << 10;
    public int NameCharactersMax { get; set; } = 100;
    public int GreetingNameCharactersMax { get; set; } = 200;
    public int FilterBytesMax { get; set; } = 4 << 10;
    public int FilterTermsMax { get; set; } = 50;
    public int FilterNestingMax { get; set; } = 50;

    public int PageSizeDefault { get; set; } = 50;
    public int PageSizeMax { get; set; } = 1_000;
    public int BatchTasksMax { get; set; } = 1_000;

    public int ListTasksMax { get; set; } = 1_000_000;
    public int TaskStepsMax { get; set; } = 1_000;
    public int TaskCommentsMax { get; set; } = 10_000;
    public int AccountListsMax { get; set; } = 10_000;
    public int ListMembersMax { get; set; } = 1_000;
    public int AccountSessionsMax { get; set; } = 100;
    public int AccountKeysMax { get; set; } = 100;
    public int KeyListsMax { get; set; } = 100;
    public int AccountSubscriptionsMax { get; set; } = 100;
    public int ConnectionStreamsMax { get; set; } = 1_000;

    public int ConnectionsMax { get; set; } = 10_000;

    public int PasswordCharactersMin { get; set; } = 12;
    public int PasswordCharactersMax { get; set; } = 1_024;
    public int HashesAtOnceMax { get; set; } = 2;
    public int HashesWaitingMax { get; set; } = 16;
    public TimeSpan AccessLifetime { get; set; } = TimeSpan.FromMinutes(15);
    public TimeSpan RefreshLifetime { get; set; } = TimeSpan.FromDays(30);
    public TimeSpan SessionLifetime { get; set; } = TimeSpan.FromDays(365);
    public TimeSpan RefreshGrace { get; set; } = TimeSpan.FromSeconds(10);

    public TimeSpan UsernameRetention { get; set; } = TimeSpan.FromDays(30);

    public int AccountAddressFailuresMax { get; set; } = 10;
    public int AddressFailuresMax { get; set; } = 100;
    public TimeSpan FailureWindow { get; set; } = TimeSpan.FromMinutes(15);
    public int AccountFailuresMax { get; set; } = 100;
    public TimeSpan AccountFailureWindow { get; set; } = TimeSpan.FromHours(1);
    public TimeSpan FamiliarTime { get; set; } = TimeSpan.FromDays(30);
    public int AccountPlacesMax { get; set; } = 100;
    public int AddressRegistrationsMax { get; set; } = 20;
    public TimeSpan RegistrationWindow { get; set; } = TimeSpan.FromHours(1);
    public int FailuresRememberedMax { get; set; } = 200_000;
    public int AccountRequestsPerSecondMax { get; set; } = 1_000;

    public TimeSpan AuditRetention { get; set; } = TimeSpan.FromDays(90);
    public long AuditRowsMax { get; set; } = 1_000_000;
    public long AuditRefusedRowsMax { get; set; } = 1_000_000;
    public int AuditPendingMax { get; set; } = 500;
    public TimeSpan KeyUseInterval { get; set; } = TimeSpan.FromHours(1);
    public int KeyUsePlacesMax { get; set; } = 10;

    public int QueuedChangesMax { get; set; } = 10_000;
    public int QueuedBytesMax { get; set; } = 64 << 20;
    public int QueuedChangesPerAccountMax { get; set; } = 1_000;
    public int CommitChangesMax { get; set; } = 256;
    public int CommitBytesMax { get; set; } = 4 << 20;
    public TimeSpan CommitTimeMax { get; set; } = TimeSpan.FromMilliseconds(20);
    public TimeSpan RequestMemory { get; set; } = TimeSpan.FromHours(24);
    public long RequestMemoryRowsMax { get; set; } = 10_000_000;

    public TimeSpan JournalRetention { get; set; } = TimeSpan.FromDays(7);
    public long JournalChangesMax { get; set; } = 10_000_000;
    public long JournalBytesMax { get; set; } = 4L << 30;
    public long TailBytesMax { get; set; } = 64L << 20;
    public TimeSpan HeartbeatDefault { get; set; } = TimeSpan.FromSeconds(15);
    public TimeSpan HeartbeatMin { get; set; } = TimeSpan.FromSeconds(1);
    public TimeSpan HeartbeatMax { get; set; } = TimeSpan.FromMinutes(5);
    public TimeSpan RequestReadTimeMax { get; set; } = TimeSpan.FromSeconds(30);

    public TimeSpan StalledWriteMax { get; set; } = TimeSpan.FromSeconds(30);

    public TimeSpan CallDeadlineDefault { get; set; } = TimeSpan.FromSeconds(30);
    public TimeSpan StopTimeMax { get; set; } = TimeSpan.FromSeconds(8);
}
