using Squall.Server;
using Squall.V1;

namespace Squall.Faults;

/// <summary>
/// The tasks as of any place of the journal, which are asked for in order: reckoned from what one subscriber was told
/// of each change, which the ledger finds to be what was acknowledged.
/// </summary>
internal sealed class Chronicle
{
    private readonly Lock _gate = new();
    private readonly Queue<(long Seq, string TaskId, UInt128? Task)> _changes = [];
    private readonly Dictionary<string, UInt128> _tasks = [];
    private (long Seq, TaskCompletionSource Reached)? _awaited;
    private long _seq;

    public void Tell(Notification change)
    {
        TaskItem? task = Book.TaskOf(change);
        Cursor.TryParse(change.Cursor, out Cursor place);
        lock (_gate)
        {
            _seq = place.Seq;
            if (task is not null || change.TaskDeleted is not null)
            {
                _changes.Enqueue((_seq, Book.SubjectOf(change), task is null ? null : Book.Print(task)));
            }

            if (_awaited is { } awaited && awaited.Seq <= _seq)
            {
                awaited.Reached.TrySetResult();
            }
        }
    }

    /// <summary>How many tasks differ from those as of a place, once all changes up to it were told.</summary>
    public async Task<int> CompareAsync(long seq, IReadOnlyDictionary<string, UInt128> held)
    {
        await ReachedAsync(seq);
        lock (_gate)
        {
            while (_changes.TryPeek(out var change) && change.Seq <= seq)
            {
                _changes.Dequeue();
                if (change.Task is { } print)
                {
                    _tasks[change.TaskId] = print;
                }
                else
                {
                    _tasks.Remove(change.TaskId);
                }
            }

            int same = _tasks.Count(task => held.TryGetValue(task.Key, out UInt128 print) && print == task.Value);
            return Math.Max(_tasks.Count, held.Count) - same;
        }
    }

    private Task ReachedAsync(long seq)
    {
        lock (_gate)
        {
            var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _awaited = (seq, reached);
            if (_seq >= seq)
            {
                reached.SetResult();
            }

            return reached.Task;
        }
    }
}
