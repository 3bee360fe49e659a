using Grpc.Core;
using Squall.V1;

namespace Squall.Server;

/// <summary>
/// Clears away, in small changes, what one change has marked: the lists of deleted accounts, the tasks of deleted
/// lists, the assignments of members that were removed, the comments of deleted tasks. It goes on where a stop has left
/// it.
/// </summary>
internal sealed class TaskUpkeep(Journal journal, TimeProvider time) : BackgroundService
{
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(10);
    private readonly SemaphoreSlim _marked = new(1);

    /// <summary>Takes what was committed: there may be something to clear away.</summary>
    public void Apply(IReadOnlyList<ChangeRow> committed)
    {
        if (_marked.CurrentCount == 0 && committed.Any(Marks))
        {
            _marked.Release();
        }
    }

    /// <summary>Clears away all that is marked.</summary>
    public async Task RunOnceAsync(CancellationToken cancelled)
    {
        while (await journal.RunAsync(TaskClearing.LeaveLists, null, 0, cancelled) > 0)
        {
        }

        while (await journal.RunAsync(ClearList, null, 0, cancelled))
        {
        }

        while (await journal.RunAsync(Unassign, null, 0, cancelled))
        {
        }

        while (await journal.RunAsync(TaskClearing.ClearComments, null, 0, cancelled) > 0)
        {
        }
    }

    public override void Dispose()
    {
        _marked.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (true)
        {
            await _marked.WaitAsync(stoppingToken);
            try
            {
                await RunOnceAsync(stoppingToken);
            }
            catch (RpcException)
            {
                // It could not be stored, which the journal has logged; what is marked stays marked.
                await Task.Delay(RetryAfter, time, stoppingToken);
                _marked.Release();
            }
        }
    }

    private static bool Marks(ChangeRow change) => (Notification.EventOneofCase)change.Kind is
        Notification.EventOneofCase.TaskListDeleted
        or Notification.EventOneofCase.MemberRemoved
        or Notification.EventOneofCase.TaskDeleted
        || change.Kind == (int)ChangeKind.AccountDeleted;

    /// <summary>A step with a deleted list, the last of which removes it; false: there is none.</summary>
    private static bool ClearList(ChangeScope scope)
    {
        TaskListRow? list = scope.Db.TaskLists.FirstOrDefault(row => row.DeleteTimeMicros != null);
        if (list is not null && TaskClearing.ClearList(scope, list.Id) == 0)
        {
            scope.Db.TaskLists.Remove(list);
        }

        return list is not null;
    }

    /// <summary>
    /// A step with a member that was removed, the last of which takes its mark; false: there is none.
    /// </summary>
    private static bool Unassign(ChangeScope scope)
    {
        MemberRow? member = scope.Db.Members.FirstOrDefault(row => row.HasTasksToUnassign);
        if (member is not null && TaskClearing.Unassign(scope, member.ListId, member.AccountId) == 0)
        {
            member.HasTasksToUnassign = false;
        }

        return member is not null;
    }
}
