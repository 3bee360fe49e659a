using System.Globalization;
using System.Text;

namespace Squall.Server;

/// <summary>
/// A statement with its values apart, in the form that EF Core's FromSqlRaw takes. It is standard SQL but for what
/// stands in constants here.
/// </summary>
internal sealed class SqlText
{
    private readonly StringBuilder _text = new();
    private readonly List<object> _values = [];

    public object[] Values => [.. _values];

    public SqlText Write(string sql)
    {
        _text.Append(sql);
        return this;
    }

    public SqlText Value(object value)
    {
        _text.Append(CultureInfo.InvariantCulture, $"{{{_values.Count}}}");
        _values.Add(value);
        return this;
    }

    public override string ToString() => _text.ToString();
}

/// <summary>
/// A filter's meaning as SQL over the table of tasks, as <c>t</c>. Comparing with NULL gives NULL, which AND and OR
/// pass on as if it were false; NOT therefore asks what is not TRUE.
/// </summary>
internal static class FilterSql
{
    private const string Never = "(1 = 0)";

    // SQLite compares text by its UTF-8 unless told otherwise, which is the order of code points.
    private const string ByCodePoint = "";

    public static void Write(Filter filter, SqlText sql) => Write(filter.Root, sql);

    private static void Write(FilterNode node, SqlText sql)
    {
        switch (node)
        {
            case AllOf all:
                Join(all.Nodes, " AND ", "(1 = 1)", sql);
                break;
            case AnyOf any:
                Join(any.Nodes, " OR ", Never, sql);
                break;
            case Not not:
                sql.Write("(");
                Write(not.Node, sql);
                sql.Write(" IS NOT TRUE)");
                break;
            case TextTest test:
                Compare(test.Field, test.By, test.Value, ByCodePoint, sql);
                break;
            case NumberTest test:
                Compare(test.Field, test.By, test.Value, "", sql);
                break;
            case SetTest { Field.Column: var column }:
                sql.Write(column is null ? Never : $"(t.\"{column}\" IS NOT NULL)");
                break;
            case LabelTest { Label: var label }:
                HasLabel(label, sql);
                break;
            default:
                throw new ArgumentException($"A filter holds {node.GetType().Name}, which has no SQL.", nameof(node));
        }
    }

    private static void Join(IReadOnlyList<FilterNode> nodes, string between, string none, SqlText sql)
    {
        if (nodes.Count == 0)
        {
            sql.Write(none);
            return;
        }

        string before = "(";
        foreach (FilterNode node in nodes)
        {
            sql.Write(before);
            Write(node, sql);
            before = between;
        }

        sql.Write(")");
    }

    private static void Compare(FilterField field, Comparator by, object value, string collation, SqlText sql)
    {
        if (field.Column is null)
        {
            sql.Write(Never);
            return;
        }

        sql.Write($"(t.\"{field.Column}\"{collation} {SignOf(by)} ").Value(value).Write(")");
    }

    private static void HasLabel(string? label, SqlText sql)
    {
        sql.Write("EXISTS (SELECT 1 FROM task_labels AS l WHERE l.\"TaskId\" = t.\"Id\"");
        if (label is not null)
        {
            sql.Write(" AND l.\"Label\" = ").Value(label);
        }

        sql.Write(")");
    }

    private static string SignOf(Comparator by) => by switch
    {
        Comparator.Equal => "=",
        Comparator.NotEqual => "<>",
        Comparator.Less => "<",
        Comparator.LessOrEqual => "<=",
        Comparator.Greater => ">",
        _ => ">=",
    };
}
