using Squall.V1;

namespace Squall.Client.Tests;

/// <summary>
/// At every place at which a live view shows itself, under several writers, a churn of memberships and cuts at random
/// bytes, it shows what the journal says; in the end, what ListTasks does.
/// </summary>
public sealed class LiveLedgerTests : IAsyncLifetime
{
    private static readonly Dictionary<string, Func<SubscriptionEvent, bool>> Misses = new()
    {
        ["what leaves"] = told => told is SubscriptionEvent.Left,
        ["one notification"] =
            told => told is SubscriptionEvent.Changed { Notification.TaskCreated.Task.Title: "stays" },
        ["a list that it gains"] =
            told => told is SubscriptionEvent.Changed { Notification.MemberSet.TaskList.Title: "gained" },
        ["a list that it loses"] =
            told => told is SubscriptionEvent.Changed { Notification.MemberRemoved: not null },
    };

    private readonly World world = new();

    public static TheoryData<string> Missed => [.. Misses.Keys];

    public Task InitializeAsync() => world.InitializeAsync();

    public Task DisposeAsync() => world.DisposeAsync();

    [Theory]
    [InlineData(1, true)]
    [InlineData(2, true)]
    [InlineData(3, false)]
    [InlineData(4, false)]
    public async Task It_shows_at_every_place_what_the_journal_says(int seed, bool isFiltered)
    {
        var scene = new LiveScene(world, seed, cuts: 12, isFiltered);
        Assert.Empty(await scene.FaultsAsync());
        Assert.True(scene.Lost >= 12 && scene.Steps >= 100, $"lost {scene.Lost} times in {scene.Steps} steps");
        Assert.True(scene.Memberships is { Gains: >= 5, Losses: >= 4 }, $"{scene.Memberships}");
    }

    [Theory, MemberData(nameof(Missed))]
    public async Task A_view_that_misses_something_is_found_out(string missed)
    {
        var scene = new LiveScene(world, 1, cuts: 1, isFiltered: true);
        var faults = await scene.FaultsAsync(Misses[missed]);
        Assert.True(scene.Dropped > 0, $"There was no {missed} to miss.");
        Assert.Contains("the view does not end as ListTasks", faults);
        Assert.Contains(faults, one => one.StartsWith("step ", StringComparison.Ordinal));
    }
}
