using Microsoft.EntityFrameworkCore;
using Squall.V1;

namespace Squall.Server;

/// <summary>Tasks as of one place in the journal.</summary>
internal sealed record SnapshotPage(long Seq, IReadOnlyList<TaskItem> Tasks);

/// <summary>
/// Reads the tasks of a view, list by list and in a list by rank, in short reads. What changes meanwhile is told beside
/// it, so that a task which moves past the place that was reached is not missed; a list that is gained meanwhile is
/// read like the others.
/// </summary>
internal sealed class SnapshotScan
{
    private const int TasksMax = 200;
    private const int ListsMax = 100;
    private const int BytesMax = 1 << 20;
    private readonly Store _store;
    private readonly View _view;
    private readonly LinkedList<string> _lists;
    private readonly HashSet<string> _held;
    private string _rank = "";
    private long _num;

    public SnapshotScan(Store store, View view)
    {
        (_store, _view) = (store, view);

        // Asked once: a list that is gained between two answers would be held, and never read.
        _held = [.. view.Lists()];
        _lists = new LinkedList<string>(_held);
    }

    /// <summary>The next tasks; null: there are no more.</summary>
    public async Task<SnapshotPage?> ReadAsync(CancellationToken cancelled) =>
        _lists.Count == 0 ? null : await _store.ReadAsync(Read, cancelled);

    /// <summary>Takes note of the lists that the caller loses and gains while the snapshot is sent.</summary>
    public void Follow(ChangeRow change)
    {
        bool own = change.AccountId == _view.AccountId;
        switch ((Notification.EventOneofCase)change.Kind)
        {
            case Notification.EventOneofCase.MemberRemoved when own:
                Lose(change.ListId);
                break;
            case Notification.EventOneofCase.MemberSet when own && _view.Reaches(change.ListId):
                if (_held.Add(change.ListId))
                {
                    _lists.AddLast(change.ListId);
                }

                break;
        }
    }

    private void Lose(string list)
    {
        if (_lists.First?.Value == list)
        {
            NextList();
        }
        else
        {
            _lists.Remove(list);
        }

        _held.Remove(list);
    }

    private SnapshotPage Read(SquallDb db)
    {
        // Read first, and within the same snapshot of the database: the tasks are as of exactly this place.
        long seq = db.Changes.Max(row => (long?)row.Seq) ?? db.Journals.Single().FloorSeq;
        var tasks = new List<TaskItem>();
        int bytes = 0;
        for (int lists = 0; _lists.First is { Value: var list } && lists < ListsMax; lists++)
        {
            foreach (TaskRow row in Rows(db, list, TasksMax - tasks.Count))
            {
                TaskItem task = row.ToProto();
                tasks.Add(task);
                (_rank, _num) = (row.Rank, row.Num);
                bytes += task.CalculateSize();
                if (bytes > BytesMax || tasks.Count == TasksMax)
                {
                    return new SnapshotPage(seq, tasks);
                }
            }

            NextList();
        }

        return new SnapshotPage(seq, tasks);
    }

    private void NextList()
    {
        _lists.RemoveFirst();
        (_rank, _num) = ("", 0);
    }

    private IEnumerable<TaskRow> Rows(SquallDb db, string list, int max)
    {
        var sql = new SqlText()
            .Write($"SELECT {TaskRow.Columns} FROM tasks AS t INDEXED BY \"{TaskIndexes.ByField["rank"]}\"")
            .Write(" WHERE t.\"ListId\" = ").Value(list)
            .Write(" AND (t.\"Rank\", t.\"Num\") > (").Value(_rank).Write(", ").Value(_num).Write(") AND ");
        FilterSql.Write(_view.Filter, sql, "rank");
        sql.Write(" ORDER BY t.\"Rank\", t.\"Num\" LIMIT ").Value(max);
        return sql.Read(db, TaskRow.Read);
    }
}
