using System.Collections.Concurrent;
using Grpc.Core;
using Microsoft.EntityFrameworkCore;

namespace Squall.Server;

/// <summary>
/// The sessions that are in use, in memory, so that a call is let in without a query. The journal's writer takes ended
/// ones out before it answers anyone; a token that is not there is looked up once.
/// </summary>
internal sealed class Sessions(Store store, TimeProvider time)
{
    private const int TokensMax = 1_000_000;

    private readonly ConcurrentDictionary<TokenKey, Pass> _passes = new();
    private readonly Dictionary<string, List<TokenKey>> _tokensOfSession = [];
    private readonly ConcurrentDictionary<string, long> _uses = new();

    /// <summary>
    /// Guards what is put in and taken out, and the count of ends; whoever finds a token takes no lock.
    /// </summary>
    private readonly Lock _gate = new();
    private long _ends;

    private sealed record Pass(string AccountId, string SessionId, long ExpireTimeMicros);

    /// <summary>Asks, within the transaction, whether the caller's session is still there.</summary>
    /// <exception cref="RpcException">UNAUTHENTICATED: it ended.</exception>
    public static void Confirm(ChangeScope scope, Caller caller)
    {
        if (scope.Db.Execute("SELECT 1 FROM sessions WHERE \"Id\" = @id", ("@id", caller.SessionId)) is null)
        {
            throw Fault.Unauthenticated("SESSION_ENDED", "The session has ended.");
        }
    }

    /// <summary>Who an access token speaks for.</summary>
    /// <exception cref="RpcException">UNAUTHENTICATED: it is none of ours, expired, or its session ended.</exception>
    public async ValueTask<Caller> AuthenticateAsync(string token, Need need, CancellationToken cancelled)
    {
        byte[] hash = Token.HasForm(token, Token.Access) ? Token.Hash(token) : throw Unknown();
        TokenKey key = TokenKey.Of(hash);
        if (!_passes.TryGetValue(key, out Pass? pass))
        {
            pass = await LoadAsync(hash, key, cancelled) ?? throw Unknown();
        }

        long now = Micros.Of(time.GetUtcNow());
        if (pass.ExpireTimeMicros <= now)
        {
            throw Fault.Unauthenticated("TOKEN_EXPIRED", "The access token has expired: trade the refresh token.");
        }

        _uses[pass.SessionId] = now;
        return new Caller(pass.AccountId, pass.SessionId, need);
    }

    /// <summary>Takes what was committed: before anyone is answered, and before anything is delivered.</summary>
    public void Apply(IReadOnlyList<ChangeRow> committed)
    {
        foreach (ChangeRow change in committed)
        {
            if ((ChangeKind)change.Kind is ChangeKind.SessionEnded or ChangeKind.TokensVoided)
            {
                Forget(change.TaskId);
            }
        }
    }

    /// <summary>When a session was last used, if that is not written yet; else 0.</summary>
    public long LastUse(string sessionId) => _uses.GetValueOrDefault(sessionId);

    /// <summary>The uses that are not written yet. Expired tokens leave memory here.</summary>
    public IReadOnlyList<KeyValuePair<string, long>> Uses()
    {
        ForgetExpired();
        return [.. _uses];
    }

    /// <summary>Takes out what was written, unless there was another use since.</summary>
    public void Written(IEnumerable<KeyValuePair<string, long>> uses)
    {
        foreach (KeyValuePair<string, long> use in uses)
        {
            _uses.TryRemove(use);
        }
    }

    private static RpcException Unknown() => Fault.Unauthenticated(
        "TOKEN_INVALID", "The access token is not one of this server's, or its session has ended.");

    /// <summary>
    /// Looks a token up. What a read saw may have ended before it is put in memory: then the read is done again, so
    /// that an ended session never comes back.
    /// </summary>
    private async Task<Pass?> LoadAsync(byte[] hash, TokenKey key, CancellationToken cancelled)
    {
        while (true)
        {
            long ends = Volatile.Read(ref _ends);
            Pass? found = await store.ReadAsync(db => Find(db, hash), cancelled);
            if (found is null || TryAdd(key, found, ends))
            {
                return found;
            }
        }
    }

    private static Pass? Find(SquallDb db, byte[] hash) =>
        (from token in db.Tokens
         where token.Hash == hash && !token.IsRefresh
         join session in db.Sessions on token.SessionId equals session.Id
         select new Pass(session.AccountId, session.Id, token.ExpireTimeMicros)).SingleOrDefault();

    /// <summary>False: sessions ended since <paramref name="ends"/>.</summary>
    private bool TryAdd(TokenKey key, Pass pass, long ends)
    {
        lock (_gate)
        {
            if (_ends != ends)
            {
                return false;
            }

            if (_passes.Count < TokensMax && _passes.TryAdd(key, pass))
            {
                if (!_tokensOfSession.TryGetValue(pass.SessionId, out List<TokenKey>? keys))
                {
                    _tokensOfSession[pass.SessionId] = keys = [];
                }

                keys.Add(key);
            }

            return true;
        }
    }

    private void Forget(string sessionId)
    {
        lock (_gate)
        {
            Volatile.Write(ref _ends, _ends + 1);
            if (_tokensOfSession.Remove(sessionId, out List<TokenKey>? keys))
            {
                keys.ForEach(key => _passes.TryRemove(key, out _));
            }
        }
    }

    private void ForgetExpired()
    {
        long now = Micros.Of(time.GetUtcNow());
        foreach ((TokenKey key, Pass pass) in _passes.Where(pass => pass.Value.ExpireTimeMicros <= now))
        {
            lock (_gate)
            {
                if (_passes.TryRemove(key, out _) && _tokensOfSession.TryGetValue(pass.SessionId, out var keys))
                {
                    keys.Remove(key);
                    if (keys.Count == 0)
                    {
                        _tokensOfSession.Remove(pass.SessionId);
                    }
                }
            }
        }
    }
}
