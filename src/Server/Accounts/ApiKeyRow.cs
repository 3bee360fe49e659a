using Squall.V1;

namespace Squall.Server;

/// <summary>A key with which a program calls in an account's name: its row is gone when it ended.</summary>
internal sealed class ApiKeyRow
{
    private const char Between = ' ';

    public required string Id { get; set; }
    public required string AccountId { get; set; }

    /// <summary>SHA-256 of its secret, which is not kept.</summary>
    public required byte[] Hash { get; set; }

    public string Title { get; set; } = "";
    public int Role { get; set; }

    /// <summary>The ids of the lists that it names, with a space between them; empty: it names none.</summary>
    public string ListIds { get; set; } = "";

    public long CreateTimeMicros { get; set; }
    public long? ExpireTimeMicros { get; set; }

    /// <summary>As it was last written, up to a minute behind; null: never.</summary>
    public long? LastUseTimeMicros { get; set; }

    public static string Joined(IEnumerable<string> listIds) => string.Join(Between, listIds);

    public KeyReach Reach() => new((Role)Role, ListIds.Length == 0 ? null : Lists().ToHashSet(), ExpireTimeMicros);

    /// <param name="lastUseMicros">As memory has it; 0 where the row is up to date.</param>
    public ApiKey ToProto(long lastUseMicros = 0) => new()
    {
        Id = Id,
        Title = Title,
        Role = (Role)Role,
        TaskListIds = { Lists() },
        CreateTime = Micros.ToTimestamp(CreateTimeMicros),
        ExpireTime = Micros.ToTimestamp(ExpireTimeMicros),
        LastUseTime = Micros.ToTimestamp(lastUseMicros > 0 ? lastUseMicros : LastUseTimeMicros),
    };

    private string[] Lists() => ListIds.Split(Between, StringSplitOptions.RemoveEmptyEntries);
}

/// <summary>What a key leaves of what its account may do; it never changes.</summary>
/// <param name="Role">The highest that a call with it is given on any list.</param>
/// <param name="Lists">Those that it names; null: none, it reaches all.</param>
/// <param name="ExpireTimeMicros">Null: it does not expire.</param>
internal sealed record KeyReach(Role Role, IReadOnlySet<string>? Lists, long? ExpireTimeMicros)
{
    public bool CreatesLists => Lists is null && Role == Role.Owner;

    public bool Names(string listId) => Lists is null || Lists.Contains(listId);
}
