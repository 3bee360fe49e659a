using Squall.V1;

namespace Squall.Client;

/// <summary>The client's own account: its name for others, its password, its sessions and keys, and its end.</summary>
public interface IAccess
{
    /// <summary>Changes the name that others read beside the username.</summary>
    Task<Account> RenameAsync(
        string displayName, CallSettings? settings = null, CancellationToken cancellationToken = default);

    /// <summary>
    /// Changes the password and ends all other sessions. The current one is empty for an account that has none;
    /// PASSWORD_WRONG: it is another one. PASSWORD_WEAK: the new one is easy to guess.
    /// </summary>
    Task ChangePasswordAsync(
        string currentPassword, string newPassword, CallSettings? settings = null,
        CancellationToken cancellationToken = default);

    /// <summary>
    /// Deletes the account and its own lists, ends its memberships, sessions and keys, and forgets the client's tokens.
    /// LAST_OWNER: it is the only owner of a list that has other members.
    /// </summary>
    Task DeleteAccountAsync(
        string password, CallSettings? settings = null, CancellationToken cancellationToken = default);

    /// <summary>The account's sessions, newest first; at most 100, unless the server allows more.</summary>
    Task<IReadOnlyList<Session>> ListSessionsAsync(
        CallSettings? settings = null, CancellationToken cancellationToken = default);

    /// <summary>Ends a session, its subscriptions too.</summary>
    Task RevokeSessionAsync(
        string sessionId, CallSettings? settings = null, CancellationToken cancellationToken = default);

    /// <summary>
    /// Creates a key with which a program calls in the account's name, as the token of a client's options. Its secret
    /// is told here and never again.
    /// </summary>
    Task<CreateApiKeyResponse> CreateKeyAsync(
        ApiKey key, CallSettings? settings = null, CancellationToken cancellationToken = default);

    /// <summary>The account's keys, newest first, without their secrets.</summary>
    Task<IReadOnlyList<ApiKey>> ListKeysAsync(
        CallSettings? settings = null, CancellationToken cancellationToken = default);

    /// <summary>Ends a key, its subscriptions too.</summary>
    Task RevokeKeyAsync(
        string keyId, CallSettings? settings = null, CancellationToken cancellationToken = default);
}
