using Google.Protobuf.WellKnownTypes;
using Squall.V1;

namespace Squall.Client;

internal sealed class AccessCalls(RawClients raw, TokenKeeper tokens, Answers answers) : IAccess
{
    public Task<Account> RenameAsync(string displayName, CallSettings? settings, CancellationToken cancellationToken)
    {
        var request = new UpdateAccountRequest
        {
            Account = new Account { DisplayName = displayName },
            UpdateMask = new FieldMask { Paths = { "display_name" } },
        };
        return answers.OfAsync(
            options => raw.Accounts.UpdateAccountAsync(request, options), answer => answer.Account,
            settings, cancellationToken);
    }

    public Task ChangePasswordAsync(
        string currentPassword, string newPassword, CallSettings? settings, CancellationToken cancellationToken)
    {
        var request = new ChangePasswordRequest { CurrentPassword = currentPassword, NewPassword = newPassword };
        return answers.OfAsync(
            options => raw.Accounts.ChangePasswordAsync(request, options), answer => answer,
            settings, cancellationToken);
    }

    public async Task DeleteAccountAsync(string password, CallSettings? settings, CancellationToken cancellationToken)
    {
        var request = new DeleteAccountRequest { Password = password };
        await answers.OfAsync(
            options => raw.Accounts.DeleteAccountAsync(request, options), answer => answer,
            settings, cancellationToken).ConfigureAwait(false);
        await tokens.SetAsync(null, null, cancellationToken).ConfigureAwait(false);
    }

    public Task<IReadOnlyList<Session>> ListSessionsAsync(
        CallSettings? settings, CancellationToken cancellationToken) =>
        answers.OfAsync(
            options => raw.Auth.ListSessionsAsync(new ListSessionsRequest(), options),
            answer => (IReadOnlyList<Session>)answer.Sessions, settings, cancellationToken);

    public Task RevokeSessionAsync(string sessionId, CallSettings? settings, CancellationToken cancellationToken) =>
        answers.OfAsync(
            options => raw.Auth.RevokeSessionAsync(new RevokeSessionRequest { SessionId = sessionId }, options),
            answer => answer, settings, cancellationToken);

    public Task<CreateApiKeyResponse> CreateKeyAsync(
        ApiKey key, CallSettings? settings, CancellationToken cancellationToken) =>
        answers.OfAsync(
            options => raw.Accounts.CreateApiKeyAsync(new CreateApiKeyRequest { ApiKey = key }, options),
            answer => answer, settings, cancellationToken);

    public Task<IReadOnlyList<ApiKey>> ListKeysAsync(CallSettings? settings, CancellationToken cancellationToken) =>
        answers.OfAsync(
            options => raw.Accounts.ListApiKeysAsync(new ListApiKeysRequest(), options),
            answer => (IReadOnlyList<ApiKey>)answer.ApiKeys, settings, cancellationToken);

    public Task RevokeKeyAsync(string keyId, CallSettings? settings, CancellationToken cancellationToken) =>
        answers.OfAsync(
            options => raw.Accounts.RevokeApiKeyAsync(new RevokeApiKeyRequest { ApiKeyId = keyId }, options),
            answer => answer, settings, cancellationToken);
}
