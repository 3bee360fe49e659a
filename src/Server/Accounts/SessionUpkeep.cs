using Grpc.Core;
using Microsoft.EntityFrameworkCore;

namespace Squall.Server;

/// <summary>
/// Once a minute: writes when sessions and keys were last used, ends those that expired, clears away tokens that
/// expired a day ago (until then their users are told so), frees the names of accounts that were deleted long enough
/// ago, forgets places that nobody logged in from lately, and trims the audit trail.
/// </summary>
internal sealed class SessionUpkeep(
    Journal journal, Sessions sessions, Places places, AuditRetention audit, Limits limits, TimeProvider time)
    : BackgroundService
{
    private const int RowsMax = 500;
    private const long DayMicros = 24L * 60 * 60 * 1_000_000;
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await RunOnceAsync(stoppingToken);
            }
            catch (RpcException)
            {
                // It could not be stored, which the journal has logged; the next minute tries again.
                continue;
            }
        }
    }

    /// <summary>What is done each minute.</summary>
    public async Task RunOnceAsync(CancellationToken cancelled)
    {
        foreach (KeyValuePair<string, long>[] uses in sessions.Uses().Chunk(RowsMax))
        {
            await journal.RunAsync(scope => WriteUses(scope, uses.ToDictionary()), null, 0, cancelled);
            sessions.Written(uses);
        }

        while (await journal.RunAsync(EndExpired, null, 0, cancelled) == RowsMax)
        {
        }

        while (await journal.RunAsync(ForgetTokens, null, 0, cancelled) == RowsMax)
        {
        }

        while (await journal.RunAsync(ForgetAccounts, null, 0, cancelled) == RowsMax)
        {
        }

        while (await journal.RunAsync(places.Forget, null, 0, cancelled) == RowsMax)
        {
        }

        await audit.TrimAsync(cancelled);
    }

    private static int WriteUses(ChangeScope scope, Dictionary<string, long> uses)
    {
        foreach (SessionRow row in scope.Db.Sessions.Where(row => uses.Keys.Contains(row.Id)))
        {
            row.LastUseTimeMicros = Math.Max(row.LastUseTimeMicros, uses[row.Id]);
        }

        foreach (ApiKeyRow row in scope.Db.ApiKeys.Where(row => uses.Keys.Contains(row.Id)))
        {
            row.LastUseTimeMicros = Math.Max(row.LastUseTimeMicros ?? 0, uses[row.Id]);
        }

        return uses.Count;
    }

    private static int EndExpired(ChangeScope scope)
    {
        SessionRow[] expired =
        [
            .. scope.Db.Sessions.Where(row => row.ExpireTimeMicros <= scope.NowMicros)
                .OrderBy(row => row.ExpireTimeMicros).Take(RowsMax),
        ];
        foreach (SessionRow session in expired)
        {
            SessionChanges.End(scope, session);
        }

        return expired.Length;
    }

    private static int ForgetTokens(ChangeScope scope)
    {
        long before = scope.NowMicros - DayMicros;
        TokenRow[] expired =
        [
            .. scope.Db.Tokens.Where(row => row.ExpireTimeMicros <= before)
                .OrderBy(row => row.ExpireTimeMicros).Take(RowsMax),
        ];
        scope.Db.Tokens.RemoveRange(expired);
        return expired.Length;
    }

    private int ForgetAccounts(ChangeScope scope)
    {
        long before = scope.NowMicros - (limits.UsernameRetention.Ticks / TimeSpan.TicksPerMicrosecond);
        return scope.Db.Accounts.Where(row => row.DeleteTimeMicros <= before && row.ListCount == 0)
            .Take(RowsMax).ExecuteDelete();
    }
}
