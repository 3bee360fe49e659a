using Microsoft.EntityFrameworkCore;

namespace Squall.Server;

/// <summary>
/// Keeps the audit trail within its age and its numbers of rows: the oldest go, in steps that are changes of their own.
/// Refusals have a number of their own.
/// </summary>
internal sealed class AuditRetention(Store store, Journal journal, Limits limits)
{
    private const int RowsMax = 500;

    /// <summary>Removes all that is not to be kept.</summary>
    /// <exception cref="Grpc.Core.RpcException">UNAVAILABLE: it could not be stored.</exception>
    public async Task TrimAsync(CancellationToken cancelled)
    {
        while (await journal.RunAsync(ForgetOld, null, 0, cancelled) == RowsMax)
        {
        }

        await TrimAsync(refusals: false, limits.AuditRowsMax, cancelled);
        await TrimAsync(refusals: true, limits.AuditRefusedRowsMax, cancelled);
    }

    /// <summary>They are counted where no writer waits for it: meanwhile there may be a few more.</summary>
    private async Task TrimAsync(bool refusals, long max, CancellationToken cancelled)
    {
        long rows = await store.ReadAsync(
            db => db.Audit.LongCount(row => row.IsRefusal == refusals), cancelled);
        for (long excess = rows - max; excess > 0; excess -= RowsMax)
        {
            int step = (int)Math.Min(excess, RowsMax);
            await journal.RunAsync(scope => Forget(scope, refusals, step), null, 0, cancelled);
        }
    }

    private int ForgetOld(ChangeScope scope)
    {
        long before = scope.NowMicros - (limits.AuditRetention.Ticks / TimeSpan.TicksPerMicrosecond);
        return scope.Db.Audit.Where(row => row.TimeMicros < before).OrderBy(row => row.TimeMicros).Take(RowsMax)
            .ExecuteDelete();
    }

    private static int Forget(ChangeScope scope, bool refusals, int rows) =>
        scope.Db.Audit.Where(row => row.IsRefusal == refusals).OrderBy(row => row.TimeMicros).Take(rows)
            .ExecuteDelete();
}
