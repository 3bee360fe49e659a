namespace Squall.Bench;

/// <summary>A kind of call, and what goes before a round of it that is not measured.</summary>
/// <param name="Grows">Known to grow, with the caller's lists: no promise, and shows that growth is seen.</param>
internal sealed record GrowthKind(
    string Name, Func<GrowthCaller, int, Task> CallAsync, Func<GrowthCaller, Task>? PrepareAsync = null,
    bool Grows = false)
{
    /// <summary>In their order in a round.</summary>
    public static readonly IReadOnlyList<GrowthKind> All =
    [
        new("ListTasks, a page of 50", (caller, _) => caller.ListTasksAsync()),
        new("ListTasks, a page by state", (caller, _) => caller.ListOpenAsync()),
        new("ListTasks, by a word", (caller, _) => caller.SearchAsync()),
        new("ListTaskLists, a page of 10", (caller, _) => caller.ListListsAsync()),
        new("ListTasks of all lists, by due time", (caller, _) => caller.ListDueAsync(), Grows: true),
        new("CreateTask", (caller, number) => caller.CreateAsync(number)),
        new("GetTask", (caller, number) => caller.GetAsync(number)),
        new("UpdateTask", (caller, number) => caller.UpdateAsync(number)),
        new("CompleteTask", (caller, number) => caller.CompleteAsync(number)),
        new("Subscribe, 5 changes behind", (caller, _) => caller.ResumeAsync(), caller => caller.MissAsync()),
        new("DeleteTask", (caller, number) => caller.DeleteAsync(number)),
    ];
}

/// <summary>What a kind of call took of the server's CPU, at each size in each round.</summary>
internal sealed record GrowthRow(string Kind, bool Grows, double[][] Micros)
{
    public const double Bound = 1.5;

    public double Median(int size) => Middle(Micros[size]);

    /// <summary>Over the smallest size, round by round.</summary>
    public double[] Ratios(int size) => [.. Micros[size].Zip(Micros[0], (micros, least) => micros / least).Order()];

    public double GrowthAt(int size) => Middle(Ratios(size));

    /// <summary>From the smallest size to the largest.</summary>
    public double Growth => GrowthAt(Micros.Length - 1);

    public bool IsWithin => Growth <= Bound;

    /// <summary>The same, had it cost so many times as much at the largest size as at the smallest.</summary>
    public GrowthRow Grown(double times) =>
        this with { Micros = [.. Micros[..^1], [.. Micros[0].Select(micros => micros * times)]] };

    private static double Middle(double[] values)
    {
        double[] sorted = [.. values.Order()];
        return (sorted[sorted.Length / 2] + sorted[(sorted.Length - 1) / 2]) / 2;
    }
}

/// <summary>The same calls in databases of several sizes.</summary>
/// <param name="Axis">What the sizes count.</param>
internal sealed record GrowthSeries(string Title, string Axis, int[] Sizes, IReadOnlyList<GrowthRow> Rows);
