using Squall.V1;

namespace Squall.Server;

/// <summary>
/// What the audit trail is told: who did what to whom, from where. It holds ids, and what the server itself says; never
/// a secret, and nothing that a caller wrote who was not known for it (who knows what was typed into which field).
/// </summary>
internal sealed record AuditEntry(AuditEvent Event)
{
    /// <summary>Whose doing it is, or whose account was tried; of an operator's, the one it is about. Null: unknown.
    /// </summary>
    public string? AccountId { get; init; }

    /// <summary>That account's name, for the log; no row has it, so that a deleted account's is nowhere.</summary>
    public string? Username { get; init; }

    /// <summary>The session or key with which it was done, or that began by it.</summary>
    public string? ProofId { get; init; }

    /// <summary>The session, key or account to which it was done.</summary>
    public string? SubjectId { get; init; }

    /// <summary>As <see cref="Origin"/> writes it; null for an operator's, and for what the server does later.
    /// </summary>
    public string? Address { get; init; }

    public string? ListId { get; init; }
    public Role Role { get; init; }

    /// <summary>Why it was refused, as the operator may know; its caller may not.</summary>
    public string? Cause { get; init; }

    /// <summary>As <c>AuthService/Login</c>, for what was refused.</summary>
    public string? Rpc { get; init; }
}

/// <summary>An entry as it is kept.</summary>
internal sealed class AuditRow
{
    /// <summary>In the order of writing, by which events of one time are told apart.</summary>
    public long Num { get; set; }

    public long TimeMicros { get; set; }

    /// <summary>An <see cref="AuditEvent"/>.</summary>
    public int Event { get; set; }

    /// <summary>Refusals are counted apart, so that nobody pushes out what was done by being refused.</summary>
    public bool IsRefusal { get; set; }

    public string? AccountId { get; set; }
    public string? ProofId { get; set; }
    public string? SubjectId { get; set; }
    public string? Address { get; set; }
    public string? ListId { get; set; }

    /// <summary>A <see cref="V1.Role"/>; 0: none.</summary>
    public int Role { get; set; }

    public string? Cause { get; set; }
    public string? Rpc { get; set; }

    /// <summary>How often it happened within a second, of which the row has the first time.</summary>
    public long Count { get; set; }
}
