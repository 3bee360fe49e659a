using Spectre.Console;
using Spectre.Console.Rendering;

namespace Squall.Cli;

/// <summary>A piece of a row, without what would steer the terminal.</summary>
internal sealed class Cell(string text, Style? style = null)
{
    private static readonly Style Dim = new(decoration: Decoration.Dim);

    public string Text { get; } = Printable.Line(text);

    public Style? Style => style;

    public static Cell Id(string id) => new(ShortId.Of(id), Dim);
}

/// <summary>Rows of results as a table, on a terminal.</summary>
internal static class Rows
{
    private const int Gap = 2;
    private const int WrappedWidthMin = 20;
    private static readonly Style Bold = new(decoration: Decoration.Bold);

    /// <summary>
    /// The columns that say something and fit: one of them is wrapped, and if it has no room, the last others are left
    /// out.
    /// </summary>
    public static IRenderable Table(string[] titles, IReadOnlyList<Cell[]> rows, int wrapped, int width)
    {
        var shown = Enumerable.Range(0, titles.Length)
            .Where(column => rows.Any(row => row[column].Text.Length > 0))
            .ToDictionary(column => column, column =>
                Gap + rows.Select(row => row[column].Text).Append(titles[column]).Max(text => text.GetCellWidth()));
        var room = width - Math.Min(shown.GetValueOrDefault(wrapped), WrappedWidthMin);
        while (shown.Count > 2 && shown.Where(column => column.Key != wrapped).Sum(column => column.Value) > room)
        {
            shown.Remove(shown.Keys.Where(column => column != wrapped).Max());
        }

        var table = new Table { Border = TableBorder.None };
        foreach (var column in shown.Keys)
        {
            table.AddColumn(new TableColumn(new Text(titles[column], Bold))
            {
                NoWrap = column != wrapped,
                Padding = new Padding(0, 0, Gap, 0),
            });
        }

        foreach (var row in rows)
        {
            table.AddRow(shown.Keys.Select(column => new Text(row[column].Text, row[column].Style)));
        }

        return table;
    }
}
