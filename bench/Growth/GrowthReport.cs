using System.Globalization;

namespace Squall.Bench;

/// <summary>Writes GROWTH.md: what, how, how much, where it grows.</summary>
internal static class GrowthReport
{
    public static string Write(Growth growth, IReadOnlyList<GrowthSeries> series, string origin)
    {
        GrowthRow[] promised = [.. series.SelectMany(of => of.Rows).Where(row => !row.Grows)];
        GrowthRow[] over = [.. promised.Where(row => !row.IsWithin)];
        string most = promised.Max(row => row.Growth).ToString("0.00", CultureInfo.InvariantCulture);
        string summary = over.Length == 0
            ? $"So it is in all {promised.Length} cases but the control; the most it grows is {most}."
            : $"Of {promised.Length} cases but the control, in {over.Length} it grows by more.";
        return $"""
            # Growth

            Written by `dotnet run -c Release --project bench -- growth`; do not edit. {origin}

            What a call costs of the server's CPU, in user and system mode, as there is more in the database: at most
            {GrowthRow.Bound} times as much at the largest size as at the smallest. {summary}

            ![The growth of each kind of call in each series](growth.svg)

            {string.Join("\n\n", series.Select(ToTable))}

            Microseconds of CPU a call are medians of {growth.Rounds} rounds of {growth.Calls} calls of each kind,
            {Growth.Callers} at once over one connection. Each size has a server of its own; within a round all are
            measured in turn, and growth is taken round by round, its spread from the lowest to the highest. Growth
            beyond {GrowthRow.Bound} is flagged with ⚠. Absolute figures are of the machine and the hour; the ratios
            carry over.

            - **The databases** are filled over the contract, by calls with request ids. Every second task is done,
              every third has a note, every fourth two labels, every second is due. Then the server starts anew, and
              gets warm in rounds that are not counted. It is the whole server as it is shipped, over the wire, and
              durable before it answers; only its `--access-lifetime` is raised, since filling takes long, and it logs
              warnings alone.
            - **The calls** are those of one account in one list, which has {GrownServer.ListTasks} tasks at every
              size, and is left as it was after each round. Every answer is checked. What changes something is done to
              tasks that CreateTask made, and each change is told of in the journal.
            - **Tasks**: in {Growth.ListsOfTasks} lists, all of which the caller owns.
            - **Lists**: of one task each, but for the one that is worked in. The caller is a member of ten of them, or
              owns as many as an account may, of 100,000 lists 10,000.
            - **{Growth.Whole}** is all that the server took in the round, also after it had answered.
            - **{GrowthKind.All.Single(kind => kind.Grows).Name}** has no such bound: it looks into each
              of the caller's lists. It is the control, which shows that growth is seen, and neither in the picture nor
              in what is said of all.

            """;
    }

    public static string ToRow(GrowthRow row)
    {
        int[] sizes = [.. Enumerable.Range(0, row.Micros.Length)];
        double[] ratios = row.Ratios(sizes[^1]);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"| {row.Kind} | {string.Join(" | ", sizes.Select(size => row.Median(size).ToString("N0")))} | "
            + $"**{row.Growth:0.00}**{(row.IsWithin ? "" : " ⚠")} | {ratios[0]:0.00} to {ratios[^1]:0.00} |");
    }

    private static string ToTable(GrowthSeries series) => $"""
        ## {series.Title}

        | µs of CPU a call, {series.Axis}: | {Sizes(series)} | growth | spread |
        |---|{string.Concat(series.Sizes.Select(_ => "---:|"))}---:|---|
        {string.Join('\n', series.Rows.Select(ToRow))}
        """;

    private static string Sizes(GrowthSeries series) => string.Join(
        " | ", series.Sizes.Select(size => size.ToString("N0", CultureInfo.InvariantCulture)));
}
