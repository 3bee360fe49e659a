using Squall.V1;

namespace Squall.Server.Tests;

/// <summary>That SQLite's log stays below 16 MiB, whoever reads meanwhile.</summary>
public sealed class StorageLogTests
{
    private const long LogBytesMax = 16 << 20;
    private const int WrittenMin = 48 << 20;
    private static readonly TimeSpan Net = TimeSpan.FromSeconds(60);
    private static readonly string Note = new('n', 60_000);

    /// <summary>
    /// There is never a moment without a reader, which is what keeps SQLite by itself from beginning the log anew; and
    /// streams that are not read stand in a snapshot and in what one missed.
    /// </summary>
    [Fact]
    public async Task The_log_stays_short_while_readers_overlap_without_end_and_streams_are_not_read()
    {
        await using SubscribeWorld world = await SubscribeWorld.StartAsync(limits => limits.TailBytesMax = 1);
        string ada = await world.AccountAsync();
        string list = await world.CreateListAsync(ada);
        string start = world.Tail.End.ToString();
        await WriteAsync(world, list, 8 << 20);
        await using SubscribeCall snapshot =
            world.Subscribe(ada, new SubscribeRequest { Snapshot = true }, inStep: true);
        await using SubscribeCall resumed = world.Subscribe(ada, new SubscribeRequest { After = start }, inStep: true);
        await snapshot.NextAsync();
        await resumed.NextAsync();
        using var end = new CancellationTokenSource();
        var relay = new Relay(world.Store);
        Task<int> reads = relay.RunAsync(end.Token);
        await relay.Begun.WaitAsync(Net);

        long longest = await WriteAsync(world, list, WrittenMin);
        await end.CancelAsync();
        int read = await reads.WaitAsync(Net);
        Assert.InRange(longest, 1, LogBytesMax);
        Assert.True(read > 10, $"Only {read} readers took over from one another.");

        // The streams waited all the time.
        world.Time.Advance(world.Limits.StalledWriteMax);
        foreach (SubscribeCall stream in (SubscribeCall[])[snapshot, resumed])
        {
            Assert.Equal(
                new Refusal(Grpc.Core.StatusCode.Unavailable, "READER_STALLED"),
                Refusal.Of(await stream.FailureAsync()));
        }
    }

    /// <summary>The control: what the server's readers never do is seen to let the log grow.</summary>
    [Fact]
    public async Task A_reader_that_holds_its_snapshot_lets_the_log_grow_until_it_ends()
    {
        await using SubscribeWorld world = await SubscribeWorld.StartAsync();
        string list = await world.CreateListAsync(await world.AccountAsync());
        using var reader = new HeldRead(world.Store);
        await reader.Entered.WaitAsync(Net);
        Assert.True(await WriteAsync(world, list, (int)LogBytesMax) > LogBytesMax);
        reader.Leave();
        await reader.Done.WaitAsync(Net);
        await world.CreateTaskAsync(list, "finds nobody who reads");
        await world.CreateTaskAsync(list, "begins anew");
        await world.CreateTaskAsync(list, "finds it cut");
        Assert.InRange(new FileInfo(world.File + "-wal").Length, 0, WriteAheadLog.BytesMax);
    }

    /// <summary>Writes so much; gives the greatest length that the log had after a commit.</summary>
    private static async Task<long> WriteAsync(SubscribeWorld world, string list, int bytes)
    {
        const int Together = 8;
        long longest = 0;
        void Measure(IReadOnlyList<ChangeRow> rows) =>
            longest = Math.Max(longest, new FileInfo(world.File + "-wal").Length);
        world.Journal.Committed += Measure;

        // A task is written with its notification, of the same size.
        for (int written = 0; written < bytes; written += Together * 2 * Note.Length)
        {
            await Task.WhenAll(Enumerable.Range(0, Together).Select(
                _ => world.CreateTaskAsync(list, "large", Note))).WaitAsync(Net);
        }

        world.Journal.Committed -= Measure;
        return longest;
    }

    /// <summary>Readers each of which ends only once the next one reads.</summary>
    private sealed class Relay(Store store)
    {
        private readonly TaskCompletionSource _begun = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Begun => _begun.Task;

        public async Task<int> RunAsync(CancellationToken end)
        {
            int reads = 0;
            var reader = new HeldRead(store);
            while (!end.IsCancellationRequested)
            {
                var next = new HeldRead(store);
                await next.Entered.WaitAsync(Net, CancellationToken.None);
                _begun.TrySetResult();
                reader.Dispose();
                await reader.Done.WaitAsync(Net, CancellationToken.None);
                reader = next;
                reads++;
            }

            reader.Dispose();
            await reader.Done;
            return reads;
        }
    }

    /// <summary>A snapshot that is held until it is told to leave.</summary>
    private sealed class HeldRead : IDisposable
    {
        private readonly TaskCompletionSource _entered = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly ManualResetEventSlim _leave = new();

        // On a thread of its own: what it blocks, the journal's answers would wait for.
        public HeldRead(Store store) => Done = Task.Factory.StartNew(
            () => store.ReadAsync(Hold, CancellationToken.None),
            CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default).Unwrap();

        public Task Entered => _entered.Task;

        public Task Done { get; }

        public void Leave() => _leave.Set();

        public void Dispose() => Leave();

        private bool Hold(SquallDb db)
        {
            _ = db.Journals.Count();
            _entered.SetResult();
            return _leave.Wait(Net);
        }
    }
}
