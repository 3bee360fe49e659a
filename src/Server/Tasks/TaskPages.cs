using Microsoft.EntityFrameworkCore;
using Squall.V1;

namespace Squall.Server;

/// <summary>What one page of ListTasks is to hold, and the statements that read it.</summary>
internal sealed class TaskPages(Caller caller, Filter filter, TaskOrder order, string?[]? after, int size)
{
    /// <summary>Reads the page. Of lists that the caller is no member of there is nothing in it.</summary>
    public ListTasksResponse Read(SquallDb db, PageToken token, int bytesMax)
    {
        var page = new ListTasksResponse();
        if (filter.OnlyList is { } listId && !caller.Sees(db, listId))
        {
            return page;
        }

        IEnumerable<TaskRow> rows = Statements()
            .SelectMany(sql => db.Tasks.FromSqlRaw(sql.ToString(), sql.Values).AsEnumerable());
        page.NextPageToken = PageFill.Take(
            rows, size, bytesMax, row => row.ToProto(), page.Tasks, last => token.Write(order.KeysOf(last)));
        return page;
    }

    /// <summary>
    /// What gives the page's rows, one statement after the other until it is full. A filter that names its list
    /// searches that list's part of an index; else the caller's lists are gone through, in the order of their ids.
    /// Where they are the first of the order, a page takes the rest of the list that the last one ended in, then the
    /// lists after it: each is a range of an index, however far the page lies.
    /// </summary>
    public IEnumerable<SqlText> Statements()
    {
        if (filter.OnlyList is not null)
        {
            yield return End(Within(new SqlText().Write("SELECT t.* FROM tasks AS t WHERE "), after));
        }
        else if (order.ByList && after is [{ } list, ..])
        {
            yield return End(Within(OfLists().Write(" AND m.\"ListId\" = ").Value(list).Write(" AND "), after));
            yield return End(Within(OfLists().Write(" AND m.\"ListId\" > ").Value(list).Write(" AND "), null));
        }
        else
        {
            yield return End(Within(OfLists().Write(" AND "), after));
        }
    }

    /// <summary>The tasks of the caller's lists.</summary>
    private SqlText OfLists() => new SqlText()
        .Write("SELECT t.* FROM members AS m CROSS JOIN tasks AS t WHERE m.\"AccountId\" = ").Value(caller.AccountId)
        .Write(" AND m.\"EndSeq\" IS NULL AND t.\"ListId\" = m.\"ListId\"");

    private SqlText Within(SqlText sql, string?[]? keys)
    {
        FilterSql.Write(filter, sql);
        if (keys is not null)
        {
            sql.Write(" AND ");
            order.WriteAfter(keys, sql);
        }

        return sql;
    }

    private SqlText End(SqlText sql)
    {
        order.WriteOrder(sql);
        return sql.Write(" LIMIT ").Value(size + 1);
    }
}
