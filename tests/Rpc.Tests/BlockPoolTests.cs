using System.Buffers;
using System.Collections.Concurrent;
using System.Runtime.CompilerServices;

namespace Squall.Rpc.Tests;

/// What requests and answers pass through is nobody's twice, and does not grow without end.
public class BlockPoolTests
{
    private static readonly BlockPool Pool = BlockPool.Instance;

    [Fact]
    public void A_thread_gets_what_it_gave_back_last()
    {
        using IMemoryOwner<byte> first = Pool.Rent();
        IMemoryOwner<byte> second = Pool.Rent(BlockPool.BlockBytes);
        Assert.NotSame(first, second);
        Assert.Equal(BlockPool.BlockBytes, second.Memory.Length);
        second.Dispose();
        using IMemoryOwner<byte> third = Pool.Rent(1);
        Assert.Same(second, third);
    }

    [Fact]
    public void A_larger_block_than_there_is_is_refused() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => Pool.Rent(BlockPool.BlockBytes + 1));

    [Fact]
    public async Task What_another_thread_gives_back_is_used_again()
    {
        const int Blocks = 1_000;
        List<IMemoryOwner<byte>> rented = await OnThreadAsync(() => Rent(Blocks));
        await OnThreadAsync(() => GiveBack(rented));
        List<IMemoryOwner<byte>> again = await OnThreadAsync(() => Rent(Blocks));
        Assert.Equal(Blocks, again.Distinct().Count());

        // All but those that the second thread kept, or that other tests, which share the pool, were quicker to take.
        Assert.InRange(again.Intersect(rented).Count(), Blocks / 2, Blocks);
        GiveBack(again);
    }

    [Fact]
    public async Task A_block_is_nobodys_twice_whoever_gives_it_back()
    {
        const int Threads = 8;
        const int RoundsEach = 50_000;
        var passed = new ConcurrentQueue<(IMemoryOwner<byte> Block, int Mark)>();
        int foreign = 0;
        await Task.WhenAll(Enumerable.Range(0, Threads).Select(thread => OnThreadAsync(() =>
        {
            for (int round = 0; round < RoundsEach; round++)
            {
                IMemoryOwner<byte> block = Pool.Rent();
                int mark = thread * RoundsEach + round;
                MarkOf(block) = mark;
                passed.Enqueue((block, mark));
                if (round % 3 > 0 && passed.TryDequeue(out (IMemoryOwner<byte> Block, int Mark) other))
                {
                    Assert.Equal(other.Mark, MarkOf(other.Block));
                    Interlocked.Add(ref foreign, other.Mark / RoundsEach == thread ? 0 : 1);
                    other.Block.Dispose();
                }
            }

            return 0;
        })));
        foreach ((IMemoryOwner<byte> block, int mark) in passed)
        {
            Assert.Equal(mark, MarkOf(block));
            block.Dispose();
        }

        // At least a tenth changed hands.
        Assert.InRange(foreign, Threads * RoundsEach / 10, Threads * RoundsEach);
    }

    [Fact]
    public async Task What_is_kept_has_an_end()
    {
        const int Blocks = 20_000;
        List<WeakReference> seen = await OnThreadAsync(() =>
        {
            List<IMemoryOwner<byte>> rented = Rent(Blocks);
            List<WeakReference> weak = [.. rented.Select(block => new WeakReference(block))];
            GiveBack(rented);
            return weak;
        });
        GC.Collect();

        // Other tests take from what is shared meanwhile, and make room for more.
        Assert.InRange(seen.Count(block => block.IsAlive), 0, 2 * (BlockPool.SharedMax + BlockPool.OwnMax));
    }

    private static ref int MarkOf(IMemoryOwner<byte> block) =>
        ref Unsafe.As<byte, int>(ref block.Memory.Span[0]);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static List<IMemoryOwner<byte>> Rent(int count) =>
        [.. Enumerable.Range(0, count).Select(_ => Pool.Rent())];

    private static int GiveBack(List<IMemoryOwner<byte>> blocks)
    {
        blocks.ForEach(block => block.Dispose());
        return blocks.Count;
    }

    /// A thread of its own, so that what it keeps goes with it.
    private static Task<T> OnThreadAsync<T>(Func<T> work) => Task.Factory.StartNew(
        work, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
}
