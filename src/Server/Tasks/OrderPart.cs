namespace Squall.Server;

/// <summary>A field that tasks are in the order of; null: their number. Set: none is without it here.</summary>
internal sealed record OrderKey(FilterField? Field, bool Descending, bool Set = false)
{
    public static readonly OrderKey Num = new(null, Descending: false);

    public string Column => $"t.\"{Field?.Column ?? "Num"}\"";

    public bool MayBeUnset => Field?.MayBeUnset == true && !Set;

    public object ValueOf(string? key) =>
        Field?.Kind == FieldKind.Text ? key ?? "" : PageToken.Number(key);
}

/// <summary>
/// Tasks that stand together in an order, after others and before others: which they are (each condition with AND
/// before it), their order, and the keys that a page begins after; null: it begins with the first.
/// </summary>
internal sealed class OrderPart(string condition, OrderKey[] keys, string?[]? after)
{
    /// <summary>Whose index gives the order; empty: that of the condition.</summary>
    public string FirstField => keys[0].Field?.Name ?? "";

    /// <summary>
    /// The table, read by the index that has the part in order; SQLite, which does not know how many tasks of a list
    /// have what, would now and then find another and sort them all.
    /// </summary>
    /// <param name="oneState">Whether the filter leaves one state over.</param>
    public string TableInOrder(bool oneState) => FirstField switch
    {
        "" => InOrder("priority"),
        "rank" when oneState => InOrder("state"),
        var first => InOrder(first),
    };

    public OrderPart FromBeginning() => new(condition, keys, null);

    /// <summary>What is asked of the part's tasks, each condition with AND before it.</summary>
    public void WriteWhere(SqlText sql)
    {
        sql.Write(condition);
        if (after is null)
        {
            return;
        }

        // A comparison of rows is what an index can be searched with, where all fields go up and are always set.
        if (Array.TrueForAll(keys, key => !key.Descending && !key.MayBeUnset))
        {
            sql.Write($" AND ({string.Join(", ", keys.Select(key => key.Column))}) > (");
            for (int at = 0; at < keys.Length; at++)
            {
                sql.Write(at == 0 ? "" : ", ").Value(keys[at].ValueOf(after[at]));
            }

            sql.Write(")");
            return;
        }

        WriteBound(after, sql);
        for (int at = 0; at < keys.Length; at++)
        {
            sql.Write(at == 0 ? " AND (" : " OR ");
            WriteAfter(at, after, sql);
        }

        sql.Write(")");
    }

    public void WriteOrder(string first, SqlText sql)
    {
        string before = $" ORDER BY {first}";
        foreach (OrderKey key in keys)
        {
            // With NULLS LAST, SQLite would no longer see that an index gives the fields before this one.
            sql.Write(before).Write(key.MayBeUnset ? $"{key.Column} IS NULL, " : "");
            sql.Write(key.Column).Write(key.Descending ? " DESC" : "");
            before = ", ";
        }
    }

    private static string InOrder(string field) => $"tasks AS t INDEXED BY \"{TaskIndexes.ByField[field]}\"";

    /// <summary>What follows from the rest, and is what an index can be searched with.</summary>
    private void WriteBound(string?[] after, SqlText sql)
    {
        OrderKey first = keys[0];
        if (!first.MayBeUnset)
        {
            sql.Write($" AND {first.Column} {(first.Descending ? "<=" : ">=")} ").Value(first.ValueOf(after[0]));
        }
    }

    /// <summary>What is equal in the keys before this one, and comes after in this.</summary>
    private void WriteAfter(int last, string?[] after, SqlText sql)
    {
        sql.Write("(");
        for (int at = 0; at < last; at++)
        {
            sql.Write(keys[at].Column);
            _ = after[at] is null
                ? sql.Write(" IS NULL AND ")
                : sql.Write(" = ").Value(keys[at].ValueOf(after[at])).Write(" AND ");
        }

        OrderKey key = keys[last];
        if (after[last] is null)
        {
            sql.Write("(1 = 0))");
            return;
        }

        sql.Write($"({key.Column} {(key.Descending ? '<' : '>')} ").Value(key.ValueOf(after[last]));
        sql.Write(key.MayBeUnset ? $" OR {key.Column} IS NULL))" : "))");
    }
}
