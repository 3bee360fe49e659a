namespace Squall.Client;

/// <summary>The tokens of a session. Whoever has them is the account: keep them as a password is kept.</summary>
public sealed record SessionTokens(
    string AccessToken,
    DateTimeOffset AccessExpireTime,
    string RefreshToken,
    DateTimeOffset RefreshExpireTime)
{
    internal static SessionTokens From(V1.Tokens tokens) => new(
        tokens.AccessToken,
        tokens.AccessExpireTime?.ToDateTimeOffset() ?? DateTimeOffset.MaxValue,
        tokens.RefreshToken,
        tokens.RefreshExpireTime?.ToDateTimeOffset() ?? DateTimeOffset.MaxValue);

    /// <summary>Says nothing of the tokens, so that a log cannot hold them.</summary>
    public override string ToString() => $"tokens of a session, until {RefreshExpireTime:O}";
}

/// <summary>
/// Keeps a session beyond the process. One store is one account's; clients and processes may share it. A client calls
/// one of its members at a time. What they throw comes out of the call that needed them.
/// </summary>
public interface ITokenStore
{
    /// <summary>The tokens that were saved last; null if there are none.</summary>
    ValueTask<SessionTokens?> LoadAsync(CancellationToken cancellationToken);

    /// <summary>Keeps new tokens before they are used; null: the session is over.</summary>
    ValueTask SaveAsync(SessionTokens? tokens, CancellationToken cancellationToken);

    /// <summary>
    /// Keeps everyone else who shares the store from changing it until the answer is disposed of: of two who renew at
    /// the same time, one would be left with tokens that are void. Null: nobody else shares it.
    /// </summary>
    ValueTask<IAsyncDisposable?> LockAsync(CancellationToken cancellationToken) => new((IAsyncDisposable?)null);
}
