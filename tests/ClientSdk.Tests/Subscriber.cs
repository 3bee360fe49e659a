namespace Squall.Client.Tests;

/// <summary>Reads a subscription event by event, as an application's loop does.</summary>
internal sealed class Subscriber(SquallClient client, SubscribeSettings? settings = null) : IAsyncDisposable
{
    private readonly CancellationTokenSource cancel = new();
    private IAsyncEnumerator<SubscriptionEvent>? events;
    private Task<SubscriptionEvent>? begun;
    private Task last = Task.CompletedTask;

    public CancellationTokenSource Cancel => cancel;

    /// <summary>The next event.</summary>
    public Task<SubscriptionEvent> Next
    {
        get
        {
            Begin();
            var next = begun!;
            begun = null;
            return next;
        }
    }

    /// <summary>Asks for the next event, which is taken later.</summary>
    public void Begin() => last = begun ??= MoveAsync();

    /// <summary>The next event, which has to be of this kind.</summary>
    public async Task<T> NextAsync<T>()
        where T : SubscriptionEvent => Assert.IsType<T>(await Next.WaitAsync(Net.TimeMax));

    /// <summary>The next event, of a task that was created with this title.</summary>
    public async Task<SubscriptionEvent.Changed> CreatedAsync(string title)
    {
        var change = await NextAsync<SubscriptionEvent.Changed>();
        Assert.Equal(title, change.Notification.TaskCreated?.Task.Title);
        return change;
    }

    public async ValueTask DisposeAsync()
    {
        await cancel.CancelAsync();
        await Record.ExceptionAsync(() => last);
        await (events?.DisposeAsync() ?? ValueTask.CompletedTask);
        cancel.Dispose();
    }

    private async Task<SubscriptionEvent> MoveAsync()
    {
        events ??= client.SubscribeAsync(settings, cancel.Token).GetAsyncEnumerator();
        Assert.True(await events.MoveNextAsync());
        return events.Current;
    }
}
