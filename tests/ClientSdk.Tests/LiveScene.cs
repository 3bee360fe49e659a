using Squall.V1;

namespace Squall.Client.Tests;

/// <summary>
/// A view under writers, a churn of its memberships, and cuts of its connection. The view's own steps drive it: after
/// so many it is cut, after so many it gains or loses a list; so that each finds it at work.
/// </summary>
/// <param name="isFiltered">Whether the view is of some tasks, in an order of its own, or of all.</param>
internal sealed class LiveScene(World world, int seed, int cuts, bool isFiltered)
{
    private const int Writers = 3;
    private const int ChurnsMin = 16;

    private readonly string filter = isFiltered ? "state = OPEN AND priority >= MEDIUM" : "";
    private readonly string order = isFiltered ? "priority desc, title" : "";

    private readonly Random random = new(seed);
    private readonly List<LiveTasksChange> steps = [];
    private readonly CancellationTokenSource enough = new();
    private readonly SemaphoreSlim churn = new(0);
    private readonly List<TaskList> stable = [];
    private readonly TaskList[] churned = new TaskList[2];
    private SquallClient? owner;
    private int untilCut = 3;
    private int untilChurn = 5;
    private int churns;

    public int Steps => steps.Count;

    /// <summary>How often the view lost its stream.</summary>
    public int Lost { get; private set; }

    public int Dropped { get; private set; }

    public (int Gains, int Losses) Memberships { get; private set; }

    /// <summary>Plays it to the end, and gives what was wrong.</summary>
    public async Task<IReadOnlyList<string>> FaultsAsync(Func<SubscriptionEvent, bool>? drops = null)
    {
        var (ownersTokens, viewersTokens) = (await world.SignInAsync("owner"), await world.SignInAsync("viewer"));
        owner = Client(ownersTokens, world.Address);
        var direct = Client(viewersTokens, world.Address);
        var through = new AlteredClient(Client(viewersTokens, world.Proxy.Address), drops);
        await SetAsync();
        await using var live = through.WatchTasks(filter, new LiveTasksSettings { OrderBy = order });
        live.Changed += step => Follow(step, through);
        await live.StartAsync().WaitAsync(Net.TimeMax);
        var working = Enumerable.Range(0, Writers).Select(number => Task.Run(
            () => WriteAsync(Client(ownersTokens, world.Address), new Random(seed + number)))).ToList();
        working.Add(Task.Run(ChurnAsync));
        await Task.WhenAll(working);
        await EndAsync(live);
        var view = await live.WhenAsync(now => now.IsLive && now.Tasks.Any(task => task.Title == "the last"))
            .WaitAsync(Net.TimeMax);
        var listed = await direct.Tasks.List(filter, order).AllAsync();
        await live.DisposeAsync();

        var ledger = new LiveLedger(
            (await direct.GetAccountAsync()).Id,
            task => !isFiltered || (task.State == TaskState.Open && task.Priority >= Priority.Medium));
        var faults = await ledger.FaultsOfAsync(world.Server, steps);
        (Lost, Dropped, Memberships) = (through.Lost, through.Dropped, ledger.Memberships);
        return view.Tasks.SequenceEqual(listed) ? faults : [.. faults, "the view does not end as ListTasks"];
    }

    private async Task SetAsync()
    {
        for (var number = 0; number < 2; number++)
        {
            stable.Add(await MakeAsync());
            await owner!.Lists.SetMemberAsync(stable[number].Id, "viewer", Role.Viewer);
            churned[number] = await MakeAsync();
        }
    }

    private async Task<TaskList> MakeAsync()
    {
        var list = await owner!.Lists.CreateAsync("a list");
        await owner.Tasks.CreateManyAsync(list.Id, Enumerable.Range(0, 10).Select(
            number => new TaskItem { Title = $"{number}", Priority = (Priority)(number % 5) }));
        return list;
    }

    /// <summary>Called by the view, which waits: what is done here is done while it is where the step says.</summary>
    private void Follow(LiveTasksChange step, AlteredClient through)
    {
        steps.Add(step);
        if (enough.IsCancellationRequested)
        {
            return;
        }

        if (through.Lost >= cuts && Volatile.Read(ref churns) >= ChurnsMin)
        {
            enough.Cancel();
            churn.Release();
            return;
        }

        if (--untilChurn == 0)
        {
            untilChurn = random.Next(3, 15);
            churn.Release();
        }

        if (step.View.IsLive && through.Lost < cuts && --untilCut <= 0)
        {
            untilCut = random.Next(3, 12);
            Cut();
        }
    }

    private void Cut()
    {
        switch (random.Next(4))
        {
            case 0:
                world.Proxy.Cut();
                break;
            case 1:
                world.Proxy.HalfClose();
                break;
            default:
                world.Proxy.CutAfter(random.Next(1, 2_000));
                break;
        }
    }

    /// <summary>Changes tasks of its own, in all lists.</summary>
    private async Task WriteAsync(SquallClient client, Random own)
    {
        List<string> tasks = [];
        while (!enough.IsCancellationRequested)
        {
            var id = tasks.Count > 0 ? tasks[own.Next(tasks.Count)] : "";
            try
            {
                await (own.Next(tasks.Count < 5 ? 3 : 10) switch
                {
                    < 3 => MakeOneAsync(),
                    3 or 4 => client.Tasks.UpdateAsync(
                        new TaskItem { Id = id, Priority = (Priority)own.Next(5), Title = $"{own.Next(100)}" },
                        "priority", "title"),
                    5 => client.Tasks.CompleteAsync(id),
                    6 => client.Tasks.ReopenAsync(id),
                    7 or 8 => client.Tasks.UpdateAsync(
                        new TaskItem { Id = id, TaskListId = AnyList() }, "task_list_id"),
                    _ => tasks.Remove(id) ? client.Tasks.DeleteAsync(id) : Task.CompletedTask,
                });
            }
            catch (SquallPreconditionException)
            {
                // It was done already, or is open.
            }
            catch (SquallNotFoundException)
            {
                // It went with its list, or the list that it was to go to is gone.
                tasks.Remove(id);
            }
        }

        string AnyList() => (own.Next(2) == 0 ? stable[own.Next(2)] : Volatile.Read(ref churned[own.Next(2)])).Id;

        async Task MakeOneAsync() => tasks.Add((await client.Tasks.CreateAsync(new TaskItem
        {
            TaskListId = AnyList(),
            Title = $"{own.Next(100)}",
            Priority = (Priority)own.Next(5),
        })).Id);
    }

    /// <summary>
    /// Gives and takes the two lists that the view does not keep: it becomes a member, gets another role, and is
    /// removed or sees the list deleted, in whose place comes another.
    /// </summary>
    private async Task ChurnAsync()
    {
        var viewer = await world.Server.Get<Server.Store>().ReadAsync(
            db => db.Accounts.Single(row => row.Username == "viewer").Id, CancellationToken.None);
        for (; !enough.IsCancellationRequested; Interlocked.Increment(ref churns))
        {
            Assert.True(await churn.WaitAsync(Net.TimeMax));
            var at = churns / 4 % 2;
            var list = churned[at].Id;
            switch (churns % 4)
            {
                case 0 or 1:
                    await owner!.Lists.SetMemberAsync(list, "viewer", churns % 2 == 0 ? Role.Viewer : Role.Editor);
                    break;
                case 2 when churns / 8 % 2 == 0:
                    await owner!.Lists.RemoveMemberAsync(list, viewer);
                    break;
                case 2:
                    await owner!.Lists.DeleteAsync(list);
                    break;
                case 3 when churns / 8 % 2 == 1:
                    Volatile.Write(ref churned[at], await MakeAsync());
                    break;
            }
        }
    }

    /// <summary>Does each thing once more at which a view that is at fault goes wrong for good.</summary>
    private async Task EndAsync(LiveTasks live)
    {
        var lost = await owner!.Lists.CreateAsync("lost");
        var member = await owner.Lists.SetMemberAsync(lost.Id, "viewer", Role.Viewer);
        await CreateAsync(lost, "of the lost list");
        await live.WhenAsync(now => now.Tasks.Any(task => task.TaskListId == lost.Id)).WaitAsync(Net.TimeMax);
        await owner.Lists.RemoveMemberAsync(lost.Id, member.AccountId);
        var gained = await owner.Lists.CreateAsync("gained");
        await CreateAsync(gained, "of the gained list");
        await owner.Lists.SetMemberAsync(gained.Id, "viewer", Role.Viewer);
        await owner.Tasks.CompleteAsync((await CreateAsync(stable[0], "leaves")).Id);
        await CreateAsync(stable[0], "stays");
        await CreateAsync(stable[0], "the last");
    }

    private Task<TaskItem> CreateAsync(TaskList list, string title) => owner!.Tasks.CreateAsync(
        new TaskItem { TaskListId = list.Id, Title = title, Priority = Priority.High });

    private SquallClient Client(SessionTokens tokens, Uri address) => world.Client(options =>
    {
        options.Endpoint = address;
        options.TokenStore = new MemoryTokenStore(tokens);
        options.BackoffFirst = options.BackoffMax = options.ReconnectMax = TimeSpan.Zero;
    });
}
