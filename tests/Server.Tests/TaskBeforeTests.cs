using Google.Protobuf;
using Squall.V1;

namespace Squall.Server.Tests;

public sealed class TaskBeforeTests
{
    private static readonly TaskItem Before = new()
    {
        Id = "t", TaskListId = "l", Title = "old", Note = "long", State = TaskState.Open, Labels = { "a", "b" },
        DueTime = Micros.ToTimestamp(5L), Rank = "i", UpdateTime = Micros.ToTimestamp(1L), Version = 1,
    };

    [Fact]
    public void Only_what_differs_is_kept()
    {
        TaskItem after = Before.Clone();
        after.Title = "new";
        after.DueTime = null;
        after.Labels.Remove("b");
        after.AssigneeId = "someone";
        after.Version = 2;

        TaskUpdated kept = TaskBefore.Diff(Before, after)!;

        Assert.Equal(["title", "labels", "assignee_id", "due_time"], kept.Changed.Paths);
        Assert.Equal("", kept.Task.Note);
        TaskItem restored = Restored(after, kept, Notification.EventOneofCase.TaskUpdated)!;
        restored.Version = Before.Version;
        Assert.Equal(Before, restored);
    }

    [Fact]
    public void Nothing_is_kept_where_nothing_differs_that_a_filter_can_ask()
    {
        TaskItem after = Before.Clone();
        after.Version = 2;
        Assert.Null(TaskBefore.Diff(Before, after));
        Assert.Equal(after, Restored(after, null, Notification.EventOneofCase.TaskUpdated));
    }

    [Fact]
    public void All_is_kept_where_the_notification_has_no_task()
    {
        TaskUpdated kept = TaskBefore.Diff(Before, null)!;
        Assert.Empty(kept.Changed.Paths);
        TaskItem restored = Restored(null, kept, Notification.EventOneofCase.TaskDeleted)!;
        restored.Version = Before.Version;
        Assert.Equal(Before, restored);
    }

    [Fact]
    public void Before_a_task_was_created_there_was_none() =>
        Assert.Null(Restored(Before, null, Notification.EventOneofCase.TaskCreated));

    private static TaskItem? Restored(TaskItem? after, TaskUpdated? kept, Notification.EventOneofCase kind) =>
        TaskBefore.Of(new ChangeRow { Kind = (int)kind, Before = kept?.ToByteArray() }, after);
}
