using System.Collections.Frozen;
using Grpc.Core;

namespace Squall.Server;

/// <summary>Tells the audit trail which calls the gate or their handlers refuse for who calls, or how often.</summary>
internal sealed class Refusals(AuditTrail trail, Origins origins)
{
    private const string Package = "/squall.v1.";
    private const string Refresh = "/squall.v1.AuthService/RefreshSession";

    /// <summary>
    /// Which refusals are told, by their reasons. NOT_FOUND among them: whoever asks for what it may not see is told
    /// that there is none, and this is where looking for others' shows. (Whether there is one is not asked, so that it
    /// takes no other time.) Not among them: a token that has just expired or ended, as all do, and a call without any.
    /// </summary>
    private static readonly FrozenDictionary<string, AuditEvent> Told = new Dictionary<string, AuditEvent>
    {
        ["CREDENTIALS_WRONG"] = AuditEvent.LoginFailed,
        ["ID_TOKEN_INVALID"] = AuditEvent.IdTokenRefused,
        ["TOKEN_INVALID"] = AuditEvent.TokenRefused,
        ["PASSWORD_WRONG"] = AuditEvent.PasswordRefused,
        ["ROLE_TOO_LOW"] = AuditEvent.AccessDenied,
        ["SESSION_REQUIRED"] = AuditEvent.AccessDenied,
        ["KEY_LIMITED"] = AuditEvent.AccessDenied,
        ["CLEAR_TEXT"] = AuditEvent.AccessDenied,
        ["NOT_FOUND"] = AuditEvent.AccessDenied,
        ["REGISTRATION_CLOSED"] = AuditEvent.AccessDenied,
        ["TOO_MANY_ATTEMPTS"] = AuditEvent.LoginLimited,
        ["TOO_MANY_REGISTRATIONS"] = AuditEvent.CallLimited,
        ["TOO_MANY_REQUESTS"] = AuditEvent.CallLimited,
        ["HASHING_BUSY"] = AuditEvent.CallLimited,
    }.ToFrozenDictionary(StringComparer.Ordinal);

    public void Note(ServerCallContext context, RpcException refused)
    {
        string reason = Fault.ReasonOf(refused);
        AuditEntry? about = Fault.AboutOf(refused);
        if ((about?.Event ?? EventOf(context.Method, reason)) is not { } what)
        {
            return;
        }

        Caller? caller = Caller.IfAny(context);
        trail.Note((about ?? new AuditEntry(what)) with
        {
            Event = what,
            AccountId = about?.AccountId ?? caller?.AccountId,
            ProofId = about?.ProofId ?? caller?.ProofId,
            Address = origins.Of(context).ToString(),
            Cause = about?.Cause ?? reason.ToLowerInvariant(),
            Rpc = context.Method.Replace(Package, "", StringComparison.Ordinal),
        });
    }

    private static AuditEvent? EventOf(string method, string reason) =>
        !Told.TryGetValue(reason, out AuditEvent what) ? null
        : method == Refresh && what == AuditEvent.TokenRefused ? AuditEvent.RefreshRefused
        : what;
}
