namespace Squall.Server;

/// <summary>
/// Where tasks are read from: one list, or all of a caller's, by its members' rows; through a search, or without. The
/// tables are gone through in the order in which they stand here, whatever SQLite takes for better.
/// </summary>
internal sealed class TaskSource(Caller caller, string? listId, TaskSearch? search)
{
    /// <summary>How many tasks the search finds, as far as <paramref name="max"/>.</summary>
    public int Count(int max, SquallDb db) => Counted(max).Read(db, row => row.GetInt32(0)).Single();

    public SqlText Counted(int max) =>
        Begin("SELECT count(*) FROM (SELECT 1", null, null).Write(" LIMIT ").Value(max).Write(")");

    /// <summary>The beginning of a statement over tasks as <c>t</c>, to be gone on with AND.</summary>
    /// <param name="table">The table, with how it is to be read.</param>
    /// <param name="lists">Writes what more is asked of the members' rows, with AND before it.</param>
    public SqlText Tasks(string table, Action<SqlText>? lists = null) =>
        Begin($"SELECT {TaskRow.Columns}", table, lists);

    /// <summary>Of a key that names lists, those.</summary>
    private void OnlyNamed(SqlText sql)
    {
        if (caller.Key?.Lists is { } named)
        {
            string between = " AND m.\"ListId\" IN (";
            foreach (string list in named)
            {
                sql.Write(between).Value(list);
                between = ", ";
            }

            sql.Write(")");
        }
    }

    private SqlText Begin(string select, string? table, Action<SqlText>? lists)
    {
        bool tasks = table is not null;
        string?[] tables = [listId is null ? "members AS m" : null, search?.Table, table];
        var sql = new SqlText().Write($"{select} FROM {string.Join(" CROSS JOIN ", tables.OfType<string>())} WHERE ");
        if (listId is null)
        {
            sql.Write("m.\"AccountId\" = ").Value(caller.AccountId).Write(" AND m.\"EndSeq\" IS NULL");
            OnlyNamed(sql);
            lists?.Invoke(sql);
            sql.Write(tasks ? " AND t.\"ListId\" = m.\"ListId\"" : "");
        }
        else
        {
            _ = tasks ? sql.Write("t.\"ListId\" = ").Value(listId) : sql.Write("(1 = 1)");
        }

        search?.WriteWhere(listId, sql);
        return sql.Write(tasks && search is not null ? $" AND t.\"Num\" = {search.Num}" : "");
    }
}
