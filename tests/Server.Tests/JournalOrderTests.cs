using System.Reflection;
using Squall.V1;

namespace Squall.Server.Tests;

/// <summary>Who learns of a commit when: memory, then the tail, then whoever waits for the answer.</summary>
public sealed class JournalOrderTests : IClassFixture<ServerFixture>
{
    private readonly ServerFixture _server;

    public JournalOrderTests(ServerFixture server) => _server = server;

    [Fact]
    public void The_tail_learns_of_a_commit_after_memory_and_then_the_bell_rings()
    {
        object? handlers = typeof(Journal)
            .GetField(nameof(Journal.Committed), BindingFlags.NonPublic | BindingFlags.Instance)!
            .GetValue(_server.Get<Journal>());
        Assert.Equal(
            [
                typeof(Retention), typeof(Memberships), typeof(Sessions), typeof(TaskUpkeep), typeof(Subscriptions),
                typeof(Tail), typeof(CatchUp), typeof(Bell),
            ],
            ((MulticastDelegate)handlers!).GetInvocationList().Select(handler => handler.Target!.GetType()));
    }

    [Fact]
    public async Task Nobody_is_answered_before_memory_and_the_tail_know()
    {
        var arrivals = new Arrivals();
        await using ServerFixture server = await ServerFixture.StartAsync(replace: arrivals.Register);
        using Client ada = await Client.SignInAsync(server, "ada");
        using Client bob = await Client.SignInAsync(server, "bob");
        TaskList list = await ada.CreateListAsync();
        await arrivals.WaitAsync(1);
        Journal journal = server.Get<Journal>();
        using WriterHold hold = await WriterHold.StartAsync(journal);
        Task shares = ada.ShareAsync(list, bob, Role.Viewer);
        await arrivals.WaitAsync(1);
        var seen = new List<(bool IsMember, bool InTail, bool Answered, bool Durable)>();
        journal.Committed += rows => seen.Add((
            server.Get<Memberships>().IsMember(bob.Account.Id, list.Id),
            server.Get<Tail>().At(rows[^1].Seq) is not null,
            shares.IsCompleted,
            server.Get<Tail>().End == journal.End));
        hold.Release();
        await shares;
        Assert.Equal([(true, true, false, true)], seen);
    }
}
