using Grpc.Core;

namespace Squall.Rpc.Tests;

public sealed class ServerWriteTurnTests
{
    private const int Many = 1_000;
    private static readonly TimeSpan Net = TimeSpan.FromSeconds(30);
    private WriteTurn turn;

    [Fact]
    public async Task Writers_come_in_the_order_in_which_they_asked()
    {
        Assert.True(turn.TryTake());
        Assert.False(turn.TryTake());
        Task[] waiting = [.. Enumerable.Range(0, 3).Select(_ => turn.TakeAsync(Many, default))];
        foreach (Task next in waiting)
        {
            Assert.False(next.IsCompleted);
            turn.Release();
            await next.WaitAsync(Net);
            Assert.False(turn.TryTake());
        }

        turn.Release();
        Assert.True(turn.TryTake());
    }

    [Fact]
    public async Task Who_gives_up_is_passed_over()
    {
        using var cancel = new CancellationTokenSource();
        Assert.True(turn.TryTake());
        Task gone = turn.TakeAsync(Many, cancel.Token);
        Task next = turn.TakeAsync(Many, default);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => gone.WaitAsync(Net));
        turn.Release();
        await next.WaitAsync(Net);
        turn.Release();
        Assert.True(turn.TryTake());
    }

    [Fact]
    public async Task The_last_who_waits_may_give_up_as_well()
    {
        using var cancel = new CancellationTokenSource();
        Assert.True(turn.TryTake());
        Task gone = turn.TakeAsync(Many, cancel.Token);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => gone.WaitAsync(Net));
        turn.Release();
        Assert.True(turn.TryTake());
    }

    [Fact]
    public async Task One_too_many_is_refused_and_the_others_come()
    {
        Assert.True(turn.TryTake());
        Task[] waiting = [turn.TakeAsync(2, default), turn.TakeAsync(2, default)];
        RpcException thrown = await Assert.ThrowsAsync<RpcException>(() => turn.TakeAsync(2, default));
        Assert.Equal(StatusCode.ResourceExhausted, thrown.StatusCode);
        turn.Release();
        await waiting[0].WaitAsync(Net);
        turn.Release();
        await waiting[1].WaitAsync(Net);
    }

    [Fact]
    public async Task Who_gave_up_counts_no_longer()
    {
        using var cancel = new CancellationTokenSource();
        Assert.True(turn.TryTake());
        Task gone = turn.TakeAsync(2, cancel.Token);
        Task first = turn.TakeAsync(2, default);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => gone.WaitAsync(Net));
        Task second = turn.TakeAsync(2, default);
        await Assert.ThrowsAsync<RpcException>(() => turn.TakeAsync(2, default));
        foreach (Task next in (Task[])[first, second])
        {
            Assert.False(next.IsCompleted);
            turn.Release();
            await next.WaitAsync(Net);
        }
    }

    [Fact]
    public void Two_never_have_it_at_once()
    {
        int count = 0;
        int handed = 0;
        int waiting = 0;
        int writing = 2;
        Thread[] threads = [new(Write), new(Write)];
        Array.ForEach(threads, thread => thread.Start());
        Assert.All(threads, thread => Assert.True(thread.Join(Net)));
        Assert.Equal(2 * Many, count);
        Assert.InRange(handed, Many / 5, Many * 9 / 5);

        // Every other time it is let go while the other waits, and then once while the other stays away.
        void Write()
        {
            for (int at = 0; at < Many; at++)
            {
                Take();
                int before = count;
                bool even = before % 2 == 0;
                SpinUntil(() => !even || Volatile.Read(ref waiting) > 0 || Volatile.Read(ref writing) == 1);
                count = before + 1;
                handed += Volatile.Read(ref waiting);
                turn.Release();
                SpinUntil(() => !even || Volatile.Read(ref count) > before + 1 || Volatile.Read(ref writing) == 1);
            }

            Interlocked.Decrement(ref writing);
        }

        void Take()
        {
            if (!turn.TryTake())
            {
                Task taking = turn.TakeAsync(Many, default);
                Interlocked.Increment(ref waiting);
                taking.Wait();
                Interlocked.Decrement(ref waiting);
            }
        }
    }

    private static void SpinUntil(Func<bool> held)
    {
        var spin = new SpinWait();
        while (!held())
        {
            spin.SpinOnce(sleep1Threshold: -1);
        }
    }
}
