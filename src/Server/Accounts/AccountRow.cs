using Squall.V1;

namespace Squall.Server;

/// <summary>An account of a person or a program.</summary>
internal sealed class AccountRow
{
    public required string Id { get; set; }

    /// <summary>In lower case; unique.</summary>
    public required string Username { get; set; }

    public string DisplayName { get; set; } = "";
    public long CreateTimeMicros { get; set; }

    /// <summary>The password's hash with its parameters; null for an account that has no password.</summary>
    public string? PasswordHash { get; set; }

    /// <summary>How many lists it is a member of, kept here so that the limit needs no count.</summary>
    public int ListCount { get; set; }

    /// <summary>
    /// When it was deleted: nobody sees it from the mark on. Its row keeps its name from others for a while.
    /// </summary>
    public long? DeleteTimeMicros { get; set; }

    /// <summary>When an operator disabled it: it cannot log in. Null: it can.</summary>
    public long? DisableTimeMicros { get; set; }

    /// <summary>
    /// What a password is checked against; null: there is none, and whatever is tried costs the same and is wrong.
    /// </summary>
    public string? LoginHash => DisableTimeMicros is null ? PasswordHash : null;

    public Account ToProto() => new()
    {
        Id = Id,
        Username = Username,
        DisplayName = DisplayName,
        CreateTime = Micros.ToTimestamp(CreateTimeMicros),
    };
}
