using Grpc.Core;
using Squall.V1;

namespace Squall.Server.Tests;

/// <summary>How long a call may take: as long as its caller gives it, or 30 s; a stream as long as it likes.</summary>
public sealed class HostingDeadlineTests
{
    [Fact]
    public async Task A_call_without_a_deadline_gets_30_seconds_and_what_it_waited_for_is_not_done()
    {
        var time = new FakeTime();
        var arrivals = new Arrivals();
        await using ServerFixture server = await ServerFixture.StartAsync(
            options =>
            {
                // So that the deadline's timer is the one that is due in 30 s.
                options.Limits.RequestReadTimeMax = TimeSpan.FromSeconds(33);
                options.Limits.StalledWriteMax = TimeSpan.FromSeconds(33);
            },
            time, arrivals.Register);
        using Client ada = await Client.SignInAsync(server, "ada");
        using var stream = new Subscriber(ada);
        await stream.NextAsync();
        using WriterHold hold = await WriterHold.StartAsync(server.Get<Journal>());
        Task<TaskList> waits = ada.CreateListAsync();
        await arrivals.WaitAsync(1);
        await time.TimerSetAsync(TimeSpan.FromSeconds(30));
        time.Advance(TimeSpan.FromSeconds(30) - TimeSpan.FromMilliseconds(1));
        Assert.False(waits.IsCompleted);
        time.Advance(TimeSpan.FromMilliseconds(2));
        RpcException late = await Assert.ThrowsAsync<RpcException>(() => waits);
        Assert.Equal(StatusCode.DeadlineExceeded, late.StatusCode);
        hold.Release();
        await hold.Done;

        // The stream was told of nothing but heartbeats, and is told of what comes.
        TaskList list = await ada.CreateListAsync();
        Assert.Equal(list.Id, (await stream.NotificationAsync()).TaskListId);
        Assert.Equal(list, Assert.Single((await ada.Lists.ListTaskListsAsync(new(), ada.Headers)).TaskLists));
    }

    [Fact]
    public async Task A_callers_own_deadline_is_kept_to()
    {
        var time = new FakeTime();
        var arrivals = new Arrivals();
        await using ServerFixture server = await ServerFixture.StartAsync(time: time, replace: arrivals.Register);
        using Client ada = await Client.SignInAsync(server, "ada");
        using WriterHold hold = await WriterHold.StartAsync(server.Get<Journal>());
        Task waits = ada.Lists.CreateTaskListAsync(
            new() { TaskList = new() { Title = "late" } }, ada.Headers,
            TimeProvider.System.GetUtcNow().UtcDateTime + TimeSpan.FromMinutes(10)).ResponseAsync;
        await arrivals.WaitAsync(1);
        time.Advance(TimeSpan.FromMinutes(9));
        Assert.False(waits.IsCompleted);
        time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(StatusCode.DeadlineExceeded, (await Assert.ThrowsAsync<RpcException>(() => waits)).StatusCode);
    }

    [Fact]
    public async Task What_fails_within_the_server_is_told_without_a_word_of_its_inside()
    {
        await using ServerFixture server = await ServerFixture.StartAsync(options => options.LogLevel =
            Microsoft.Extensions.Logging.LogLevel.None);
        using Client ada = await Client.SignInAsync(server, "ada");
        await server.Get<Journal>().RunAsync(
            scope => Microsoft.EntityFrameworkCore.RelationalDatabaseFacadeExtensions.ExecuteSqlRaw(
                scope.Db.Database, "DROP TABLE task_lists"),
            null, 0, CancellationToken.None);
        RpcException read = await Assert.ThrowsAsync<RpcException>(async () =>
            await ada.Lists.ListTaskListsAsync(new(), ada.Headers));
        RpcException write = await Assert.ThrowsAsync<RpcException>(() => ada.CreateListAsync());
        Assert.Equal((StatusCode.Unknown, StatusCode.Unavailable), (read.StatusCode, write.StatusCode));
        Assert.All((string[])[read.Status.Detail, write.Status.Detail], told =>
        {
            Assert.DoesNotContain("task_lists", told, StringComparison.Ordinal);
            Assert.DoesNotContain("SQL", told, StringComparison.OrdinalIgnoreCase);
            Assert.DoesNotContain("   at ", told, StringComparison.Ordinal);
        });
    }
}
