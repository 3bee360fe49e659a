namespace Squall.Bench;

/// <summary>What a call costs of the server's CPU in databases of different sizes.</summary>
/// <param name="rounds">That are counted.</param>
/// <param name="uncounted">Before them, while the servers get warm.</param>
/// <param name="calls">Of each kind in a round, at each size.</param>
internal sealed class Growth(int rounds, int uncounted, int calls, string folder, TimeProvider time)
{
    public const int Callers = 8;
    public const int ListsOfTasks = 100;

    /// <summary>Also what the server did for the calls of a kind after it had answered them.</summary>
    public const string Whole = "All together, a call";

    public int Rounds => rounds;
    public int Calls => calls;

    /// <summary>Databases of so many tasks; the caller has all of them.</summary>
    public async Task<IReadOnlyList<GrowthSeries>> OfTasksAsync(int[] tasks)
    {
        GrownServer[] servers = await FillAsync(tasks.Select(count => new DatabaseSize(ListsOfTasks, count)));
        try
        {
            return
            [
                await MeasureAsync("Tasks", "tasks in the database", tasks, servers, server => server.Owner),
            ];
        }
        finally
        {
            await StopAsync(servers);
        }
    }

    /// <summary>Databases of so many lists; the caller is a member of few, or of as many as it may.</summary>
    public async Task<IReadOnlyList<GrowthSeries>> OfListsAsync(int[] lists)
    {
        GrownServer[] servers = await FillAsync(
            lists.Select(count => new DatabaseSize(count, GrownServer.ListTasks + count - 1)));
        try
        {
            return
            [
                await MeasureAsync(
                    "Lists, ten of them the caller's", "lists in the database", lists, servers,
                    server => server.Member),
                await MeasureAsync(
                    "Lists, up to 10,000 of them the caller's", "lists in the database", lists, servers,
                    server => server.Owner),
            ];
        }
        finally
        {
            await StopAsync(servers);
        }
    }

    private async Task<GrownServer[]> FillAsync(IEnumerable<DatabaseSize> sizes) =>
        await Task.WhenAll(sizes.Select(size => GrownServer.FillAsync(folder, size, time)));

    private static async Task StopAsync(GrownServer[] servers)
    {
        foreach (GrownServer server in servers)
        {
            await server.DisposeAsync();
        }
    }

    /// <summary>Each kind at all sizes in turn, so that they see the same machine, then the next kind.</summary>
    private async Task<GrowthSeries> MeasureAsync(
        string title, string axis, int[] sizes, GrownServer[] servers, Func<GrownServer, GrowthCaller> callerOf)
    {
        Console.WriteLine(title);
        double[][][] micros = [.. GrowthKind.All.Select(_ => NewTable())];
        double[][] whole = NewTable();
        for (int round = -uncounted; round < rounds; round++)
        {
            Array.ForEach(servers, server => callerOf(server).Begin(calls));
            TimeSpan[] before = [.. servers.Select(server => server.Cpu)];
            foreach ((int kind, GrowthKind of) in GrowthKind.All.Index())
            {
                foreach ((int size, GrownServer server) in servers.Index())
                {
                    TimeSpan took = await MeasureAsync(of, server, callerOf(server));
                    before[size] += of.Grows ? took : TimeSpan.Zero;
                    Keep(micros[kind][size], round, took / calls);
                }
            }

            foreach ((int size, GrownServer server) in servers.Index())
            {
                int done = calls * GrowthKind.All.Count(kind => !kind.Grows);
                Keep(whole[size], round, (server.Cpu - before[size]) / done);
                await callerOf(server).EndAsync();
            }
        }

        List<GrowthRow> rows =
        [
            .. GrowthKind.All.Select((kind, at) => new GrowthRow(kind.Name, kind.Grows, micros[at])),
            new(Whole, Grows: false, whole),
        ];
        rows.ForEach(row => Console.WriteLine(GrowthReport.ToRow(row)));
        return new GrowthSeries(title, axis, sizes, rows);

        double[][] NewTable() => [.. sizes.Select(_ => new double[rounds])];
    }

    private static void Keep(double[] micros, int round, TimeSpan took)
    {
        if (round >= 0)
        {
            micros[round] = took.TotalMicroseconds;
        }
    }

    private async Task<TimeSpan> MeasureAsync(GrowthKind kind, GrownServer server, GrowthCaller caller)
    {
        await (kind.PrepareAsync?.Invoke(caller) ?? Task.CompletedTask);
        TimeSpan before = server.Cpu;
        await Parallel.ForEachAsync(
            Enumerable.Range(0, calls), new ParallelOptions { MaxDegreeOfParallelism = Callers },
            async (number, _) => await kind.CallAsync(caller, number));
        return server.Cpu - before;
    }
}
