using Grpc.Core;

namespace Squall.Server.Tests;

/// <summary>What may wait for the writer, in which order, and who stops waiting.</summary>
public sealed class JournalQueueTests
{
    private static readonly TimeSpan Net = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task A_change_whose_caller_left_while_it_waited_is_not_run()
    {
        await using Ground ground = await Ground.StartAsync();
        using var caller = new CancellationTokenSource();
        using WriterHold hold = await WriterHold.StartAsync(ground.Journal);
        bool ran = false;
        Task<bool> waits = ground.Journal.RunAsync(_ => ran = true, "ada", 0, caller.Token);
        Task<bool> behind = ground.Journal.RunAsync(_ => true, "ada", 0, CancellationToken.None);
        await caller.CancelAsync();

        // Its caller need not wait for the writer.
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waits.WaitAsync(Net));
        hold.Release();
        Assert.True(await behind.WaitAsync(Net));
        Assert.False(ran);
    }

    [Fact]
    public async Task A_change_that_was_taken_runs_to_its_end_and_is_answered_though_its_caller_left()
    {
        await using Ground ground = await Ground.StartAsync();
        using var caller = new CancellationTokenSource();
        Task<string> taken = ground.Journal.RunAsync(
            scope =>
            {
                caller.Cancel();
                var account = new AccountRow { Id = Ids.New(scope.NowMicros), Username = "stays" };
                scope.Db.Accounts.Add(account);
                return account.Id;
            },
            "ada", 0, caller.Token);
        string id = await taken.WaitAsync(Net);
        Assert.Equal(id, await ground.ReadAsync(db => db.Accounts.Single().Id));
    }

    [Fact]
    public async Task A_caller_that_has_left_before_it_came_is_not_served()
    {
        await using Ground ground = await Ground.StartAsync();
        bool ran = false;
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => ground.Journal
            .RunAsync(_ => ran = true, "ada", 0, new CancellationToken(canceled: true)).WaitAsync(Net));
        await ground.RunAsync(_ => true);
        Assert.False(ran);
    }

    [Fact]
    public async Task No_account_has_more_changes_waiting_than_it_may_and_another_is_not_in_its_way()
    {
        await using Ground ground = await Ground.StartAsync(new Limits { QueuedChangesPerAccountMax = 2 });
        using WriterHold hold = await WriterHold.StartAsync(ground.Journal);
        Task<bool>[] waiting = [WaitAsync(ground, "ada"), WaitAsync(ground, "ada"), WaitAsync(ground, "bob")];
        await AssertFullAsync(() => WaitAsync(ground, "ada"));
        hold.Release();
        await Task.WhenAll(waiting).WaitAsync(Net);
        Assert.True(await WaitAsync(ground, "ada").WaitAsync(Net));
    }

    [Fact]
    public async Task No_more_changes_wait_than_may_whoevers_they_are()
    {
        await using Ground ground = await Ground.StartAsync(new Limits { QueuedChangesMax = 3 });
        using WriterHold hold = await WriterHold.StartAsync(ground.Journal);
        Task<bool>[] waiting = [WaitAsync(ground, "ada"), WaitAsync(ground, "bob"), WaitAsync(ground, "eve")];
        await AssertFullAsync(() => WaitAsync(ground, "dan"));
        hold.Release();
        await Task.WhenAll(waiting).WaitAsync(Net);
    }

    [Fact]
    public async Task No_more_bytes_wait_than_may()
    {
        await using Ground ground = await Ground.StartAsync(new Limits { QueuedBytesMax = 1_000 });
        using WriterHold hold = await WriterHold.StartAsync(ground.Journal);
        Task<bool>[] waiting = [WaitAsync(ground, "ada", 600), WaitAsync(ground, "bob", 400)];
        await AssertFullAsync(() => WaitAsync(ground, "dan", 1));
        hold.Release();
        await Task.WhenAll(waiting).WaitAsync(Net);
        Assert.True(await WaitAsync(ground, "dan", 1_000).WaitAsync(Net));
    }

    [Fact]
    public async Task The_servers_own_changes_are_not_counted_and_go_first()
    {
        var limits = new Limits { QueuedChangesMax = 1, QueuedBytesMax = 10, QueuedChangesPerAccountMax = 1 };
        await using Ground ground = await Ground.StartAsync(limits);
        using WriterHold hold = await WriterHold.StartAsync(ground.Journal);
        var order = new List<string>();
        Task[] waiting =
        [
            ground.Journal.RunAsync(_ => Note(order, "ada"), "ada", 10, CancellationToken.None),
            ground.Journal.RunAsync(_ => Note(order, "own 1"), null, 1_000, CancellationToken.None),
            ground.Journal.RunAsync(_ => Note(order, "own 2"), null, 1_000, CancellationToken.None),
        ];
        hold.Release();
        await Task.WhenAll(waiting).WaitAsync(Net);
        Assert.Equal(["own 1", "own 2", "ada"], order);
    }

    [Fact]
    public async Task What_was_accepted_is_committed_at_the_stop_and_nothing_is_accepted_after_it()
    {
        await using Ground ground = await Ground.StartAsync();
        using WriterHold hold = await WriterHold.StartAsync(ground.Journal);
        Task<string>[] accepted = [.. Enumerable.Range(0, 300).Select(at => ground.AddAccountAsync($"user{at}"))];
        Task stopped = ground.Journal.StopAsync();
        RpcException refused = await Refusal.AssertAsync(
            StatusCode.Unavailable, "STOPPING", () => ground.AddAccountAsync("late"));
        Assert.NotNull(Refusal.Detail<Google.Rpc.RetryInfo>(refused));
        Assert.False(stopped.IsCompleted);
        hold.Release();

        await stopped.WaitAsync(Net);
        string[] ids = await Task.WhenAll(accepted).WaitAsync(Net);
        Assert.Equal(ids.Order(), await ground.ReadAsync(db => db.Accounts.Select(row => row.Id).Order().ToArray()));
    }

    private static Task<bool> WaitAsync(Ground ground, string account, long bytes = 0) =>
        ground.Journal.RunAsync(_ => true, account, bytes, CancellationToken.None);

    private static async Task AssertFullAsync(Func<Task> call)
    {
        RpcException refused = await Refusal.AssertAsync(StatusCode.ResourceExhausted, "QUEUE_FULL", call);
        Assert.True(Refusal.Detail<Google.Rpc.RetryInfo>(refused)!.RetryDelay.ToTimeSpan() > TimeSpan.Zero);
    }

    private static bool Note(List<string> order, string who)
    {
        order.Add(who);
        return true;
    }
}
