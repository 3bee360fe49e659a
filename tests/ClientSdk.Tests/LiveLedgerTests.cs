using Squall.V1;

namespace Squall.Client.Tests;

/// <summary>
/// At every place at which a live view shows itself, under several writers, a churn of memberships and cuts at random
/// bytes, it shows what the journal says; in the end, what ListTasks does.
/// </summary>
public sealed class LiveLedgerTests : IAsyncLifetime
{
    private readonly World world = new();

    public static TheoryData<string, Func<SubscriptionEvent, bool>> Faults => new()
    {
        { "ignores what leaves", told => told is SubscriptionEvent.Left },
        {
            "misses one notification",
            told => told is SubscriptionEvent.Changed { Notification.TaskCreated.Task.Title: "stays" }
        },
        {
            "does not read a list that it gains",
            told => told is SubscriptionEvent.Changed { Notification.MemberSet.TaskList.Title: "gained" }
        },
        {
            "keeps a list that it loses",
            told => told is SubscriptionEvent.Changed { Notification.MemberRemoved: not null }
        },
    };

    public Task InitializeAsync() => world.InitializeAsync();

    public Task DisposeAsync() => world.DisposeAsync();

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task It_shows_at_every_place_what_the_journal_says(int seed)
    {
        var scene = new LiveScene(world, seed, cuts: 12);
        Assert.Empty(await scene.FaultsAsync());
        Assert.True(scene.Lost >= 12 && scene.Steps >= 100, $"lost {scene.Lost} times in {scene.Steps} steps");
        Assert.True(scene.Memberships is { Gains: >= 5, Losses: >= 4 }, $"{scene.Memberships}");
    }

    [Theory, MemberData(nameof(Faults))]
    public async Task A_view_that_is_at_fault_is_found_out(string fault, Func<SubscriptionEvent, bool> drops)
    {
        var scene = new LiveScene(world, 1, cuts: 1);
        var faults = await scene.FaultsAsync(drops);
        Assert.True(scene.Dropped > 0, $"It {fault}, and there was nothing to.");
        Assert.Contains("the view does not end as ListTasks", faults);
        Assert.Contains(faults, one => one.StartsWith("step ", StringComparison.Ordinal));
    }
}
