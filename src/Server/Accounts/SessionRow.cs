using Squall.V1;

namespace Squall.Server;

/// <summary>A login, for as long as it lasts: its row is gone when it ended.</summary>
internal sealed class SessionRow
{
    public required string Id { get; set; }
    public required string AccountId { get; set; }
    public long CreateTimeMicros { get; set; }

    /// <summary>As it was last written, up to a minute behind.</summary>
    public long LastUseTimeMicros { get; set; }

    /// <summary>When its newest refresh token expires, and it ends.</summary>
    public long ExpireTimeMicros { get; set; }

    public string UserAgent { get; set; } = "";

    /// <summary>The number of its newest pair of tokens.</summary>
    public int Generation { get; set; }

    /// <param name="lastUseMicros">As memory has it; 0 where the row is up to date.</param>
    public Session ToProto(long lastUseMicros, string currentId) => new()
    {
        Id = Id,
        CreateTime = Micros.ToTimestamp(CreateTimeMicros),
        LastUseTime = Micros.ToTimestamp(Math.Max(LastUseTimeMicros, lastUseMicros)),
        ExpireTime = Micros.ToTimestamp(ExpireTimeMicros),
        UserAgent = UserAgent,
        Current = Id == currentId,
    };
}

/// <summary>An access or refresh token: what it was is not kept, but its hash.</summary>
internal sealed class TokenRow
{
    /// <summary>SHA-256 of the token.</summary>
    public required byte[] Hash { get; set; }

    public required string SessionId { get; set; }
    public bool IsRefresh { get; set; }

    /// <summary>Which pair it belongs to, counted from 1.</summary>
    public int Generation { get; set; }

    public long ExpireTimeMicros { get; set; }

    /// <summary>When a refresh token was first traded; it is remembered until it would have expired.</summary>
    public long? SpentTimeMicros { get; set; }
}
