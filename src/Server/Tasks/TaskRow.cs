using Microsoft.EntityFrameworkCore;
using Squall.V1;

namespace Squall.Server;

/// <summary>A task as it is stored. What is not set is null, so that comparing with it is never true.</summary>
internal sealed class TaskRow
{
    public required string Id { get; set; }
    public required string ListId { get; set; }
    public required string Title { get; set; }
    public string? Note { get; set; }
    public int State { get; set; }
    public int Priority { get; set; }

    /// <summary>The labels in their order; <see cref="TaskLabelRow"/> has them one by one.</summary>
    public string[] Labels { get; set; } = [];

    public string? AssigneeId { get; set; }
    public string? ParentId { get; set; }
    public long? DueTimeMicros { get; set; }
    public required string Rank { get; set; }
    public required string CreatorId { get; set; }
    public long CreateTimeMicros { get; set; }
    public long UpdateTimeMicros { get; set; }
    public long? CompleteTimeMicros { get; set; }
    public long Version { get; set; }

    /// <summary>Counts that limits need.</summary>
    public int StepCount { get; set; }
    public int CommentCount { get; set; }

    public static void Map(ModelBuilder model)
    {
        model.Entity<TaskRow>(row =>
        {
            row.ToTable("tasks").HasKey(task => task.Id);
            row.HasIndex(task => new { task.ListId, task.Rank, task.Id }).IsUnique();
            row.HasIndex(task => new { task.ListId, task.CreateTimeMicros });
            row.HasIndex(task => new { task.ListId, task.DueTimeMicros }).HasFilter("\"DueTimeMicros\" IS NOT NULL");
            row.HasIndex(task => new { task.AssigneeId, task.ListId }).HasFilter("\"AssigneeId\" IS NOT NULL");
            row.HasIndex(task => task.ParentId).HasFilter("\"ParentId\" IS NOT NULL");
        });
        model.Entity<TaskLabelRow>(row =>
        {
            row.ToTable("task_labels").HasKey(label => new { label.TaskId, label.Label });
            row.HasIndex(label => new { label.Label, label.TaskId });
        });
        model.Entity<CommentRow>(row =>
        {
            row.ToTable("comments").HasKey(comment => comment.Id);
            row.HasIndex(comment => new { comment.TaskId, comment.Id });
        });
        model.Entity<GoneTaskRow>().ToTable("gone_tasks").HasKey(gone => gone.TaskId);
    }

    public TaskItem ToProto() => new()
    {
        Id = Id,
        TaskListId = ListId,
        Title = Title,
        Note = Note ?? "",
        State = (TaskState)State,
        Priority = (Priority)Priority,
        Labels = { Labels },
        AssigneeId = AssigneeId ?? "",
        ParentId = ParentId ?? "",
        DueTime = Micros.ToTimestamp(DueTimeMicros),
        Rank = Rank,
        CreatorId = CreatorId,
        CreateTime = Micros.ToTimestamp(CreateTimeMicros),
        UpdateTime = Micros.ToTimestamp(UpdateTimeMicros),
        CompleteTime = Micros.ToTimestamp(CompleteTimeMicros),
        Version = Version,
    };
}

/// <summary>One label of a task, for filters.</summary>
internal sealed class TaskLabelRow
{
    public required string TaskId { get; set; }
    public required string Label { get; set; }
}

/// <summary>A message in a task's conversation. The order of ids is that of creation.</summary>
internal sealed class CommentRow
{
    public required string Id { get; set; }
    public required string TaskId { get; set; }
    public required string AuthorId { get; set; }
    public required string Text { get; set; }
    public long CreateTimeMicros { get; set; }

    public Comment ToProto() => new()
    {
        Id = Id,
        TaskId = TaskId,
        AuthorId = AuthorId,
        Text = Text,
        CreateTime = Micros.ToTimestamp(CreateTimeMicros),
    };
}

/// <summary>A task that is gone, whose comments are still to be cleared away.</summary>
internal sealed class GoneTaskRow
{
    public required string TaskId { get; set; }
}
