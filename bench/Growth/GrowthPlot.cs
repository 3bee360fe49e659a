using System.Globalization;
using System.Xml.Linq;

namespace Squall.Bench;

/// <summary>Draws growth: a panel a series, a line a kind of call, over the size on a logarithmic axis.</summary>
internal static class GrowthPlot
{
    private const double Left = 60;
    private const double Top = 50;
    private const double PanelWidth = 300;
    private const double PanelHeight = 280;
    private const double PanelGap = 40;
    private const double LegendRow = 20;
    private const int LegendColumns = 3;
    private static readonly XNamespace Svg = "http://www.w3.org/2000/svg";
    private static readonly string[] Colours =
    [
        "#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377", "#ee8800", "#7755cc", "#008877", "#885522",
        "#000000",
    ];

    public static string Draw(IReadOnlyList<GrowthSeries> series)
    {
        double most = series.SelectMany(of => of.Rows).Where(row => !row.Grows)
            .Max(row => Enumerable.Range(1, row.Micros.Length - 1).Max(row.GrowthAt));
        double top = Math.Max(2, Math.Ceiling(most * 2) / 2);
        double width = Left + (series.Count * (PanelWidth + PanelGap));
        string[] kinds = [.. series[0].Rows.Where(row => !row.Grows).Select(row => row.Kind)];
        double legend = Top + PanelHeight + 60;
        double height = legend + (((kinds.Length / LegendColumns) + 1) * LegendRow) + 10;
        return new XElement(
            Svg + "svg", At(("width", width), ("height", height)), new XAttribute("font-family", "sans-serif"),
            new XAttribute("font-size", "12"),
            new XElement(Svg + "rect", At(("width", width), ("height", height)), new XAttribute("fill", "white")),
            Text(Left, 18, "CPU a call, times that in the smallest database; dashed: the bound"),
            series.Select((of, at) => Panel(of, Left + (at * (PanelWidth + PanelGap)), top)),
            kinds.Select((kind, at) => Entry(
                kind, at, Left + (at % LegendColumns * (width - Left) / LegendColumns),
                legend + (at / LegendColumns * LegendRow)))).ToString() + "\n";
    }

    private static IEnumerable<XElement> Panel(GrowthSeries series, double left, double top)
    {
        double first = Math.Log10(series.Sizes[0]);
        double decades = Math.Log10(series.Sizes[^1]) - first;
        yield return Text(left, Top - 10, series.Title);
        for (double tick = 0; tick <= top; tick += 0.5)
        {
            yield return Line(left, Y(tick), left + PanelWidth, Y(tick), "#dddddd");
            yield return Text(left - 6, Y(tick) + 4, tick.ToString("0.0", CultureInfo.InvariantCulture), "end");
        }

        foreach (int size in series.Sizes)
        {
            yield return Line(X(size), Y(0), X(size), Y(0) + 5, "black");
            yield return Text(X(size), Y(0) + 20, size.ToString("N0", CultureInfo.InvariantCulture), "middle");
        }

        yield return Text(left + (PanelWidth / 2), Y(0) + 38, series.Axis, "middle");
        XElement bound = Line(left, Y(GrowthRow.Bound), left + PanelWidth, Y(GrowthRow.Bound), "#cc0000");
        bound.Add(new XAttribute("stroke-dasharray", "6 4"));
        yield return bound;
        foreach ((int at, GrowthRow row) in series.Rows.Where(row => !row.Grows).Index())
        {
            var points = series.Sizes.Select((size, index) => string.Create(
                CultureInfo.InvariantCulture, $"{X(size):0.#},{Y(index == 0 ? 1 : row.GrowthAt(index)):0.#}"));
            yield return new XElement(
                Svg + "polyline", new XAttribute("points", string.Join(' ', points)), new XAttribute("fill", "none"),
                new XAttribute("stroke", Colours[at % Colours.Length]), new XAttribute("stroke-width", "2"));
        }

        double X(int size) => left + ((Math.Log10(size) - first) / decades * PanelWidth);
        double Y(double growth) => Top + (PanelHeight * (1 - (growth / top)));
    }

    private static IEnumerable<XElement> Entry(string kind, int at, double left, double y)
    {
        XElement colour = Line(left, y - 4, left + 24, y - 4, Colours[at % Colours.Length]);
        colour.Add(new XAttribute("stroke-width", "3"));
        return [colour, Text(left + 30, y, kind)];
    }

    private static XElement Line(double x1, double y1, double x2, double y2, string colour) => new(
        Svg + "line", At(("x1", x1), ("y1", y1), ("x2", x2), ("y2", y2)), new XAttribute("stroke", colour));

    private static XElement Text(double x, double y, string text, string anchor = "start") =>
        new(Svg + "text", At(("x", x), ("y", y)), new XAttribute("text-anchor", anchor), text);

    private static IEnumerable<XAttribute> At(params (string Name, double Value)[] places) => places.Select(
        place => new XAttribute(place.Name, place.Value.ToString("0.#", CultureInfo.InvariantCulture)));
}
