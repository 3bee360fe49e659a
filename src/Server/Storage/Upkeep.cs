using Grpc.Core;
using Microsoft.EntityFrameworkCore;

namespace Squall.Server;

/// <summary>Clears away, in small changes, what no one needs any more.</summary>
internal sealed class Upkeep(Journal journal, Retention retention, Limits limits, TimeProvider time) : BackgroundService
{
    private const int RowsMax = 500;
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
        while (await journal.RunAsync(ForgetRequests, null, 0, cancelled) == RowsMax)
        {
        }

        await retention.TrimAsync(cancelled);
    }

    /// <summary>Looks at the oldest alone: whatever comes after one that is to be kept is kept.</summary>
    private int ForgetRequests(ChangeScope change)
    {
        long before = change.NowMicros - (limits.RequestMemory.Ticks / TimeSpan.TicksPerMicrosecond);
        IQueryable<RequestRow> requests = change.Db.Requests;
        long newest = requests.OrderByDescending(row => row.Num).Select(row => row.Num).FirstOrDefault();
        long[] old =
        [
            .. requests.OrderBy(row => row.Num).Select(row => new { row.Num, row.TimeMicros }).Take(RowsMax)
                .AsEnumerable()
                .TakeWhile(row => row.TimeMicros < before || row.Num <= newest - limits.RequestMemoryRowsMax)
                .Select(row => row.Num),
        ];
        if (old.Length > 0)
        {
            long last = old[^1];
            requests.Where(row => row.Num <= last).ExecuteDelete();
        }

        return old.Length;
    }
}
