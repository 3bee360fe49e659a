using FsCheck;
using FsCheck.Fluent;
using Squall.V1;

namespace Squall.Server.Tests;

/// <summary>
/// Random tasks of few values each, so that comparisons hit, orders have ties, and much is not set. Texts are such as
/// are easily compared wrongly: beyond U+FFFF, just below it, with marks of their own, and with a filter's own signs.
/// </summary>
internal static class TaskGen
{
    public static readonly string[] Texts =
    [
        "a", "b", "ab", "Ab", "a b", "é", "e\u0301", "\uD7FF", "\uE000", "\uFF5E", "\uFFFD", "\U00010000", "😀", "a😀",
        "a\uFF5E", "\"a\"", "it's", "a\\", "AND", "*", "-a", "(a)", "labels:a", "i00000",
    ];

    public static readonly string[] Notes = [.. Texts, "two\nlines", "a\ttab", "a\r\nb"];
    public static readonly string[] Labels = ["a", "b", "😀", "\uFFFD", "OR", "a b"];
    public static readonly string[] Ids = ["id-1", "id-2", "id-3", "ID-2"];
    public static readonly string[] Ranks = ["0", "00", "a", "i00000", "i00001", "zz"];

    /// <summary>Microseconds: the first and the last of all, and some close to one another.</summary>
    public static readonly long[] Times = [0, 1, 999_999, 1_000_000, 1_764_504_000_000_000, 253_402_300_799_999_999];

    public static readonly Gen<TaskRow> Task =
        from title in Gen.Elements(Texts)
        from creator in Gen.Elements(Ids)
        from others in Gen.ArrayOf(Gen.Elements(Ids).Or(Gen.Constant("")), 2)
        from note in Gen.Elements(Notes).Or(Gen.Constant(""))
        from rank in Gen.Elements(Ranks)
        from state in Gen.Choose(1, 5)
        from priority in Gen.Choose(0, 4)
        from labels in Gen.SubListOf(Labels)
        from times in Gen.ArrayOf(Gen.Elements(Times), 4)
        from unset in Gen.Choose(0, 3)
        select new TaskRow
        {
            Id = "",
            ListId = "",
            Title = title,
            Note = OrNull(note),
            Rank = rank,
            State = state,
            Priority = priority,
            Labels = [.. labels.Distinct()],
            AssigneeId = OrNull(others[0]),
            ParentId = OrNull(others[1]),
            CreatorId = creator,
            CreateTimeMicros = times[0],
            UpdateTimeMicros = times[1],
            DueTimeMicros = (unset & 1) == 0 ? times[2] : null,
            CompleteTimeMicros = (unset & 2) == 0 ? times[3] : null,
            Version = 1,
        };

    /// <summary>Puts tasks into lists as they are, whatever their fields, as no call could. Each gets its id.</summary>
    public static async Task<TaskItem[]> StoreAsync(
        this ServerFixture server, IReadOnlyList<TaskRow> tasks, params string[] listIds)
    {
        return await server.Get<Journal>().RunAsync(
            scope =>
            {
                for (int at = 0; at < tasks.Count; at++)
                {
                    TaskRow task = tasks[at];
                    task.Id = Ids.Length > at ? $"{listIds[0]} {Ids[at]}" : Server.Ids.New(scope.NowMicros);
                    task.ListId = listIds[at % listIds.Length];
                    scope.Db.Tasks.Add(task);
                    scope.Db.TaskLabels.AddRange(
                        task.Labels.Select(label => new TaskLabelRow { TaskId = task.Id, Label = label }));
                }

                return tasks.Select(task => task.ToProto()).ToArray();
            },
            null, 0, CancellationToken.None);
    }

    private static string? OrNull(string text) => text.Length == 0 ? null : text;
}
