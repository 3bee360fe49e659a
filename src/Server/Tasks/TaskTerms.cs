using Squall.V1;

namespace Squall.Server;

/// <summary>
/// What a task is found by beside its own row: its labels, one by one, and the words of its title and note. Both are
/// written in the transaction of the change, and only where they changed.
/// </summary>
internal static class TaskTerms
{
    public static void Add(ChangeScope scope, TaskRow row)
    {
        AddLabels(scope.Db, row, row.Labels);
        (long num, string list, string title, string? note) = (row.Num, row.ListId, row.Title, row.Note);
        scope.Defer(db => AddWords(db, num, list, title, note));
    }

    /// <summary>Brings what is stored from a task as it was to the row as it is.</summary>
    public static void Replace(ChangeScope scope, TaskItem before, TaskRow row)
    {
        bool moved = before.TaskListId != row.ListId;
        RemoveLabels(scope.Db, before.TaskListId, row.Num, moved ? before.Labels : before.Labels.Except(row.Labels));
        AddLabels(scope.Db, row, moved ? row.Labels : row.Labels.Except(before.Labels));
        if (moved || before.Title != row.Title || before.Note != (row.Note ?? ""))
        {
            (long num, string list, string title, string? note) = (row.Num, row.ListId, row.Title, row.Note);
            scope.Defer(db =>
            {
                RemoveWords(db, num);
                AddWords(db, num, list, title, note);
            });
        }
    }

    public static void Remove(ChangeScope scope, TaskRow row)
    {
        RemoveLabels(scope.Db, row.ListId, row.Num, row.Labels);
        long num = row.Num;
        scope.Defer(db => RemoveWords(db, num));
    }

    private static void AddLabels(SquallDb db, TaskRow row, IEnumerable<string> labels)
    {
        foreach (string label in labels)
        {
            db.Execute(
                """INSERT INTO task_labels ("ListId", "Label", "TaskNum") VALUES (@list, @label, @num)""",
                ("@list", row.ListId), ("@label", label), ("@num", row.Num));
        }
    }

    private static void RemoveLabels(SquallDb db, string listId, long num, IEnumerable<string> labels)
    {
        foreach (string label in labels)
        {
            db.Execute(
                """DELETE FROM task_labels WHERE "ListId" = @list AND "Label" = @label AND "TaskNum" = @num""",
                ("@list", listId), ("@label", label), ("@num", num));
        }
    }

    private static void AddWords(SquallDb db, long num, string listId, string title, string? note) => db.Execute(
        "INSERT INTO task_words (rowid, title, note) VALUES (@num, @title, @note)",
        ("@num", num), ("@title", Words.Indexed(listId, Words.Spell(title))),
        ("@note", Words.Indexed(listId, Words.Spell(note))));

    private static void RemoveWords(SquallDb db, long num) =>
        db.Execute("DELETE FROM task_words WHERE rowid = @num", ("@num", num));
}
