namespace Squall.Server.Tests;

/// <summary>Keeps a journal's writer within a change until it is let go, so that what comes has to wait.</summary>
internal sealed class WriterHold : IDisposable
{
    private static readonly TimeSpan Net = TimeSpan.FromSeconds(60);
    private readonly ManualResetEventSlim _go = new();

    private WriterHold()
    {
    }

    /// <summary>Done when the change that holds it was committed.</summary>
    public Task Done { get; private set; } = Task.CompletedTask;

    public static async Task<WriterHold> StartAsync(Journal journal)
    {
        var hold = new WriterHold();
        var held = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        hold.Done = journal.RunAsync(
            _ =>
            {
                held.SetResult();
                return hold._go.Wait(Net);
            },
            null, 0, CancellationToken.None);
        await held.Task.WaitAsync(Net);
        return hold;
    }

    public void Release() => _go.Set();

    /// <summary>Lets it go; the event itself stays, since the writer may still look at it.</summary>
    public void Dispose() => Release();
}
