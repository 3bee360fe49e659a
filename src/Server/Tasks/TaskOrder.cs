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
    private static readonly string[] Sortable =
        ["rank", "title", "due_time", "priority", "create_time", "update_time", "complete_time"];

    private static readonly FilterField Id = FilterField.ByName["id"];
    private readonly List<(FilterField Field, bool Descending)> _fields;

    private TaskOrder(List<(FilterField Field, bool Descending)> fields, bool byList)
    {
        _fields = [.. fields, (Id, false)];
        ByList = byList;
    }

    /// <summary>Whether it begins with the list, as it does if none is given and there may be several.</summary>
    public bool ByList { get; }

    /// <summary>How many keys a task has in this order.</summary>
    public int KeyCount => _fields.Count;

    /// <param name="oneList">Whether all tasks are of one list: where none is given, the order is that of rank.</param>
    /// <exception cref="RpcException">INVALID_ARGUMENT: an unknown or doubled field.</exception>
    public static TaskOrder Parse(string text, bool oneList)
    {
        if (string.IsNullOrWhiteSpace(text))
        {
            (FilterField, bool) rank = (FilterField.ByName["rank"], false);
            return oneList ? new([rank], byList: false) : new([(FilterField.TaskListId, false), rank], byList: true);
        }

        if (text.Length > TextCharactersMax)
        {
            throw Invalid($"at most {TextCharactersMax} characters");
        }

        var fields = new List<(FilterField Field, bool Descending)>();
        foreach (string part in text.Split(','))
        {
            string[] words = part.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (words is not ([_] or [_, "desc"]) || !Sortable.Contains(words[0]))
            {
                throw Invalid($"takes {string.Join(", ", Sortable)}, each with \" desc\" for descending");
            }

            if (fields.Any(earlier => earlier.Field.Name == words[0]))
            {
                throw Invalid($"names {words[0]} more than once");
            }

            fields.Add((FilterField.ByName[words[0]], words.Length == 2));
        }

        return new TaskOrder(fields, byList: false);
    }

    public string?[] KeysOf(TaskItem task) =>
    [
        .. _fields.Select(key => key.Field.Kind == FieldKind.Text
            ? key.Field.Text(task)
            : key.Field.Number(task) is { } number ? PageToken.Number(number) : null),
    ];

    public void WriteOrder(SqlText sql)
    {
        string before = " ORDER BY ";
        for (int at = 0; at < _fields.Count; at++)
        {
            (FilterField field, bool descending) = _fields[at];

            // The list is the member's, whose index the lists are gone through by: nothing is left to sort.
            sql.Write(before).Write($"{(ByList && at == 0 ? 'm' : 't')}.\"{field.Column}\"");
            sql.Write(descending ? " DESC" : "").Write(field.MayBeUnset ? " NULLS LAST" : "");
            before = ", ";
        }
    }

    /// <summary>What comes after the task with these keys; where lists come first, within its list.</summary>
    public void WriteAfter(string?[] keys, SqlText sql)
    {
        int first = ByList ? 1 : 0;

        // A comparison of rows is what an index can be searched with, where all fields go up and are always set.
        if (_fields.TrueForAll(key => !key.Descending && !key.Field.MayBeUnset))
        {
            sql.Write($"(({string.Join(", ", _fields.Skip(first).Select(key => $"t.\"{key.Field.Column}\""))}) > (");
            for (int at = first; at < keys.Length; at++)
            {
                sql.Write(at == first ? "" : ", ").Value(ValueOf(at, keys));
            }

            sql.Write("))");
            return;
        }

        sql.Write("(");
        WriteBound(keys, sql);
        for (int at = 0; at < _fields.Count; at++)
        {
            sql.Write(at == 0 ? "(" : " OR ");
            WriteAfter(at, keys, sql);
        }

        sql.Write("))");
    }

    /// <summary>What follows from the rest, and is what an index can be searched with.</summary>
    private void WriteBound(string?[] keys, SqlText sql)
    {
        (FilterField field, bool descending) = _fields[0];
        if (!field.MayBeUnset)
        {
            sql.Write($"t.\"{field.Column}\" {(descending ? "<=" : ">=")} ").Value(ValueOf(0, keys)).Write(" AND ");
        }
    }

    /// <summary>What is equal in the fields before this one, and comes after in this.</summary>
    private void WriteAfter(int last, string?[] keys, SqlText sql)
    {
        sql.Write("(");
        for (int at = 0; at < last; at++)
        {
            sql.Write($"t.\"{_fields[at].Field.Column}\"");
            _ = keys[at] is null
                ? sql.Write(" IS NULL AND ")
                : sql.Write(" = ").Value(ValueOf(at, keys)).Write(" AND ");
        }

        (FilterField field, bool descending) = _fields[last];
        if (keys[last] is null)
        {
            sql.Write("(1 = 0))");
            return;
        }

        sql.Write($"(t.\"{field.Column}\" {(descending ? '<' : '>')} ").Value(ValueOf(last, keys));
        sql.Write(field.MayBeUnset ? $" OR t.\"{field.Column}\" IS NULL))" : "))");
    }

    private object ValueOf(int at, string?[] keys) =>
        _fields[at].Field.Kind == FieldKind.Text ? keys[at] ?? "" : PageToken.Number(keys[at]);

    private static RpcException Invalid(string message) => Fault.Field("order_by", "ORDER_BY_INVALID", message);
}
