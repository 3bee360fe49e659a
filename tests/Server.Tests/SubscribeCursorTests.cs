using Grpc.Core;
using Squall.V1;
using Case = Squall.V1.SubscribeResponse.MessageOneofCase;

namespace Squall.Server.Tests;

/// <summary>From which places the journal continues, and that there is never a silent gap.</summary>
public sealed class SubscribeCursorTests
{
    [Fact]
    public async Task A_cursor_of_another_journal_has_expired()
    {
        await using SubscribeWorld world = await SubscribeWorld.StartAsync();
        await using SubscribeWorld other = await SubscribeWorld.StartAsync();
        string ada = await world.AccountAsync();
        await world.CreateListAsync(ada);
        await other.CreateListAsync(await other.AccountAsync());
        await AssertExpiredAsync(world, ada, other.Tail.End.ToString());
        await AssertExpiredAsync(world, ada, (world.Tail.End with { Epoch = world.Journal.Epoch + 1 }).ToString());
    }

    [Fact]
    public async Task A_cursor_past_the_end_has_expired_and_the_end_itself_has_not()
    {
        await using SubscribeWorld world = await SubscribeWorld.StartAsync();
        string ada = await world.AccountAsync();
        await world.CreateListAsync(ada);
        Cursor end = world.Tail.End;
        await AssertContinuesAsync(world, ada, end.ToString(), 0);
        await AssertExpiredAsync(world, ada, (end with { Seq = end.Seq + 1 }).ToString());
        await AssertExpiredAsync(world, ada, (end with { Seq = long.MaxValue }).ToString());
        await AssertExpiredAsync(world, ada, (end with { Mark = end.Mark ^ 1 }).ToString());
    }

    [Fact]
    public async Task A_cursor_from_before_the_first_change_is_told_all()
    {
        await using SubscribeWorld world = await SubscribeWorld.StartAsync();
        string start = world.Tail.End.ToString();
        string ada = await world.AccountAsync();
        await world.CreateListAsync(ada);
        await AssertContinuesAsync(world, ada, start, 1);
        await world.RestartAsync();
        await AssertContinuesAsync(world, ada, start, 1);
    }

    [Fact]
    public async Task A_restored_backup_expires_the_cursors_of_what_was_lost_and_no_others()
    {
        await using SubscribeWorld world = await SubscribeWorld.StartAsync();
        string ada = await world.AccountAsync();
        string list = await world.CreateListAsync(ada);
        string kept = world.Tail.End.ToString();
        string backup = Path.GetTempFileName();
        await world.RestartAsync(file => File.Copy(file, backup, overwrite: true));
        await world.CreateTaskAsync(list, "lost");
        string lost = world.Tail.End.ToString();
        await world.RestartAsync(file => File.Copy(backup, file, overwrite: true));
        File.Delete(backup);

        // Past the end at first, and then at a place where something else stands; from memory, and from the file.
        await AssertExpiredAsync(world, ada, lost);
        await world.CreateTaskAsync(list, "instead");
        await AssertExpiredAsync(world, ada, lost);
        await world.CreateTaskAsync(list, "and more");
        await AssertExpiredAsync(world, ada, lost);
        await world.RestartAsync();
        await AssertExpiredAsync(world, ada, lost);
        await AssertContinuesAsync(world, ada, kept, 2);
    }

    [Fact]
    public async Task A_cursor_older_than_what_is_kept_has_expired_and_the_oldest_that_is_kept_has_not()
    {
        await using SubscribeWorld world = await SubscribeWorld.StartAsync();
        string ada = await world.AccountAsync();
        string list = await world.CreateListAsync(ada);
        var cursors = new List<string>();
        for (int task = 0; task < 5; task++)
        {
            await world.CreateTaskAsync(list, $"task {task}");
            cursors.Add(world.Tail.End.ToString());
        }

        await world.TrimAsync(keep: 3);
        await world.RestartAsync();
        await AssertExpiredAsync(world, ada, cursors[0]);
        await AssertContinuesAsync(world, ada, cursors[1], 3);
        await AssertContinuesAsync(world, ada, cursors[4], 0);

        // To start with the oldest that is kept is no gap: it was not asked for what came before.
        ListNotificationsResponse page = await world.ListAsync(ada, new ListNotificationsRequest());
        Assert.Equal(
            ["task 2", "task 3", "task 4"],
            page.Messages.Select(message => message.Notification.TaskCreated.Task.Title));
    }

    [Fact]
    public async Task A_reader_that_what_is_kept_overtakes_is_told_so_in_midstream()
    {
        await using SubscribeWorld world = await SubscribeWorld.StartAsync(limits => limits.TailBytesMax = 1);
        string ada = await world.AccountAsync();
        string list = await world.CreateListAsync(ada);
        await using SubscribeCall call = world.Subscribe(ada);
        await call.NextAsync();
        call.StopReading();
        TaskItem first = await world.CreateTaskAsync(list, "first");
        await call.WriteWaits.WaitAsync(TimeSpan.FromSeconds(30));
        for (int task = 0; task < 5; task++)
        {
            await world.CreateTaskAsync(list, $"task {task}");
        }

        await world.TrimAsync(keep: 1);
        call.ReadOn();
        SubscribeResponse told = await call.NextAsync();
        RpcException expired = await call.FailureAsync();

        Assert.Equal(first.Id, told.Notification.TaskCreated.Task.Id);
        Assert.Equal(new Refusal(StatusCode.OutOfRange, "CURSOR_EXPIRED"), Refusal.Of(expired));
        Assert.Contains("snapshot", expired.Status.Detail, StringComparison.Ordinal);
        Assert.False(call.TryNext(out _));
        await AssertExpiredAsync(world, ada, told.Notification.Cursor);
    }

    [Fact]
    public async Task A_cursor_that_a_restored_backup_lost_is_refused_also_where_the_floor_comes_to_stand()
    {
        await using SubscribeWorld world = await SubscribeWorld.StartAsync();
        string ada = await world.AccountAsync();
        string list = await world.CreateListAsync(ada);
        string backup = Path.GetTempFileName();
        await world.RestartAsync(file => File.Copy(file, backup, overwrite: true));
        await world.CreateTaskAsync(list, "lost");
        Cursor lost = world.Tail.End;
        await world.RestartAsync(file => File.Copy(backup, file, overwrite: true));
        File.Delete(backup);
        await world.CreateTaskAsync(list, "instead");
        Cursor instead = world.Tail.End;
        await world.CreateTaskAsync(list, "and more");
        await world.TrimAsync(keep: 1);
        await world.RestartAsync();
        Assert.Equal(lost.Seq, await world.Store.ReadAsync(
            db => db.Journals.Single().FloorSeq, CancellationToken.None));
        await AssertExpiredAsync(world, ada, lost.ToString());
        await AssertContinuesAsync(world, ada, instead.ToString(), 1);
    }

    /// <summary>
    /// It reads the journal a page at a time, at its reader's pace: what was read is told, without a gap, and the end
    /// comes where the next page would begin.
    /// </summary>
    [Fact]
    public async Task A_reader_of_pages_that_trimming_overtakes_is_told_all_up_to_there_and_then_the_gap()
    {
        const int Missed = 1_200;
        await using SubscribeWorld world = await SubscribeWorld.StartAsync(limits => limits.TailBytesMax = 1);
        string ada = await world.AccountAsync();
        string list = await world.CreateListAsync(ada);
        string start = world.Tail.End.ToString();
        await Task.WhenAll(Enumerable.Range(0, Missed).Select(task => world.CreateTaskAsync(list, $"{task}")));

        await using SubscribeCall call = world.Subscribe(ada, new SubscribeRequest { After = start }, inStep: true);
        var told = new List<SubscribeResponse> { await call.NextAsync() };
        await world.TrimAsync(keep: 10);
        await Assert.ThrowsAsync<System.Threading.Channels.ChannelClosedException>(async () =>
        {
            while (true)
            {
                told.Add(await call.NextAsync());
            }
        });

        Assert.Equal(
            new Refusal(StatusCode.OutOfRange, "CURSOR_EXPIRED"), Refusal.Of(await call.FailureAsync()));
        Assert.InRange(told.Count, 100, 500);
        Assert.Equal(
            Enumerable.Range(0, told.Count).Select(task => $"{task}"),
            told.Select(message => message.Notification.TaskCreated.Task.Title));
        await AssertExpiredAsync(world, ada, told[^1].Notification.Cursor);
    }

    [Fact]
    public async Task A_snapshot_is_as_of_its_place_also_where_all_that_led_there_was_trimmed()
    {
        await using SubscribeWorld world = await SubscribeWorld.StartAsync();
        string ada = await world.AccountAsync();
        string list = await world.CreateListAsync(ada);
        TaskItem[] tasks = await Task.WhenAll(
            Enumerable.Range(0, 250).Select(task => world.CreateTaskAsync(list, $"task {task}")));
        await using SubscribeCall call =
            world.Subscribe(ada, new SubscribeRequest { Snapshot = true }, inStep: true);
        var told = new List<SubscribeResponse> { await call.NextAsync() };
        TaskItem changed = await world.RetitleAsync(tasks[^1].Id, "changed");
        await world.TrimAsync(keep: 0);
        Assert.False(await world.Store.ReadAsync(db => db.Changes.Any(), CancellationToken.None));
        told.AddRange(await call.ThroughAsync(Case.Synced));

        Assert.Equal(world.Tail.End.ToString(), told[^1].Synced.Cursor);
        Assert.Contains(told, message => message.Task?.Equals(changed) is true);
    }

    [Fact]
    public async Task A_stream_that_starts_now_is_synced_first_whatever_happens_while_it_begins()
    {
        await using SubscribeWorld world = await SubscribeWorld.StartAsync();
        string ada = await world.AccountAsync();
        string list = await world.CreateListAsync(ada);
        await using SubscribeCall call = world.Subscribe(
            ada, new SubscribeRequest(), () => world.CreateTaskAsync(list, "meanwhile"));
        Assert.Equal(Case.Synced, (await call.NextAsync()).MessageCase);
        Assert.Equal("meanwhile", (await call.NextAsync()).Notification.TaskCreated.Task.Title);
    }

    private static async Task AssertExpiredAsync(SubscribeWorld world, string account, string cursor)
    {
        await using SubscribeCall call = world.Subscribe(account, cursor);
        RpcException streamed = await call.FailureAsync();
        RpcException listed = await Assert.ThrowsAsync<RpcException>(
            () => world.ListAsync(account, new ListNotificationsRequest { After = cursor }));
        Assert.Equal(new Refusal(StatusCode.OutOfRange, "CURSOR_EXPIRED"), Refusal.Of(streamed));
        Assert.Equal(new Refusal(StatusCode.OutOfRange, "CURSOR_EXPIRED"), Refusal.Of(listed));
        Assert.False(call.Context.HeadersSent.IsCompleted);
    }

    private static async Task AssertContinuesAsync(SubscribeWorld world, string account, string cursor, int changes)
    {
        await using SubscribeCall call = world.Subscribe(account, cursor);
        Assert.Equal(changes, (await call.ThroughAsync(Case.Synced)).Count - 1);
        ListNotificationsResponse page =
            await world.ListAsync(account, new ListNotificationsRequest { After = cursor });
        Assert.Equal(changes, page.Messages.Count);
    }
}
