using System.Collections.Concurrent;
using Grpc.Core;
using Microsoft.EntityFrameworkCore;

namespace Squall.Server;

/// <summary>
/// The sessions and keys that are in use, in memory, so that a call is let in without a query. The journal's writer
/// takes ended ones out before it answers anyone; a token that is not there is looked up once.
/// </summary>
internal sealed class Sessions(Store store, TimeProvider time)
{
    private const int TokensMax = 1_000_000;

    private readonly ConcurrentDictionary<TokenKey, Pass> _passes = new();
    private readonly Dictionary<string, List<TokenKey>> _tokensOfProof = [];
    private readonly ConcurrentDictionary<string, long> _uses = new();

    /// <summary>
    /// Guards what is put in and taken out, and the count of ends; whoever finds a token takes no lock.
    /// </summary>
    private readonly Lock _gate = new();
    private long _ends;

    private sealed record Pass(string AccountId, string ProofId, long ExpireTimeMicros, KeyReach? Key);

    /// <summary>Asks, within the transaction, whether the caller's session or key is still there.</summary>
    /// <exception cref="RpcException">UNAUTHENTICATED: it ended.</exception>
    public static void Confirm(ChangeScope scope, Caller caller)
    {
        if (!IsLive(scope.Db, caller, scope.NowMicros))
        {
            throw Ended(caller);
        }
    }

    public static bool IsLive(SquallDb db, Caller caller, long nowMicros) => caller.Key is null
        ? db.Execute("SELECT 1 FROM sessions WHERE \"Id\" = @id", ("@id", caller.ProofId)) is not null
        : !IsOver(caller.Key, nowMicros)
            && db.Execute("SELECT 1 FROM api_keys WHERE \"Id\" = @id", ("@id", caller.ProofId)) is not null;

    public static RpcException Ended(Caller caller) => caller.Key is null
        ? Fault.Unauthenticated("SESSION_ENDED", "The session has ended.")
        : Fault.Unauthenticated("KEY_ENDED", "The API key has expired, or was revoked.");

    /// <summary>Who an access token or a key speaks for.</summary>
    /// <exception cref="RpcException">UNAUTHENTICATED: it is none of ours, expired, or its session ended.</exception>
    public async ValueTask<Caller> AuthenticateAsync(string token, Need need, CancellationToken cancelled)
    {
        bool isKey = Token.HasForm(token, Token.ApiKey);
        byte[] hash = isKey || Token.HasForm(token, Token.Access) ? Token.Hash(token) : throw Unknown();
        TokenKey key = TokenKey.Of(hash);
        if (!_passes.TryGetValue(key, out Pass? pass))
        {
            pass = await LoadAsync(hash, key, isKey, cancelled) ?? throw Unknown();
        }

        long now = Micros.Of(time.GetUtcNow());
        if (pass.ExpireTimeMicros <= now)
        {
            throw isKey
                ? Fault.Unauthenticated("TOKEN_EXPIRED", "The API key has expired: create another one.").About(
                    new AuditEntry(AuditEvent.TokenRefused) { AccountId = pass.AccountId, ProofId = pass.ProofId })
                : Fault.Unauthenticated(
                    "TOKEN_EXPIRED", "The access token has expired: trade the refresh token.");
        }

        _uses[pass.ProofId] = now;
        return new Caller(pass.AccountId, pass.ProofId, need, pass.Key);
    }

    /// <summary>Takes what was committed: before anyone is answered, and before anything is delivered.</summary>
    public void Apply(IReadOnlyList<ChangeRow> committed)
    {
        foreach (ChangeRow change in committed)
        {
            if ((ChangeKind)change.Kind is ChangeKind.SessionEnded or ChangeKind.TokensVoided
                or ChangeKind.KeyEnded)
            {
                Forget(change.TaskId);
            }
        }
    }

    /// <summary>When a session or key was last used, if that is not written yet; else 0.</summary>
    public long LastUse(string proofId) => _uses.GetValueOrDefault(proofId);

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
        "TOKEN_INVALID", "The access token or API key is not one of this server's, or has ended.");

    private static bool IsOver(KeyReach key, long nowMicros) => key.ExpireTimeMicros <= nowMicros;

    /// <summary>
    /// Looks a token up. What a read saw may have ended before it is put in memory: then the read is done again, so
    /// that an ended session never comes back.
    /// </summary>
    private async Task<Pass?> LoadAsync(byte[] hash, TokenKey key, bool isKey, CancellationToken cancelled)
    {
        while (true)
        {
            long ends = Volatile.Read(ref _ends);
            Pass? found = await store.ReadAsync(db => isKey ? FindKey(db, hash) : Find(db, hash), cancelled);
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
         select new Pass(session.AccountId, session.Id, token.ExpireTimeMicros, null)).SingleOrDefault();

    private static Pass? FindKey(SquallDb db, byte[] hash) =>
        db.ApiKeys.SingleOrDefault(key => key.Hash == hash) is { } row
            ? new Pass(row.AccountId, row.Id, row.ExpireTimeMicros ?? long.MaxValue, row.Reach())
            : null;

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
                if (!_tokensOfProof.TryGetValue(pass.ProofId, out List<TokenKey>? keys))
                {
                    _tokensOfProof[pass.ProofId] = keys = [];
                }

                keys.Add(key);
            }

            return true;
        }
    }

    private void Forget(string proofId)
    {
        lock (_gate)
        {
            Volatile.Write(ref _ends, _ends + 1);
            if (_tokensOfProof.Remove(proofId, out List<TokenKey>? keys))
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
                if (_passes.TryRemove(key, out _) && _tokensOfProof.TryGetValue(pass.ProofId, out var keys))
                {
                    keys.Remove(key);
                    if (keys.Count == 0)
                    {
                        _tokensOfProof.Remove(pass.ProofId);
                    }
                }
            }
        }
    }
}
