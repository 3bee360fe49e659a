namespace Squall.Server;

/// <summary>
/// Whose turn it is among subscriptions that are far behind. Thousands come back at once, after a restart for one: few
/// of them catch up at a time, a piece each, and while anything is written they rest for longer than they take, so that
/// whoever writes hardly notices.
/// </summary>
internal sealed class CatchUp(TimeProvider time) : IDisposable
{
    /// <summary>How many changes a turn is for.</summary>
    public const int TurnChanges = 250;

    /// <summary>
    /// Who is less behind needs no turn: whoever is live, and for a moment slower than what is written, must not rest.
    /// </summary>
    public const int FreeChanges = 1_000;

    /// <summary>How many times as long as a turn nobody has it, while anything is written.</summary>
    private const int Rest = 4;

    private static readonly TimeSpan WritingTime = TimeSpan.FromMilliseconds(100);
    private readonly SemaphoreSlim _turns = new(Math.Max(1, Environment.ProcessorCount / 2));
    private long _committed;

    /// <summary>Takes note that something is written.</summary>
    public void Follow(IReadOnlyList<ChangeRow> committed) => Volatile.Write(ref _committed, time.GetTimestamp());

    /// <summary>Waits for a turn, in which nothing is to be waited for but the database.</summary>
    /// <returns>When it began, for <see cref="Leave"/>.</returns>
    public async ValueTask<long> EnterAsync(CancellationToken cancelled)
    {
        await _turns.WaitAsync(cancelled);
        return time.GetTimestamp();
    }

    public void Leave(long began)
    {
        TimeSpan rest = time.GetElapsedTime(began) * Rest;
        if (time.GetElapsedTime(Volatile.Read(ref _committed)) < WritingTime && rest > TimeSpan.Zero)
        {
            _ = RestAsync(rest);
        }
        else
        {
            _turns.Release();
        }
    }

    public void Dispose() => _turns.Dispose();

    private async Task RestAsync(TimeSpan rest)
    {
        await Task.Delay(rest, time);
        _turns.Release();
    }
}
