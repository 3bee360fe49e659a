using Grpc.Core;
using Squall.V1;

namespace Squall.Server;

/// <summary>Who makes a call, proved by its session or key, and what the call's method needs.</summary>
/// <param name="ProofId">The session's, or the key's.</param>
/// <param name="Key">What the key leaves; null: it is a session.</param>
internal sealed record Caller(string AccountId, string ProofId, Need Needs, KeyReach? Key = null)
{
    /// <summary>From where it calls; null where that was not asked.</summary>
    public Origin? Origin { get; set; }

    /// <summary>The caller of <paramref name="context"/>, put there by <see cref="Gate"/>.</summary>
    public static Caller Of(ServerCallContext context) => IfAny(context)!;

    /// <summary>The same; null: the gate has not let it in, or asks for nobody.</summary>
    public static Caller? IfAny(ServerCallContext context) =>
        context.GetHttpContext().Features.Get<Caller>();

    /// <summary>What the audit trail is told of its doing.</summary>
    public AuditEntry Did(AuditEvent what) =>
        new(what) { AccountId = AccountId, ProofId = ProofId, Address = Origin?.ToString() };

    public void Attach(ServerCallContext context) => context.GetHttpContext().Features.Set(this);

    /// <summary>
    /// The caller's role in a list, if it is what the call's method needs.
    /// </summary>
    /// <exception cref="RpcException">NOT_FOUND: no such list, or the caller is no member (told of
    /// <paramref name="resource"/> and <paramref name="id"/>, what the request named). PERMISSION_DENIED: its role is
    /// too low.</exception>
    public Role RequireMember(SquallDb db, string listId, string resource, string id)
    {
        Role role = Given(listId, (Role)RoleOf(db, listId, AccountId));
        if (role == Role.Unspecified)
        {
            throw Fault.NotFound(resource, id);
        }

        return role >= Needs.Role
            ? role
            : throw Fault.Denied("ROLE_TOO_LOW", $"This needs the role {Needs.Role} in the task list.")
                .About(new AuditEntry(AuditEvent.AccessDenied) { ListId = listId, Role = role });
    }

    /// <summary>Whether the caller is a member of a list, whatever its role.</summary>
    public bool Sees(SquallDb db, string listId) => Reaches(listId) && IsMember(db, listId, AccountId);

    /// <summary>Whether its key, if it is one, leaves it the list.</summary>
    public bool Reaches(string listId) => Key is null || Key.Names(listId);

    /// <summary>The role that a call is given in a list, of the one that its account has there.</summary>
    public Role Given(string listId, Role member) =>
        Key is null ? member : !Reaches(listId) ? Role.Unspecified : member < Key.Role ? member : Key.Role;

    public static bool IsMember(SquallDb db, string listId, string accountId) =>
        RoleOf(db, listId, accountId) != (int)Role.Unspecified;

    public Role RequireMember(SquallDb db, string listId) => RequireMember(db, listId, "task list", listId);

    private static int RoleOf(SquallDb db, string listId, string accountId) => (int)(long)(db.Execute(
        """
        SELECT "Role" FROM members WHERE "ListId" = @list AND "AccountId" = @account AND "EndSeq" IS NULL
        """,
        ("@list", listId), ("@account", accountId)) ?? 0L);
}

/// <summary>What a method asks of its caller: proof of who it is, and a role in the list that it deals with.</summary>
/// <param name="CreatesLists">It is not for a key that names lists, or has a role below owner.</param>
/// <param name="IsLater">It is answered UNIMPLEMENTED until a later version.</param>
/// <param name="HasSecret">Its request carries one, or its answer does; what asks for proof carries that.</param>
internal sealed record Need(
    Proof Proof, Role Role, bool CreatesLists = false, bool IsLater = false, bool HasSecret = false);

internal enum Proof
{
    Nothing,
    SessionOrKey,
    Session,
}
