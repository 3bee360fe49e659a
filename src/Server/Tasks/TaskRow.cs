using System.Data.Common;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Squall.V1;

namespace Squall.Server;

/// <summary>A task as it is stored. What is not set is null, so that comparing with it is never true.</summary>
internal sealed class TaskRow
{
    /// <summary>What <see cref="Read"/> reads, of the table as <c>t</c>.</summary>
    public const string Columns =
        "t.\"Num\", t.\"Id\", t.\"ListId\", t.\"Title\", t.\"Note\", t.\"State\", t.\"Priority\", t.\"Labels\", "
        + "t.\"AssigneeId\", t.\"ParentId\", t.\"DueTimeMicros\", t.\"Rank\", t.\"CreatorId\", t.\"CreateTimeMicros\", "
        + "t.\"UpdateTimeMicros\", t.\"CompleteTimeMicros\", t.\"Version\", t.\"StepCount\", t.\"CommentCount\"";

    private const string NoLabels = "[]";

    /// <summary>
    /// The seq of the change that created it: its place among all tasks. The order of ids and of times of creation is
    /// the same, so that indexes, which end in this, are in the order of ids without holding them.
    /// </summary>
    public required long Num { get; set; }
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
            row.ToTable("tasks").HasKey(task => task.Num);
            row.Property(task => task.Num).ValueGeneratedNever();
            row.HasIndex(task => task.Id).IsUnique();
            MapOrders(row);
            row.HasIndex(task => new { task.ListId, task.State, task.Rank });
            row.HasIndex(task => new { task.AssigneeId, task.ListId }).HasFilter("\"AssigneeId\" IS NOT NULL");
            row.HasIndex(task => task.ParentId).HasFilter("\"ParentId\" IS NOT NULL");
        });
        model.Entity<TaskLabelRow>().ToTable("task_labels")
            .HasKey(label => new { label.ListId, label.Label, label.TaskNum });
        model.Entity<CommentRow>(row =>
        {
            row.ToTable("comments").HasKey(comment => comment.Id);
            row.HasIndex(comment => new { comment.TaskId, comment.Id });
        });
        model.Entity<GoneTaskRow>().ToTable("gone_tasks").HasKey(gone => gone.TaskId);
    }

    /// <summary>
    /// One index for each field that a list can be ordered by: where all have it, of all; where many have not, of
    /// those that have. Each ends in Num, as every index of SQLite does.
    /// </summary>
    private static void MapOrders(EntityTypeBuilder<TaskRow> row)
    {
        row.HasIndex(task => new { task.ListId, task.Rank });
        row.HasIndex(task => new { task.ListId, task.Title });
        row.HasIndex(task => new { task.ListId, task.CreateTimeMicros });
        row.HasIndex(task => new { task.ListId, task.UpdateTimeMicros });
        row.HasIndex(task => new { task.ListId, task.DueTimeMicros }).HasFilter("\"DueTimeMicros\" IS NOT NULL");
        row.HasIndex(task => new { task.ListId, task.CompleteTimeMicros })
            .HasFilter("\"CompleteTimeMicros\" IS NOT NULL");
        row.HasIndex(task => new { task.ListId, task.Priority }).HasFilter("\"Priority\" > 0");
    }

    /// <summary>A row of a statement that selects <see cref="Columns"/>.</summary>
    public static TaskRow Read(DbDataReader row) => new()
    {
        Num = row.GetInt64(0),
        Id = row.GetString(1),
        ListId = row.GetString(2),
        Title = row.GetString(3),
        Note = TextAt(row, 4),
        State = row.GetInt32(5),
        Priority = row.GetInt32(6),
        Labels = row.GetString(7) is var labels && labels == NoLabels ? [] : LabelsOf(labels),
        AssigneeId = TextAt(row, 8),
        ParentId = TextAt(row, 9),
        DueTimeMicros = NumberAt(row, 10),
        Rank = row.GetString(11),
        CreatorId = row.GetString(12),
        CreateTimeMicros = row.GetInt64(13),
        UpdateTimeMicros = row.GetInt64(14),
        CompleteTimeMicros = NumberAt(row, 15),
        Version = row.GetInt64(16),
        StepCount = row.GetInt32(17),
        CommentCount = row.GetInt32(18),
    };

    /// <summary>Writes a new row at once; EF does not know of it.</summary>
    public void Insert(SquallDb db) => db.Execute(
        """
        INSERT INTO tasks ("Num", "Id", "ListId", "Title", "Note", "State", "Priority", "Labels", "AssigneeId",
            "ParentId", "DueTimeMicros", "Rank", "CreatorId", "CreateTimeMicros", "UpdateTimeMicros",
            "CompleteTimeMicros", "Version", "StepCount", "CommentCount")
        VALUES (@num, @id, @list, @title, @note, @state, @priority, @labels, @assignee, @parent, @due, @rank, @creator,
            @created, @updated, @completed, @version, @steps, @comments)
        """,
        ("@num", Num), ("@id", Id), ("@list", ListId), ("@title", Title), ("@note", Note), ("@state", State),
        ("@priority", Priority), ("@labels", Labels.Length == 0 ? NoLabels : JsonSerializer.Serialize(Labels)),
        ("@assignee", AssigneeId), ("@parent", ParentId), ("@due", DueTimeMicros), ("@rank", Rank),
        ("@creator", CreatorId), ("@created", CreateTimeMicros), ("@updated", UpdateTimeMicros),
        ("@completed", CompleteTimeMicros), ("@version", Version), ("@steps", StepCount), ("@comments", CommentCount));

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

    private static string? TextAt(DbDataReader row, int column) => row.IsDBNull(column) ? null : row.GetString(column);

    private static long? NumberAt(DbDataReader row, int column) => row.IsDBNull(column) ? null : row.GetInt64(column);

    private static string[] LabelsOf(string json) => JsonSerializer.Deserialize<string[]>(json) ?? [];
}

/// <summary>One label of a task, for filters.</summary>
internal sealed class TaskLabelRow
{
    public required string ListId { get; set; }
    public required string Label { get; set; }
    public required long TaskNum { get; set; }
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
