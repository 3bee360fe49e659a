using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Google.Protobuf.WellKnownTypes;
using Squall.V1;

namespace Squall.Server.Tests;

/// <summary>
/// An order as the contract words it, read for itself: fields up or down, what is not set last either way, ties by id.
/// </summary>
internal sealed record TaskSorting(params (string Field, bool Down)[] Keys) : IComparer<TaskItem>
{
    public static readonly string[] Fields =
        ["rank", "title", "due_time", "priority", "create_time", "update_time", "complete_time"];

    public static readonly Gen<TaskSorting> Any =
        from fields in Gen.Shuffle(Fields)
        from downs in Gen.ArrayOf(Gen.Elements(true, false), Fields.Length)
        from count in Gen.Choose(1, 3)
        select new TaskSorting([.. fields.Zip(downs).Take(count)]);

    /// <summary>As it stands in a request.</summary>
    public string Written => string.Join(", ", Keys.Select(key => key.Down ? $"{key.Field} desc" : key.Field));

    public override string ToString() => Written;

    public int Compare(TaskItem? x, TaskItem? y)
    {
        foreach ((string field, bool down) in Keys)
        {
            (byte[]? left, byte[]? right) = (KeyOf(field, x!), KeyOf(field, y!));
            int order = left is null || right is null
                ? (left is null).CompareTo(right is null)
                : left.AsSpan().SequenceCompareTo(right) * (down ? -1 : 1);
            if (order != 0)
            {
                return order;
            }
        }

        return string.CompareOrdinal(x!.Id, y!.Id);
    }

    /// <summary>Bytes whose order is that of the field; null: not set.</summary>
    private static byte[]? KeyOf(string field, TaskItem task) => field switch
    {
        "rank" => Encoding.UTF8.GetBytes(task.Rank),
        "title" => Encoding.UTF8.GetBytes(task.Title),
        "priority" => [(byte)task.Priority],
        "due_time" => KeyOf(task.DueTime),
        "create_time" => KeyOf(task.CreateTime),
        "update_time" => KeyOf(task.UpdateTime),
        _ => KeyOf(task.CompleteTime),
    };

    private static byte[]? KeyOf(Timestamp? time) =>
        time is null ? null : Encoding.UTF8.GetBytes($"{time.Seconds:D12}.{time.Nanos:D9}");
}
