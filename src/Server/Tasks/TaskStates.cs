using Grpc.Core;
using Squall.V1;

namespace Squall.Server;

/// <summary>
/// The ways that people take tasks from one state to another, as the contract draws them at TaskState.
/// </summary>
internal static class TaskStates
{
    /// <exception cref="RpcException">NOT_FOUND, PERMISSION_DENIED, ABORTED, FAILED_PRECONDITION.</exception>
    public static TaskItem Complete(TaskChange change, string taskId, long expectedVersion) => Go(
        change, change.Find(taskId, expectedVersion), [TaskState.Open, TaskState.Failed], TaskState.Done,
        task => new Notification { TaskCompleted = new TaskCompleted { Task = task } });

    /// <exception cref="RpcException">NOT_FOUND, PERMISSION_DENIED, ABORTED, FAILED_PRECONDITION.</exception>
    public static TaskItem Cancel(TaskChange change, string taskId, long expectedVersion) => Go(
        change, change.Find(taskId, expectedVersion),
        [TaskState.Open, TaskState.Leased, TaskState.Failed], TaskState.Cancelled,
        task => new Notification { TaskCancelled = new TaskCancelled { Task = task } });

    /// <exception cref="RpcException">NOT_FOUND, PERMISSION_DENIED, ABORTED, FAILED_PRECONDITION.</exception>
    public static TaskItem Reopen(TaskChange change, string taskId, long expectedVersion) => Go(
        change, change.Find(taskId, expectedVersion),
        [TaskState.Done, TaskState.Cancelled, TaskState.Failed], TaskState.Open,
        task => new Notification { TaskReopened = new TaskReopened { Task = task } });

    private static TaskItem Go(
        TaskChange change, TaskRow row, TaskState[] from, TaskState to, Func<TaskItem, Notification> told)
    {
        TaskItem before = row.ToProto();
        if (!from.Contains(before.State))
        {
            string state = before.State.ToString().ToUpperInvariant();
            throw Fault.Precondition(
                $"TASK_{state}", $"The task is {state}; only one that is {Named(from)} can be taken to {Named([to])}.");
        }

        row.State = (int)to;
        row.CompleteTimeMicros = to == TaskState.Done ? change.NowMicros : null;
        change.Touch(row);
        TaskItem after = row.ToProto();
        change.Tell(after, told(after), before);
        return after;
    }

    private static string Named(TaskState[] states) =>
        string.Join(" or ", states.Select(state => state.ToString().ToUpperInvariant()));
}
