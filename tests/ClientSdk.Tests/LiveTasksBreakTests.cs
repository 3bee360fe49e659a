using Squall.Server;
using Squall.Server.Tests;
using Squall.V1;

namespace Squall.Client.Tests;

/// <summary>A live view when things break: it goes on by itself, and shows nothing that is half.</summary>
public sealed class LiveTasksBreakTests : IAsyncLifetime
{
    private readonly World world = new();

    public Task InitializeAsync() => world.InitializeAsync();

    public Task DisposeAsync() => world.DisposeAsync();

    [Fact]
    public async Task After_a_restart_of_the_server_it_goes_on_where_it_was()
    {
        var (client, list) = await WithListAsync();
        await client.Tasks.CreateAsync(list.Id, "before");
        await using var live = client.WatchTasks();
        var told = new List<LiveTasksChange>();
        live.Changed += told.Add;
        await live.StartAsync();
        world.Proxy.Refuse();
        await live.WhenAsync(now => !now.IsLive);
        Assert.Single(live.View.Tasks);
        await world.RestartAsync();
        world.Proxy.Admit();
        await client.Tasks.CreateAsync(list.Id, "after");
        await live.WhenAsync(now => now is { IsLive: true, Tasks.Count: 2 });
        Assert.Equal([1, 1], told.Where(step => step.Changes.Count > 0).Select(step => step.Changes.Count));
    }

    [Fact]
    public async Task It_can_be_begun_before_the_server_is_there()
    {
        var (client, list) = await WithListAsync();
        await client.Tasks.CreateAsync(list.Id, "there");
        world.Proxy.Refuse();
        await using var live = client.WatchTasks();
        using var impatient = new CancellationTokenSource();
        var waiting = live.StartAsync(impatient.Token);
        // To be impatient ends the wait, and not the view.
        await impatient.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        world.Proxy.Admit();
        Assert.Single((await live.StartAsync().WaitAsync(Net.TimeMax)).Tasks);
    }

    [Fact]
    public async Task What_the_server_no_longer_knows_is_read_anew_and_told_as_differences()
    {
        var (client, list) = await WithListAsync();
        var stays = await client.Tasks.CreateAsync(list.Id, "stays");
        var changes = await client.Tasks.CreateAsync(list.Id, "changes");
        var leaves = await client.Tasks.CreateAsync(list.Id, "leaves");
        await using var live = client.WatchTasks("state = OPEN");
        var told = new List<LiveTasksChange>();
        live.Changed += told.Add;
        await live.StartAsync();
        world.Proxy.Refuse();
        await live.WhenAsync(now => !now.IsLive);
        await world.RestoreAsync();
        world.Proxy.Admit();
        var changed = await client.Tasks.UpdateAsync(new TaskItem { Id = changes.Id, Title = "changed" }, "title");
        await client.Tasks.CompleteAsync(leaves.Id);
        var comes = await client.Tasks.CreateAsync(list.Id, "comes");
        var view = await live.WhenAsync(now => now is { IsLive: true } && now.Find(comes.Id) is not null);
        Assert.Equal([stays, changed, comes], view.Tasks);

        // Whether each of the three came with the snapshot or after it is a matter of speed.
        Assert.Equal(
            [(changes, changed), (leaves, null), (null, comes)],
            told.Skip(1).SelectMany(step => step.Changes).Select(change => (change.Before, change.After))
                .OrderBy(change => (change.Before ?? change.After)!.Rank, StringComparer.Ordinal));
        Assert.All(told, step => Assert.NotNull(step.View.Find(stays.Id)));
    }

    [Fact]
    public async Task A_snapshot_that_is_cut_shows_nothing_until_it_is_complete()
    {
        var (client, list) = await WithListAsync();
        var note = new string('n', 60_000);
        for (var batch = 0; batch < 2; batch++)
        {
            await client.Tasks.CreateManyAsync(
                list.Id, Enumerable.Range(0, 40).Select(number => new TaskItem { Title = $"{number}", Note = note }));
        }

        world.Proxy.Cut();
        world.Proxy.CutNextAfter(80 * 60_000 / 2);
        await using var live = client.WatchTasks();
        var told = new List<LiveTasksChange>();
        live.Changed += told.Add;
        await live.StartAsync().WaitAsync(Net.TimeMax);
        Assert.Equal(1, world.Proxy.Cuts);
        Assert.Equal((80, 80), (Assert.Single(told).View.Tasks.Count, told[0].Changes.Count));
    }

    [Fact]
    public async Task A_list_that_is_gained_while_it_is_away_is_read_when_it_is_back()
    {
        var (viewer, _) = await WithListAsync("viewer");
        var (owner, list) = await WithListAsync("owner", world.Address);
        await owner.Tasks.CreateAsync(list.Id, "there");
        await using var live = viewer.WatchTasks();
        await live.StartAsync();
        world.Proxy.Refuse();
        await live.WhenAsync(now => !now.IsLive);
        await owner.Lists.SetMemberAsync(list.Id, "viewer", Role.Viewer);
        await owner.Tasks.CreateAsync(list.Id, "told");
        world.Proxy.Admit();
        Assert.Equal(2, (await live.WhenAsync(now => now.Tasks.Count > 0)).Tasks.Count);

        // Lost and gained again, with what changed meanwhile.
        world.Proxy.Refuse();
        await live.WhenAsync(now => !now.IsLive);
        await owner.Lists.RemoveMemberAsync(list.Id, (await WithIdAsync("viewer")));
        await owner.Tasks.DeleteAsync(live.View.Tasks[0].Id);
        await owner.Lists.SetMemberAsync(list.Id, "viewer", Role.Viewer);
        world.Proxy.Admit();
        await live.WhenAsync(now => now.IsLive && now.Tasks.Count == 1);
    }

    [Fact]
    public async Task A_list_that_is_gained_is_read_though_its_own_streams_are_all_it_may_have()
    {
        await using var small = await World.StartAsync(options => options.Limits.AccountSubscriptionsMax = 1);
        var tokens = await small.SignInAsync("viewer");
        var viewer = small.Client(options => options.TokenStore = new MemoryTokenStore(tokens));
        var owner = await small.SignedInAsync();
        var list = await owner.Lists.CreateAsync("a list");
        await owner.Tasks.CreateAsync(list.Id, "a task");
        await using var live = viewer.WatchTasks();
        await live.StartAsync();
        // Whoever begins with none left is told so.
        await using var second = viewer.WatchTasks();
        await Assert.ThrowsAsync<SquallRateLimitedException>(() => second.StartAsync());
        await owner.Lists.SetMemberAsync(list.Id, "viewer", Role.Viewer);
        await live.WhenAsync(now => now is { IsLive: true, Tasks.Count: 1 }).WaitAsync(Net.TimeMax);
    }

    [Fact]
    public async Task It_outlives_its_access_token()
    {
        var time = new FakeTime();
        await using var slow = await World.StartAsync(time: time);
        var store = new MemoryTokenStore(await slow.SignInAsync("viewer"));
        var other = new MemoryTokenStore(await slow.SignInAsync("other"));
        // Its clock stands still: the server refuses what it takes to be valid.
        var client = Client(store, slow.Proxy.Address, new FakeTime());
        var writer = Client(other, slow.Address, time);
        var list = await client.Lists.CreateAsync("a list");
        await using var live = client.WatchTasks();
        await live.StartAsync();
        await client.Lists.SetMemberAsync(list.Id, "other", Role.Editor);
        time.Advance(TimeSpan.FromMinutes(16));
        await writer.Tasks.CreateAsync(list.Id, "live");
        await live.WhenAsync(now => now.Tasks.Count == 1);
        Assert.Equal(0, store.Saves);
        slow.Proxy.Cut();
        await writer.Tasks.CreateAsync(list.Id, "after the cut");
        await live.WhenAsync(now => now.Tasks.Count == 2);
        Assert.Equal(1, store.Saves);

        SquallClient Client(MemoryTokenStore tokens, Uri address, TimeProvider clock) => slow.Client(options =>
        {
            options.Endpoint = address;
            options.TokenStore = tokens;
            options.TimeProvider = clock;
            options.BackoffFirst = options.BackoffMax = options.ReconnectMax = TimeSpan.Zero;
        });
    }

    private Task<string> WithIdAsync(string username) => world.Server.Get<Store>().ReadAsync(
        db => db.Accounts.Single(row => row.Username == username).Id, CancellationToken.None);

    private async Task<(SquallClient Client, TaskList List)> WithListAsync(
        string? username = null, Uri? address = null)
    {
        var tokens = await world.SignInAsync(username);
        var client = world.Client(options =>
        {
            options.Endpoint = address ?? world.Proxy.Address;
            options.TokenStore = new MemoryTokenStore(tokens);
        });
        return (client, await client.Lists.CreateAsync("a list"));
    }
}
