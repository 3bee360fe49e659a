using System.Buffers;
using System.Runtime.InteropServices;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Squall.Rpc;

/// The blocks of memory that requests and answers pass through. Kestrel's own pool is one queue for all threads, which
/// hands out the block that was given back longest ago, and that no cache has any more; here a thread takes the one
/// that it gave back last.
internal sealed class BlockPool : MemoryPool<byte>, IMemoryPoolFeature
{
    public const int BlockBytes = 4096;

    /// How many blocks a thread keeps for itself; half of them go to and from the others in one go.
    public const int OwnMax = 64;

    /// How many blocks wait for a thread that has none; what is more is left to the garbage collector.
    public const int SharedMax = 2048;

    [ThreadStatic]
    private static List<Block>? own;

    private readonly Lock gate = new();
    private readonly Stack<Block> shared = new();

    private BlockPool()
    {
    }

    /// There is one, since what a thread keeps is not of one pool or another.
    public static BlockPool Instance { get; } = new();

    public override int MaxBufferSize => BlockBytes;

    MemoryPool<byte> IMemoryPoolFeature.MemoryPool => this;

    /// Lets the endpoint's connections use it.
    public static void UseAt(ListenOptions listen) => listen.Use(next => connection =>
    {
        connection.Features.Set<IMemoryPoolFeature>(Instance);
        return next(connection);
    });

    public override IMemoryOwner<byte> Rent(int minBufferSize = -1)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(minBufferSize, BlockBytes);
        List<Block> kept = own ??= new List<Block>(OwnMax);
        if (kept.Count == 0)
        {
            Fetch(kept);
        }

        Block last = kept[^1];
        kept.RemoveAt(kept.Count - 1);
        return last;
    }

    /// It is there for as long as the process.
    protected override void Dispose(bool disposing)
    {
    }

    private void Return(Block block)
    {
        List<Block> kept = own ??= new List<Block>(OwnMax);
        if (kept.Count == OwnMax)
        {
            Share(kept);
        }

        kept.Add(block);
    }

    private void Fetch(List<Block> kept)
    {
        lock (gate)
        {
            while (kept.Count < OwnMax / 2 && shared.TryPop(out Block? block))
            {
                kept.Add(block);
            }
        }

        if (kept.Count == 0)
        {
            kept.Add(new Block(this));
        }
    }

    /// Parts with those that it has had for longest.
    private void Share(List<Block> kept)
    {
        lock (gate)
        {
            for (int at = 0; at < OwnMax / 2 && shared.Count < SharedMax; at++)
            {
                shared.Push(kept[at]);
            }
        }

        kept.RemoveRange(0, OwnMax / 2);
    }

    /// Its memory stays where it is, as the kernel reads and writes there.
    private sealed class Block(BlockPool pool) : IMemoryOwner<byte>
    {
        public Memory<byte> Memory { get; } = MemoryMarshal.CreateFromPinnedArray(
            GC.AllocateUninitializedArray<byte>(BlockBytes, pinned: true), 0, BlockBytes);

        public void Dispose() => pool.Return(this);
    }
}
