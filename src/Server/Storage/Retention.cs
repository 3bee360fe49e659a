using Grpc.Core;
using Microsoft.EntityFrameworkCore;

namespace Squall.Server;

/// <summary>
/// Keeps the journal within its age, its number of changes and its bytes: the oldest are removed, in steps that are
/// changes of their own, so that callers' changes are stored between two of them. Whoever stands before what is kept
/// is told so, for the floor moves in the step's transaction.
/// </summary>
internal sealed class Retention(Journal journal, Limits limits) : BackgroundService
{
    /// <summary>Of a step.</summary>
    public const int RowsMax = 500;

    // So much is written before the next look: by about so much can the journal be larger than it is to be.
    private const int LookAfterChanges = RowsMax;
    private const long LookAfterBytes = 1 << 20;
    private readonly SemaphoreSlim _look = new(0);
    private int _changes;
    private long _bytes;

    /// <summary>Takes what was committed: it may be time to look.</summary>
    public void Apply(IReadOnlyList<ChangeRow> committed)
    {
        _changes += committed.Count;
        _bytes += committed.Sum(row => row.Bytes);
        if (_changes < LookAfterChanges && _bytes < LookAfterBytes)
        {
            return;
        }

        (_changes, _bytes) = (0, 0);
        if (_look.CurrentCount == 0)
        {
            _look.Release();
        }
    }

    /// <summary>Removes all that is not to be kept; once a minute for the age's sake.</summary>
    /// <exception cref="RpcException">UNAVAILABLE: it could not be stored.</exception>
    public async Task TrimAsync(CancellationToken cancelled)
    {
        while (await TrimOnceAsync(cancelled) == RowsMax)
        {
        }
    }

    /// <summary>One step; says how many changes it removed.</summary>
    public Task<int> TrimOnceAsync(CancellationToken cancelled) => journal.RunAsync(Trim, null, 0, cancelled);

    public override void Dispose()
    {
        _look.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (true)
        {
            await _look.WaitAsync(stoppingToken);
            try
            {
                await TrimAsync(stoppingToken);
            }
            catch (RpcException)
            {
                // It could not be stored, which the journal has logged; what is written next, or a minute, tries again.
                continue;
            }
        }
    }

    /// <summary>
    /// Looks at the oldest alone: whatever comes after one that is to be kept is kept. What its own commit tells is
    /// kept, too: memory does not know of it yet.
    /// </summary>
    private int Trim(ChangeScope change)
    {
        JournalRow kept = change.Db.Journals.Single();
        long newest = journal.End.Seq;
        long before = change.NowMicros - (limits.JournalRetention.Ticks / TimeSpan.TicksPerMicrosecond);
        int rows = 0;
        foreach (var row in change.Db.Changes.Where(row => row.Seq <= newest).OrderBy(row => row.Seq)
            .Take(RowsMax)
            .Select(row => new
            {
                row.Seq,
                row.Mark,
                row.TimeMicros,
                Length = row.Notification.Length + (row.Before == null ? 0 : row.Before.Length),
            })
            .AsEnumerable())
        {
            if (row.TimeMicros >= before && newest - row.Seq < limits.JournalChangesMax
                && kept.Bytes <= limits.JournalBytesMax)
            {
                break;
            }

            (kept.FloorSeq, kept.FloorMark, kept.FloorTimeMicros) = (row.Seq, row.Mark, row.TimeMicros);
            kept.Bytes -= ChangeRow.OverheadBytes + row.Length;
            rows++;
        }

        if (rows > 0)
        {
            change.Db.Changes.Where(row => row.Seq <= kept.FloorSeq).ExecuteDelete();
        }

        return rows;
    }
}
