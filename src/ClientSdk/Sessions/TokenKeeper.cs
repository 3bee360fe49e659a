using Grpc.Core;

namespace Squall.Client;

/// <summary>
/// What proves the client's calls. Renews a session's tokens before they run out, once however many calls ask, and
/// takes over what another process with the same store has renewed. Throws RpcException, and what the store throws.
/// </summary>
internal sealed class TokenKeeper(SquallClientOptions options, TokenRenewal renewal)
{
    private static readonly TimeSpan MarginMax = TimeSpan.FromMinutes(1);

    // After an early renewal failed, the old token is sent for this long before another is tried.
    private static readonly TimeSpan EarlyPause = TimeSpan.FromSeconds(5);

    private readonly Lock gate = new();
    private readonly SemaphoreSlim changing = new(1);
    private SessionTokens? tokens;
    private DateTimeOffset renewTime = DateTimeOffset.MaxValue;
    private Task? loading;
    private Task<SessionTokens?>? renewing;
    private string? account;
    private int changes;

    /// <summary>Whose tokens these are: grows with each logout, and each login that may be another's.</summary>
    public int Owner => Volatile.Read(ref changes);

    /// <summary>The token to send now; null if there is neither token nor session.</summary>
    public async ValueTask<string?> GetAsync(CancellationToken cancellationToken)
    {
        if (options.Token is not null)
        {
            return options.Token;
        }

        await LoadAsync(cancellationToken).ConfigureAwait(false);
        SessionTokens? current;
        bool isDue;
        lock (gate)
        {
            current = tokens;
            isDue = current is not null && options.TimeProvider.GetUtcNow() >= renewTime;
        }

        if (!isDue)
        {
            return current?.AccessToken;
        }

        try
        {
            return await RenewAsync(current!.AccessToken, cancellationToken).ConfigureAwait(false);
        }
        catch (RpcException e) when (e.StatusCode != StatusCode.Unauthenticated && IsEarly(current!))
        {
            return current!.AccessToken;
        }
    }

    /// <summary>A token other than one that was refused; null if there is no way to get one.</summary>
    public async Task<string?> RenewAsync(string refused, CancellationToken cancellationToken)
    {
        Task<SessionTokens?> shared;
        lock (gate)
        {
            if (options.Token is not null || tokens is null)
            {
                return null;
            }

            if (tokens.AccessToken != refused)
            {
                return tokens.AccessToken;
            }

            if (renewing is null or { IsCompleted: true })
            {
                var old = tokens;
                renewing = Task.Run(() => RenewAsync(old), CancellationToken.None);
            }

            shared = renewing;
        }

        return (await shared.WaitAsync(cancellationToken).ConfigureAwait(false))?.AccessToken;
    }

    /// <summary>
    /// Keeps the tokens of a login, or forgets them. A renewal that is under way ends first, and has no say after it.
    /// </summary>
    public async Task SetAsync(SessionTokens? next, string? accountId, CancellationToken cancellationToken)
    {
        await changing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await using var hold = await LockStoreAsync(cancellationToken).ConfigureAwait(false);
            await SaveAsync(next, cancellationToken).ConfigureAwait(false);
            lock (gate)
            {
                changes += accountId is null || accountId != account ? 1 : 0;
                account = accountId;
                loading = Task.CompletedTask;
            }
        }
        finally
        {
            changing.Release();
        }
    }

    /// <summary>Gives what serves now: renewed, of another process's renewal, or of a login meanwhile.</summary>
    private async Task<SessionTokens?> RenewAsync(SessionTokens old)
    {
        await changing.WaitAsync().ConfigureAwait(false);
        try
        {
            await using var hold = await LockStoreAsync(CancellationToken.None).ConfigureAwait(false);
            lock (gate)
            {
                if (tokens != old)
                {
                    return tokens;
                }
            }

            if (await TakeOverAsync(old).ConfigureAwait(false) is { } other)
            {
                if (options.TimeProvider.GetUtcNow() < other.AccessExpireTime)
                {
                    return other;
                }

                old = other;
            }

            return await TradeAsync(old).ConfigureAwait(false);
        }
        finally
        {
            changing.Release();
        }
    }

    private async Task<SessionTokens> TradeAsync(SessionTokens old)
    {
        try
        {
            var next = await renewal.OfAsync(old).ConfigureAwait(false);
            await SaveAsync(next, CancellationToken.None).ConfigureAwait(false);
            Telemetry.Renewed();
            return next;
        }
        catch (RpcException e) when (e.StatusCode == StatusCode.Unauthenticated)
        {
            // A store without a lock lets another process be faster.
            if (await TakeOverAsync(old).ConfigureAwait(false) is { } other)
            {
                return other;
            }

            await SaveAsync(null, CancellationToken.None).ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Uses what another client or process has saved since; null if none has.</summary>
    private async Task<SessionTokens?> TakeOverAsync(SessionTokens old)
    {
        if (options.TokenStore is not { } store
            || await store.LoadAsync(CancellationToken.None).ConfigureAwait(false) is not { } stored
            || stored.AccessToken == old.AccessToken)
        {
            return null;
        }

        Use(stored, isFresh: false);
        return stored;
    }

    private async ValueTask<IAsyncDisposable?> LockStoreAsync(CancellationToken cancellationToken) =>
        options.TokenStore is { } store ? await store.LockAsync(cancellationToken).ConfigureAwait(false) : null;

    /// <summary>Saves before it uses: a pair that a crash forgets could not be renewed again.</summary>
    private async Task SaveAsync(SessionTokens? next, CancellationToken cancellationToken)
    {
        if (options.TokenStore is { } store)
        {
            await store.SaveAsync(next, cancellationToken).ConfigureAwait(false);
        }

        Use(next, isFresh: true);
    }

    private Task LoadAsync(CancellationToken cancellationToken)
    {
        lock (gate)
        {
            if (options.TokenStore is null || loading is { IsCompletedSuccessfully: true })
            {
                return Task.CompletedTask;
            }

            if (loading is null or { IsCompleted: true })
            {
                loading = Task.Run(LoadStoreAsync, CancellationToken.None);
            }

            return loading.WaitAsync(cancellationToken);
        }
    }

    private async Task LoadStoreAsync()
    {
        var stored = await options.TokenStore!.LoadAsync(CancellationToken.None).ConfigureAwait(false);
        lock (gate)
        {
            // A login meanwhile knows better.
            if (changes == 0 && stored is not null)
            {
                Use(stored, isFresh: false);
            }
        }
    }

    /// <summary>Whether a token that could not be renewed serves still.</summary>
    private bool IsEarly(SessionTokens current)
    {
        var now = options.TimeProvider.GetUtcNow();
        lock (gate)
        {
            if (tokens == current)
            {
                renewTime = now + EarlyPause;
            }
        }

        return now < current.AccessExpireTime;
    }

    /// <summary>
    /// Fresh tokens that are about to run out by this machine's clock show that the clock is wrong: they are used until
    /// the server refuses them.
    /// </summary>
    private void Use(SessionTokens? next, bool isFresh)
    {
        var now = options.TimeProvider.GetUtcNow();
        lock (gate)
        {
            tokens = next;
            renewTime = next is null ? DateTimeOffset.MaxValue : next.AccessExpireTime - Margin(next, now, isFresh);
            if (isFresh && renewTime <= now)
            {
                renewTime = DateTimeOffset.MaxValue;
            }
        }
    }

    private static TimeSpan Margin(SessionTokens tokens, DateTimeOffset now, bool isFresh)
    {
        var part = (tokens.AccessExpireTime - now) / 5;
        return isFresh && part >= TimeSpan.Zero && part < MarginMax ? part : MarginMax;
    }
}
