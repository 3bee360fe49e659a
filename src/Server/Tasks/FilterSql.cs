namespace Squall.Server;

/// <summary>
/// A filter's meaning as SQL over the table of tasks, as <c>t</c>. Comparing with NULL gives NULL, which AND and OR
/// pass on as if it were false; NOT therefore asks what is not TRUE.
/// </summary>
internal sealed class FilterSql
{
    private const string Never = "(1 = 0)";

    /// <summary>
    /// Before a column, it keeps SQLite from reading by an index on it: it would have to find all that match, and to
    /// sort them for every page. SQLite compares text by its UTF-8, which is the order of code points.
    /// </summary>
    private const string NoIndex = "+";

    private readonly SqlText _sql;
    private readonly string _ordered;

    private FilterSql(SqlText sql, string ordered) => (_sql, _ordered) = (sql, ordered);

    /// <param name="ordered">The first field of the order that the tasks are read in.</param>
    /// <param name="known">Parts of the filter, if it is AND that joins them, that need not be asked again.</param>
    public static void Write(Filter filter, SqlText sql, string ordered, IReadOnlyList<FilterNode>? known = null)
    {
        FilterNode[] asked = [.. filter.Conditions.Where(node => known?.Contains(node) != true)];
        new FilterSql(sql, ordered).Write(new AllOf(asked));
    }

    public static string SignOf(Comparator by) => by switch
    {
        Comparator.Equal => "=",
        Comparator.NotEqual => "<>",
        Comparator.Less => "<",
        Comparator.LessOrEqual => "<=",
        Comparator.Greater => ">",
        _ => ">=",
    };

    private void Write(FilterNode node)
    {
        switch (node)
        {
            case AllOf all:
                Join(all.Nodes, " AND ", "(1 = 1)");
                break;
            case AnyOf any:
                Join(any.Nodes, " OR ", Never);
                break;
            case Not not:
                _sql.Write("(");
                Write(not.Node);
                _sql.Write(" IS NOT TRUE)");
                break;
            case TextTest test:
                Compare(test.Field, test.By, test.Value);
                break;
            case NumberTest test:
                Compare(test.Field, test.By, test.Value);
                break;
            case SetTest { Field: var field }:
                _sql.Write(field.Column is null ? Never : $"({ColumnOf(field)} IS NOT NULL)");
                break;
            case PhraseTest { Phrase: var phrase }:
                _sql.Write($"{Words.SaidFunction}(t.\"Title\", t.\"Note\", ").Value(phrase).Write(")");
                break;
            case LabelTest { Label: var label }:
                HasLabel(label);
                break;
            default:
                throw new ArgumentException($"A filter holds {node.GetType().Name}, which has no SQL.", nameof(node));
        }
    }

    private void Join(IReadOnlyList<FilterNode> nodes, string between, string none)
    {
        if (nodes.Count == 0)
        {
            _sql.Write(none);
            return;
        }

        string before = "(";
        foreach (FilterNode node in nodes)
        {
            _sql.Write(before);
            Write(node);
            before = between;
        }

        _sql.Write(")");
    }

    private void Compare(FilterField field, Comparator by, object value)
    {
        if (field.Column is null)
        {
            _sql.Write(Never);
            return;
        }

        _sql.Write($"({ColumnOf(field)} {SignOf(by)} ").Value(value).Write(")");
    }

    private void HasLabel(string? label)
    {
        if (label is null)
        {
            _sql.Write("(t.\"Labels\" <> '[]')");
            return;
        }

        _sql.Write("EXISTS (SELECT 1 FROM task_labels AS l WHERE l.\"ListId\" = t.\"ListId\"");
        _sql.Write(" AND l.\"Label\" = ").Value(label).Write(" AND l.\"TaskNum\" = t.\"Num\")");
    }

    /// <summary>By an index that gives the order tasks may be read; those in one state have one by rank.</summary>
    private string ColumnOf(FilterField field)
    {
        bool ordered = field.Name == _ordered || (field.Name == "state" && _ordered == "rank");
        return $"{(ordered ? "" : NoIndex)}t.\"{field.Column}\"";
    }
}
