using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Squall.V1;

namespace Squall.Client.Testing;

/// <summary>An account's own affairs in memory: it has one session, and keys that nobody calls with.</summary>
internal sealed class FakeAccess(FakeSquallClient client) : IAccess
{
    private const string SessionId = "session-1";
    private readonly List<ApiKey> keys = [];
    private int made;

    public Task<Account> RenameAsync(string displayName, CallSettings? settings, CancellationToken cancellationToken) =>
        client.AnswerAsync(
            () =>
            {
                client.Caller.DisplayName = displayName;
                return client.Caller.Clone();
            },
            cancellationToken);

    public Task ChangePasswordAsync(
        string currentPassword, string newPassword, CallSettings? settings, CancellationToken cancellationToken) =>
        client.AnswerAsync(
            () =>
            {
                RequirePassword(currentPassword);
                client.Passwords[client.Caller.Id] = newPassword;
                return true;
            },
            cancellationToken);

    public Task DeleteAccountAsync(string password, CallSettings? settings, CancellationToken cancellationToken) =>
        client.AnswerAsync(
            () =>
            {
                RequirePassword(password);
                client.Forget(client.Caller);
                keys.Clear();
                client.EndSession();
                return true;
            },
            cancellationToken);

    public Task<IReadOnlyList<Session>> ListSessionsAsync(
        CallSettings? settings, CancellationToken cancellationToken) =>
        client.AnswerAsync<IReadOnlyList<Session>>(
            () =>
            {
                _ = client.Caller;
                return [new Session { Id = SessionId, Current = true }];
            },
            cancellationToken);

    public Task RevokeSessionAsync(string sessionId, CallSettings? settings, CancellationToken cancellationToken) =>
        client.AnswerAsync(
            () =>
            {
                _ = client.Caller;
                if (sessionId != SessionId)
                {
                    throw FakeFailure.NotFound("session", sessionId);
                }

                client.EndSession();
                return true;
            },
            cancellationToken);

    public Task<CreateApiKeyResponse> CreateKeyAsync(
        ApiKey key, CallSettings? settings, CancellationToken cancellationToken) =>
        client.AnswerAsync(
            () =>
            {
                _ = client.Caller;
                if (key.Role == Role.Unspecified)
                {
                    throw FakeFailure.Field("api_key.role", "FIELD_REQUIRED", "must be given");
                }

                var kept = key.Clone();
                kept.Id = $"key-{++made}";
                kept.CreateTime = client.Time.GetUtcNow().ToTimestamp();
                keys.Insert(0, kept);
                return new CreateApiKeyResponse { ApiKey = kept.Clone(), Secret = $"sqk_{made}" };
            },
            cancellationToken);

    public Task<IReadOnlyList<ApiKey>> ListKeysAsync(CallSettings? settings, CancellationToken cancellationToken) =>
        client.AnswerAsync<IReadOnlyList<ApiKey>>(
            () =>
            {
                _ = client.Caller;
                return [.. keys.Select(key => key.Clone())];
            },
            cancellationToken);

    public Task RevokeKeyAsync(string keyId, CallSettings? settings, CancellationToken cancellationToken) =>
        client.AnswerAsync(
            () =>
            {
                _ = client.Caller;
                return keys.RemoveAll(key => key.Id == keyId) > 0
                    ? true
                    : throw FakeFailure.NotFound("API key", keyId);
            },
            cancellationToken);

    private void RequirePassword(string password)
    {
        if (client.Passwords.GetValueOrDefault(client.Caller.Id, "") != password)
        {
            throw FakeFailure.Make(
                StatusCode.PermissionDenied, "PASSWORD_WRONG", "This is not the account's password.");
        }
    }
}
