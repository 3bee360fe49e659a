using Squall.V1;

namespace Squall.Client.Tests;

/// <summary>
/// A view under writers, a churn of its memberships, and cuts of its connection. The view's own steps drive it: after
/// so many it is cut, after so many it gains or loses a list; so that each finds it at work.
/// </summary>
internal sealed class LiveScene(World world, int seed, int cuts)
{
    private const string Filter = "state = OPEN AND priority >= MEDIUM";
    private const string Order = "priority desc, title";
    private const int Writers = 3;
    private const int ChurnsMin = 12;

    private readonly Random random = new(seed);
    private readonly List<LiveTasksChange> steps = [];
    private readonly CancellationTokenSource enough = new();
    private readonly SemaphoreSlim churn = new(0);
    private readonly List<TaskList> stable = [];
    private readonly List<TaskList> churned = [];
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
        await using var live = through.WatchTasks(Filter, new LiveTasksSettings { OrderBy = Order });
        live.Changed += step => Follow(step, through);
        await live.StartAsync().WaitAsync(Net.TimeMax);
        var working = Enumerable.Range(0, Writers).Select(number => Task.Run(
            () => WriteAsync(Client(ownersTokens, world.Address), new Random(seed + number)))).ToList();
        working.Add(Task.Run(ChurnAsync));
        await Task.WhenAll(working);
        await EndAsync(live);
        var view = await live.WhenAsync(now => now.IsLive && now.Tasks.Any(task => task.Title == "the last"))
            .WaitAsync(Net.TimeMax);
        var listed = await direct.Tasks.List(Filter, Order).AllAsync();
        await live.DisposeAsync();

        var ledger = new LiveLedger(
            (await direct.GetAccountAsync()).Id,
            task => task.State == TaskState.Open && task.Priority >= Priority.Medium);
        var faults = await ledger.FaultsOfAsync(world.Server, steps);
        (Lost, Dropped, Memberships) = (through.Lost, through.Dropped, ledger.Memberships);
        return view.Tasks.SequenceEqual(listed) ? faults : [.. faults, "the view does not end as ListTasks"];
    }

    private async Task SetAsync()
    {
        for (var number = 0; number < 4; number++)
        {
            var list = await owner!.Lists.CreateAsync($"list {number}");
            await owner.Tasks.CreateManyAsync(list.Id, Enumerable.Range(0, 10).Select(Task));
            if (number < 2)
            {
                await owner.Lists.SetMemberAsync(list.Id, "viewer", Role.Viewer);
            }

            (number < 2 ? stable : churned).Add(list);
        }

        TaskItem Task(int number) => new() { Title = $"{number}", Priority = (Priority)random.Next(5) };
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
        List<TaskList> lists = [.. stable, .. churned];
        while (!enough.IsCancellationRequested)
        {
            var what = tasks.Count < 5 ? 0 : own.Next(10);
            if (what < 3)
            {
                var made = await client.Tasks.CreateAsync(new TaskItem
                {
                    TaskListId = Any(lists).Id,
                    Title = $"{own.Next(100)}",
                    Priority = (Priority)own.Next(5),
                });
                tasks.Add(made.Id);
                continue;
            }

            var id = Any(tasks);
            try
            {
                await (what switch
                {
                    3 or 4 => client.Tasks.UpdateAsync(
                        new TaskItem { Id = id, Priority = (Priority)own.Next(5), Title = $"{own.Next(100)}" },
                        "priority", "title"),
                    5 => client.Tasks.CompleteAsync(id),
                    6 => client.Tasks.ReopenAsync(id),
                    7 or 8 => client.Tasks.UpdateAsync(
                        new TaskItem { Id = id, TaskListId = Any(lists).Id }, "task_list_id"),
                    _ => tasks.Remove(id) ? client.Tasks.DeleteAsync(id) : Task.CompletedTask,
                });
            }
            catch (SquallPreconditionException)
            {
                // It was done already, or is open.
            }
        }

        T Any<T>(List<T> all) => all[own.Next(all.Count)];
    }

    /// <summary>Gives and takes the two lists that the view does not keep.</summary>
    private async Task ChurnAsync()
    {
        var viewer = (await world.Server.Get<Server.Store>().ReadAsync(
            db => db.Accounts.Single(row => row.Username == "viewer").Id, CancellationToken.None));
        for (; !enough.IsCancellationRequested; Interlocked.Increment(ref churns))
        {
            Assert.True(await churn.WaitAsync(Net.TimeMax));
            var list = churned[churns / 3 % 2].Id;
            await (churns % 3 == 2
                ? owner!.Lists.RemoveMemberAsync(list, viewer)
                : owner!.Lists.SetMemberAsync(list, "viewer", churns % 3 == 0 ? Role.Viewer : Role.Editor));
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
