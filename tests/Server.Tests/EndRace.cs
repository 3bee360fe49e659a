using System.Collections.Concurrent;
using Grpc.Core;
using Squall.V1;

namespace Squall.Server.Tests;

/// <summary>What ends a session, a key, or a pair of tokens.</summary>
internal enum Ending
{
    /// <summary>A refresh token is used again: the pair that it bought first is void.</summary>
    Voided,

    /// <summary>It is used again too late: the session ends.</summary>
    Reused,
    LoggedOut,
    SessionRevoked,
    KeyRevoked,
    PasswordChanged,
}

/// <summary>
/// Somebody's token, which calls again and again, a stream of it that is open, and a change of it that is on its way,
/// while its access is being ended.
/// </summary>
/// <param name="end">Ends it; done when that is acknowledged. Races may share one.</param>
internal sealed class EndRace(ServerFixture server, Ending ending, Metadata headers, Lazy<Task> end)
{
    private const int CallsAfter = 3;
    private readonly AccountService.AccountServiceClient _accounts = new(server.Channel);
    private readonly TaskListService.TaskListServiceClient _lists = new(server.Channel);
    private readonly Subscriber _stream = new(
        new NotificationService.NotificationServiceClient(server.Channel), headers);
    private readonly TaskCompletionSource _called = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool _acknowledged;
    private Task _calls = Task.CompletedTask;
    private Task<bool> _change = Task.FromResult(false);

    public Ending Ending => ending;

    /// <summary>Done when it has been let in at least once, and its stream is open.</summary>
    public async Task BeginAsync(EndTally tally)
    {
        Assert.Equal(SubscribeResponse.MessageOneofCase.Synced, (await _stream.NextAsync()).MessageCase);
        _calls = Task.Run(() => CallAsync(tally));
        await _called.Task.WaitAsync(EndTally.Net);
    }

    /// <summary>Sends a change that is to come to its end on both sides of the acknowledgement, or before it.</summary>
    public void Change() => _change = IsRefusedAsync(() => _lists.CreateTaskListAsync(
        new() { TaskList = new() { Title = "raced" } }, headers).ResponseAsync);

    public void End() => _ = end.Value;

    /// <summary>Waits for the acknowledgement, and for all that is to end with it.</summary>
    public async Task FinishAsync(EndTally tally)
    {
        await end.Value;
        _acknowledged = true;
        long acknowledged = TimeProvider.System.GetTimestamp();
        await _calls.WaitAsync(EndTally.Net);
        tally.Changes.Add((ending, await _change));
        using (_stream)
        {
            // A void pair's session goes on, and so does its stream.
            if (ending != Ending.Voided)
            {
                tally.Streams.Add(await IsEndedAsync());
                tally.StreamTimes.Add(TimeProvider.System.GetElapsedTime(acknowledged));
            }
        }
    }

    private async Task CallAsync(EndTally tally)
    {
        for (int after = 0; after < CallsAfter;)
        {
            bool late = _acknowledged;
            bool refused = await IsRefusedAsync(
                () => _accounts.GetAccountAsync(new(), headers).ResponseAsync);
            if (late)
            {
                after++;
                tally.After.Add(refused);
            }
            else if (_acknowledged)
            {
                tally.CountAcross();
            }

            if (!late && !refused)
            {
                _called.TrySetResult();
            }
        }
    }

    /// <summary>Nothing moves the clock meanwhile: by the server's time, it ends at once.</summary>
    private async Task<bool> IsEndedAsync()
    {
        try
        {
            while (true)
            {
                await _stream.NextAsync();
            }
        }
        catch (RpcException ended) when (ended.StatusCode == StatusCode.Unauthenticated)
        {
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }

    private static async Task<bool> IsRefusedAsync(Func<Task> call)
    {
        try
        {
            await call();
            return false;
        }
        catch (RpcException refused) when (refused.StatusCode == StatusCode.Unauthenticated)
        {
            return true;
        }
    }
}

/// <summary>What came of many races.</summary>
internal sealed class EndTally
{
    public static readonly TimeSpan Net = TimeSpan.FromSeconds(60);
    private int _across;

    /// <summary>Of each call that began after the acknowledgement, whether it was refused.</summary>
    public ConcurrentBag<bool> After { get; } = [];

    /// <summary>Of each stream whose session or key ended, whether it did.</summary>
    public ConcurrentBag<bool> Streams { get; } = [];

    public ConcurrentBag<TimeSpan> StreamTimes { get; } = [];

    /// <summary>Of each change that began before the acknowledgement, whether it was refused.</summary>
    public ConcurrentBag<(Ending Ending, bool Refused)> Changes { get; } = [];

    public int Late => After.Count(refused => !refused);

    public int Open => Streams.Count(ended => !ended);

    /// <summary>Calls that began before the acknowledgement and ended after it.</summary>
    public int Across => _across;

    public void CountAcross() => Interlocked.Increment(ref _across);
}
