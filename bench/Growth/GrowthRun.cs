using System.Globalization;

namespace Squall.Bench;

/// <summary>
/// <c>growth</c>: measures, and writes GROWTH.md and growth.svg. <c>--rounds 9</c>, <c>--calls 200</c>,
/// <c>--tasks 1000,100000,1000000</c> and <c>--lists 10,1000,100000</c> make it shorter, <c>--only tasks</c> or
/// <c>--only lists</c> too; only a run of both writes its results. <c>--smoke</c> sees whether it runs,
/// with few lists.
/// </summary>
internal static class GrowthRun
{
    public static async Task<int> RunAsync(string[] args, TimeProvider time)
    {
        bool smoke = args.Contains("--smoke");
        string only = Option("--only", smoke ? "lists" : "");
        Machine before = Machine.Now(time);
        string folder = Directory.CreateTempSubdirectory("squall-growth-").FullName;
        var growth = new Growth(
            int.Parse(Option("--rounds", smoke ? "1" : "9"), CultureInfo.InvariantCulture), smoke ? 0 : 3,
            int.Parse(Option("--calls", smoke ? "10" : "200"), CultureInfo.InvariantCulture), folder, time);
        try
        {
            GrowthSeries[] series =
            [
                .. only == "lists" ? [] : await growth.OfTasksAsync(
                    Sizes(Option("--tasks", "1000,100000,1000000"))),
                .. only == "tasks" ? [] : await growth.OfListsAsync(
                    Sizes(Option("--lists", smoke ? "10,30" : "10,1000,100000"))),
            ];
            string plot = GrowthPlot.Draw(series);
            string report = GrowthReport.Write(growth, series, await Report.OriginAsync(before, Machine.Now(time)));
            if (smoke)
            {
                return Smoke([.. series.SelectMany(of => of.Rows)]);
            }

            if (only.Length == 0)
            {
                await Report.WriteAsync("growth.svg", plot);
                await Report.WriteAsync("GROWTH.md", report);
            }

            return Judge(series);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }

        string Option(string name, string otherwise)
        {
            int at = Array.IndexOf(args, name);
            return at < 0 ? otherwise : args[at + 1];
        }
    }

    /// <summary>All was measured; and what judges it tells growth beyond the bound from growth within it.</summary>
    private static int Smoke(GrowthRow[] rows)
    {
        int failed = 0;
        foreach (GrowthRow row in rows)
        {
            if (row.Grown(1.51).IsWithin || !row.Grown(1.49).IsWithin || row.Micros.Any(of => of.Min() <= 0))
            {
                Console.WriteLine($"FAIL growth of {row.Kind}");
                failed++;
            }
        }

        Console.WriteLine($"{rows.Length - failed} passed, {failed} failed");
        return failed == 0 ? 0 : 1;
    }

    /// <summary>1: something grows that should not, or the control was not seen to.</summary>
    private static int Judge(GrowthSeries[] series)
    {
        GrowthRow[] rows = [.. series.SelectMany(of => of.Rows)];
        bool caught = rows.Any(row => row.Grows && !row.IsWithin);
        bool held = rows.All(row => row.Grows || row.IsWithin);
        Console.WriteLine($"{(held ? "All within" : "Not all within")} {GrowthRow.Bound}; the control was "
            + (caught ? "seen to grow." : "not seen to grow."));
        return caught && held ? 0 : 1;
    }

    private static int[] Sizes(string text) =>
        [.. text.Split(',').Select(size => int.Parse(size, CultureInfo.InvariantCulture))];
}
