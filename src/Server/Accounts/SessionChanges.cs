using Grpc.Core;
using Microsoft.EntityFrameworkCore;
using Squall.V1;

namespace Squall.Server;

/// <summary>How sessions begin, go on and end: each a part of a change.</summary>
internal sealed class SessionChanges(Sessions sessions, Limits limits)
{
    private const long MicrosPerMilli = 1_000;

    /// <summary>
    /// How many pairs of a session are remembered, at most: six weeks' worth for whoever refreshes as it should.
    /// </summary>
    private const int PairsMax = 4_096;

    /// <summary>How many tokens are removed with a session: a hundred may end in one change.</summary>
    private const int EndedTokensMax = 100;

    /// <summary>Looked after once in so many.</summary>
    private const int PairsBetweenCuts = 64;

    /// <summary>Opens a session; the one unused for longest ends if there are too many.</summary>
    /// <param name="login">What the audit trail is told, with the session that it began.</param>
    public Tokens Begin(ChangeScope scope, string accountId, string userAgent, AuditEntry? login = null)
    {
        SessionRow[] others = [.. scope.Db.Sessions.Where(session => session.AccountId == accountId)];
        foreach (SessionRow unused in others
            .OrderBy(session => Math.Max(session.LastUseTimeMicros, sessions.LastUse(session.Id)))
            .Take(others.Length + 1 - limits.AccountSessionsMax))
        {
            End(scope, unused);
            scope.Record(new AuditEntry(AuditEvent.SessionDisplaced)
            {
                AccountId = accountId, SubjectId = unused.Id, Address = login?.Address,
            });
        }

        var row = new SessionRow
        {
            Id = Ids.New(scope.NowMicros),
            AccountId = accountId,
            CreateTimeMicros = scope.NowMicros,
            LastUseTimeMicros = scope.NowMicros,
            UserAgent = userAgent,
        };
        scope.Db.Sessions.Add(row);
        if (login is not null)
        {
            scope.Record(login with { ProofId = row.Id });
        }

        return NextPair(scope, row);
    }

    /// <summary>
    /// Trades a refresh token. Null: it is none, it expired, or it was spent too long ago, for which its session ends;
    /// that stays, so that this is no exception.
    /// </summary>
    public Tokens? Refresh(ChangeScope scope, byte[] refreshHash, string? address = null)
    {
        TokenRow? spent = scope.Db.Tokens.SingleOrDefault(token => token.Hash == refreshHash && token.IsRefresh);
        SessionRow? session = spent is null ? null : scope.Db.Sessions.Find(spent.SessionId);
        if (spent is null || session is null || spent.ExpireTimeMicros <= scope.NowMicros)
        {
            return null;
        }

        if (spent.SpentTimeMicros is not { } before)
        {
            spent.SpentTimeMicros = scope.NowMicros;
        }
        else if (scope.NowMicros - before <= InMicros(limits.RefreshGrace))
        {
            VoidAfter(scope, session, spent.Generation);
        }
        else
        {
            End(scope, session);
            scope.Record(new AuditEntry(AuditEvent.RefreshTokenReused)
            {
                AccountId = session.AccountId, SubjectId = session.Id, Address = address,
            });
            return null;
        }

        return NextPair(scope, session);
    }

    /// <summary>Ends the sessions of an account, but for one if it is named.</summary>
    public static void EndAll(ChangeScope scope, string accountId, string? exceptId = null)
    {
        foreach (SessionRow session in scope.Db.Sessions
            .Where(session => session.AccountId == accountId && session.Id != exceptId).ToArray())
        {
            End(scope, session);
        }
    }

    /// <summary>
    /// Ends a session: its tokens are worth nothing from this change on, and its streams learn of it. What it leaves of
    /// them, few have so many, goes when it would have expired.
    /// </summary>
    public static void End(ChangeScope scope, SessionRow session)
    {
        string id = session.Id;
        scope.Db.Tokens.Where(token => token.SessionId == id).Take(EndedTokensMax).ExecuteDelete();
        scope.Db.Sessions.Remove(session);
        scope.Note(ChangeKind.SessionEnded, session.AccountId, id);
    }

    /// <summary>An answer got lost, or so it seems: whoever has it is left with nothing.</summary>
    private static void VoidAfter(ChangeScope scope, SessionRow session, int generation)
    {
        string id = session.Id;
        scope.Db.Tokens.Where(token => token.SessionId == id && token.Generation > generation).ExecuteDelete();
        scope.Note(ChangeKind.TokensVoided, session.AccountId, id);
    }

    private static void ForgetPairs(ChangeScope scope, SessionRow session)
    {
        (string id, int last) = (session.Id, session.Generation - PairsMax);
        scope.Db.Tokens.Where(token => token.SessionId == id && token.Generation <= last).ExecuteDelete();
    }

    private Tokens NextPair(ChangeScope scope, SessionRow session)
    {
        session.Generation++;
        if (session.Generation % PairsBetweenCuts == 0)
        {
            ForgetPairs(scope, session);
        }

        long endMicros = session.CreateTimeMicros + InMicros(limits.SessionLifetime);
        session.ExpireTimeMicros = Math.Min(scope.NowMicros + InMicros(limits.RefreshLifetime), endMicros);
        long accessExpireMicros = Math.Min(scope.NowMicros + InMicros(limits.AccessLifetime), endMicros);
        string access = Token.New(Token.Access);
        string refresh = Token.New(Token.Refresh);
        scope.Db.Tokens.AddRange(
            RowOf(session, access, accessExpireMicros, isRefresh: false),
            RowOf(session, refresh, session.ExpireTimeMicros, isRefresh: true));
        return new Tokens
        {
            AccessToken = access,
            AccessExpireTime = Micros.ToTimestamp(accessExpireMicros),
            RefreshToken = refresh,
            RefreshExpireTime = Micros.ToTimestamp(session.ExpireTimeMicros),
        };
    }

    private static TokenRow RowOf(SessionRow session, string token, long expireTimeMicros, bool isRefresh) => new()
    {
        Hash = Token.Hash(token),
        SessionId = session.Id,
        IsRefresh = isRefresh,
        Generation = session.Generation,
        ExpireTimeMicros = expireTimeMicros,
    };

    private static long InMicros(TimeSpan span) => (long)(span.TotalMilliseconds * MicrosPerMilli);
}
