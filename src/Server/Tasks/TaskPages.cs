using Squall.V1;

namespace Squall.Server;

/// <summary>What one page of ListTasks is to hold, and the statements that read it.</summary>
/// <param name="searchedMax">
/// How many tasks are looked up by what the filter asks for, and then sorted. Where more have it, a page is full soon
/// that goes through the lists in order.
/// </param>
internal sealed class TaskPages(
    Caller caller, Filter filter, TaskOrder order, string?[]? after, int size,
    int searchedMax = TaskPages.SearchedMax)
{
    public const int SearchedMax = 1_000;

    /// <summary>Reads the page. Of lists that the caller is no member of there is nothing in it.</summary>
    public ListTasksResponse Read(SquallDb db, PageToken token, int bytesMax)
    {
        var page = new ListTasksResponse();
        if (filter.OnlyList is { } listId && !caller.Sees(db, listId))
        {
            return page;
        }

        IEnumerable<TaskRow> rows = Statements(Choose(db))
            .SelectMany(sql => sql.Read(db, TaskRow.Read));
        page.NextPageToken = PageFill.Take(
            rows, size, bytesMax, row => row.ToProto(), page.Tasks, last => token.Write(order.KeysOf(last)));
        return page;
    }

    /// <summary>
    /// What gives the page's rows, one statement after the other until it is full. A filter that names its list
    /// searches that list's part of an index; else the caller's lists are gone through. Where they are the first of
    /// the order, a page takes the rest of the list that the last one ended in, then the lists after it; in any other
    /// order, it takes a page of each list, and of those the first. However far the page lies, each is a range of an
    /// index.
    /// </summary>
    /// <param name="search">What the tasks are looked up by; null: nothing, the lists are gone through.</param>
    public IEnumerable<SqlText> Statements(TaskSearch? search)
    {
        var source = new TaskSource(caller, filter.OnlyList, search);
        if (order.ByList && after is [{ } list, ..])
        {
            OrderPart within = order.PartsAfter(after).Single();
            yield return End(source, search, within, sql => sql.Write(" AND m.\"ListId\" = ").Value(list));
            OrderPart others = within.FromBeginning();
            yield return End(source, search, others, sql => sql.Write(" AND m.\"ListId\" > ").Value(list));
            yield break;
        }

        foreach (OrderPart part in order.PartsAfter(after))
        {
            yield return filter.OnlyList is null && !order.ByList && search is null
                ? OfEachList(source, part)
                : End(source, search, part);
        }
    }

    /// <summary>The rarest of what the tasks can be looked up by, if it is rare enough.</summary>
    public TaskSearch? Choose(SquallDb db)
    {
        int fewest = searchedMax + 1;
        TaskSearch? best = null;
        foreach (TaskSearch search in TaskSearch.Of(filter))
        {
            int found = new TaskSource(caller, filter.OnlyList, search).Count(fewest, db);
            (best, fewest) = found < fewest ? (search, found) : (best, fewest);
        }

        return best;
    }

    /// <summary>The first of each list, and of those the first.</summary>
    private SqlText OfEachList(TaskSource source, OrderPart part)
    {
        SqlText sql = source.Tasks("tasks AS t");
        sql.Write($" AND t.\"Num\" IN (SELECT t.\"Num\" FROM {part.TableInOrder(filter.OneState)} WHERE ");
        sql.Write("t.\"ListId\" = m.\"ListId\" AND ");
        FilterSql.Write(filter, sql, part.FirstField);
        part.WriteWhere(sql);
        Limit(part, sql).Write(")");
        return Limit(part, sql);
    }

    private SqlText End(TaskSource source, TaskSearch? search, OrderPart part, Action<SqlText>? lists = null)
    {
        string table = search is null ? part.TableInOrder(filter.OneState) : "tasks AS t";
        SqlText sql = source.Tasks(table, lists).Write(" AND ");
        FilterSql.Write(filter, sql, part.FirstField, search?.Nodes);
        part.WriteWhere(sql);
        return Limit(part, sql);
    }

    private SqlText Limit(OrderPart part, SqlText sql)
    {
        order.WriteOrder(part, sql);
        return sql.Write(" LIMIT ").Value(size + 1);
    }
}
