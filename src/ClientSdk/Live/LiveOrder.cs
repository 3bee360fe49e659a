using Google.Protobuf.WellKnownTypes;
using Squall.V1;

namespace Squall.Client;

/// <summary>
/// The order of ListTasks, as the contract words it: fields, each up or down, what is not set last either way, ties by
/// id; strings by code point.
/// </summary>
internal sealed class LiveOrder : IComparer<TaskItem>
{
    private static readonly Dictionary<string, Func<TaskItem, TaskItem, bool, int>> Fields = new()
    {
        ["rank"] = ByText(task => task.Rank),
        ["title"] = ByText(task => task.Title),
        ["due_time"] = ByTime(task => task.DueTime),
        ["priority"] = Directed((one, other) => one.Priority.CompareTo(other.Priority)),
        ["create_time"] = ByTime(task => task.CreateTime),
        ["update_time"] = ByTime(task => task.UpdateTime),
        ["complete_time"] = ByTime(task => task.CompleteTime),
    };

    private readonly List<Func<TaskItem, TaskItem, int>> keys = [];

    /// <summary>An order as ListTasks takes it; ArgumentException for another.</summary>
    public LiveOrder(string text)
    {
        if (string.IsNullOrWhiteSpace(text))
        {
            keys.Add((one, other) => Compare(one.TaskListId, other.TaskListId));
            keys.Add((one, other) => Compare(one.Rank, other.Rank));
        }
        else
        {
            keys.AddRange(text.Split(',').Select(Key));
        }

        keys.Add((one, other) => Compare(one.Id, other.Id));
    }

    public int Compare(TaskItem? x, TaskItem? y)
    {
        foreach (var key in keys)
        {
            if (key(x!, y!) is var order and not 0)
            {
                return order;
            }
        }

        return 0;
    }

    /// <summary>By code point, as UTF-8 has it: UTF-16 puts what lies beyond U+FFFF before U+E000.</summary>
    internal static int Compare(string one, string other)
    {
        var at = one.AsSpan().CommonPrefixLength(other);
        return at == one.Length || at == other.Length
            ? one.Length.CompareTo(other.Length) : Place(one[at]).CompareTo(Place(other[at]));

        static int Place(char unit) => unit >= 0xE000 ? unit - 0x800 : char.IsSurrogate(unit) ? unit + 0x2000 : unit;
    }

    private static Func<TaskItem, TaskItem, int> Key(string part)
    {
        var words = part.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (words is not ([_] or [_, "desc"]) || !Fields.TryGetValue(words[0], out var field))
        {
            throw new ArgumentException(
                $"OrderBy takes {string.Join(", ", Fields.Keys)}, each with \" desc\" for descending, not '{part}'.");
        }

        return (one, other) => field(one, other, words.Length == 2);
    }

    private static Func<TaskItem, TaskItem, bool, int> ByText(Func<TaskItem, string> of) =>
        Directed((one, other) => Compare(of(one), of(other)));

    private static Func<TaskItem, TaskItem, bool, int> ByTime(Func<TaskItem, Timestamp?> of) =>
        (one, other, isDescending) => (of(one), of(other)) switch
        {
            (null, null) => 0,
            (null, _) => 1,
            (_, null) => -1,
            var (a, b) => isDescending ? b.CompareTo(a) : a.CompareTo(b),
        };

    private static Func<TaskItem, TaskItem, bool, int> Directed(Comparison<TaskItem> compare) =>
        (one, other, isDescending) => isDescending ? compare(other, one) : compare(one, other);
}
