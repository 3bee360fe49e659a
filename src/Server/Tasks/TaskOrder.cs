using System.Globalization;
using Grpc.Core;
using Squall.V1;

namespace Squall.Server;

/// <summary>
/// The order of a list of tasks: fields, each up or down, what is not set last either way, ties by id. A page begins
/// after the keys of the last task before it, so that what others write meanwhile moves nothing into or out of it.
/// </summary>
internal sealed class TaskOrder
{
    private const int TextCharactersMax = 1_000;

    /// <summary>Beside the fields', a task's keys are when it was created, and its number.</summary>
    private const int TieKeys = 2;

    /// <summary>What the index by priority has.</summary>
    private const string OfSomePriority = " AND t.\"Priority\" > 0";

    private static readonly string[] Sortable =
        ["rank", "title", "due_time", "priority", "create_time", "update_time", "complete_time"];

    private readonly List<OrderKey> _fields;

    private TaskOrder(List<OrderKey> fields, bool byList)
    {
        _fields = fields;
        ByList = byList;
    }

    /// <summary>Whether it begins with the list, as it does if none is given and there may be several.</summary>
    public bool ByList { get; }

    /// <summary>How many keys a task has in this order.</summary>
    public int KeyCount => _fields.Count + TieKeys;

    /// <param name="oneList">Whether all tasks are of one list: where none is given, the order is that of rank.</param>
    /// <exception cref="RpcException">INVALID_ARGUMENT: an unknown or doubled field.</exception>
    public static TaskOrder Parse(string text, bool oneList)
    {
        if (string.IsNullOrWhiteSpace(text))
        {
            OrderKey rank = KeyOf("rank", descending: false);
            return oneList ? new([rank], byList: false) : new([KeyOf("task_list_id", false), rank], byList: true);
        }

        if (text.Length > TextCharactersMax)
        {
            throw Invalid($"at most {TextCharactersMax} characters");
        }

        var fields = new List<OrderKey>();
        foreach (string part in text.Split(','))
        {
            string[] words = part.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (words is not ([_] or [_, "desc"]) || !Sortable.Contains(words[0]))
            {
                throw Invalid($"takes {string.Join(", ", Sortable)}, each with \" desc\" for descending");
            }

            if (fields.Any(earlier => earlier.Field?.Name == words[0]))
            {
                throw Invalid($"names {words[0]} more than once");
            }

            fields.Add(KeyOf(words[0], words.Length == 2));
        }

        return new TaskOrder(fields, byList: false);
    }

    public string?[] KeysOf(TaskRow row)
    {
        TaskItem task = row.ToProto();
        return
        [
            .. _fields.Select(key => key.Field!.Kind == FieldKind.Text
                ? key.Field.Text(task)
                : key.Field.Number(task) is { } number ? PageToken.Number(number) : null),
            PageToken.Number(row.CreateTimeMicros),
            PageToken.Number(row.Num),
        ];
    }

    /// <summary>
    /// The parts that a list has in this order, one after the other, from the one on that has the task with
    /// <paramref name="keys"/>; null: all. In each, the tasks are in the order of an index: what has a field is one
    /// part and what has it not another; each priority is one, since of all fields it has the fewest values.
    /// </summary>
    public IEnumerable<OrderPart> PartsAfter(string?[]? keys) => ByList ? [Rest("", 1, keys)] : Parts("", 0, keys);

    /// <summary>Where the lists themselves are in order: the members' index, by which they are gone through.</summary>
    public void WriteOrder(OrderPart part, SqlText sql) => part.WriteOrder(ByList ? "m.\"ListId\", " : "", sql);

    private static OrderKey KeyOf(string name, bool descending) => new(FilterField.ByName[name], descending);

    private IEnumerable<OrderPart> Parts(string condition, int at, string?[]? keys)
    {
        if (at == _fields.Count)
        {
            return [Tied(condition, keys)];
        }

        OrderKey key = _fields[at];
        return key.MayBeUnset ? PartsOfUnset(condition, at, keys)
            : key.Field!.Kind == FieldKind.Priority ? PartsOfPriority(condition, at, keys)
            : [Rest(condition, at, keys)];
    }

    private IEnumerable<OrderPart> PartsOfUnset(string condition, int at, string?[]? keys)
    {
        string column = _fields[at].Column;
        IEnumerable<OrderPart> unset = Parts(
            $"{condition} AND {column} IS NULL", at + 1, keys is not null && keys[at] is null ? keys : null);
        return keys is not null && keys[at] is null
            ? unset
            : unset.Prepend(Rest($"{condition} AND {column} IS NOT NULL", at, keys, set: true));
    }

    private IEnumerable<OrderPart> PartsOfPriority(string condition, int at, string?[]? keys)
    {
        OrderKey key = _fields[at];
        long? from = keys is null ? null : PageToken.Number(keys[at]);
        IEnumerable<int> priorities = System.Enum.GetValues<Priority>().Select(priority => (int)priority)
            .Where(priority => from is not { } first || (key.Descending ? priority <= first : priority >= first));
        return (key.Descending ? priorities.OrderDescending() : priorities.Order()).SelectMany(priority => Parts(
            condition + string.Create(CultureInfo.InvariantCulture, $" AND {key.Column} = {priority}")
                + (priority > 0 ? OfSomePriority : ""),
            at + 1, priority == from ? keys : null));
    }

    /// <summary>A part in which the fields before <paramref name="at"/> are the same.</summary>
    private OrderPart Rest(string condition, int at, string?[]? keys, bool set = false) => new(
        condition,
        [_fields[at] with { Set = set }, .. _fields.Skip(at + 1), OrderKey.Num],
        keys is null ? null : [.. keys[at.._fields.Count], keys[^1]]);

    /// <summary>
    /// A part in which all fields are the same, so that its tasks are in the order of ids. Where no other index has
    /// them so, the one by age does: it is the order in which they were created.
    /// </summary>
    private static OrderPart Tied(string condition, string?[]? keys)
    {
        OrderKey[] tie = condition.EndsWith(OfSomePriority, StringComparison.Ordinal)
            ? [OrderKey.Num]
            : [KeyOf("create_time", false), OrderKey.Num];
        return new OrderPart(condition, tie, keys?[^tie.Length..]);
    }

    private static RpcException Invalid(string message) => Fault.Field("order_by", "ORDER_BY_INVALID", message);
}
