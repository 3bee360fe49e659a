using Squall.Server.Tests;
using Squall.V1;

namespace Squall.Client.Tests;

/// <summary>A subscription that is cut, or cancelled, at any point of what it does.</summary>
public sealed class SubscribeCutTests : IAsyncLifetime
{
    private const int Stride = 3;
    private static readonly string[] Expected = ["one", "two"];

    private readonly World world = new();

    public Task InitializeAsync() => world.InitializeAsync();

    public Task DisposeAsync() => world.DisposeAsync();

    [Fact]
    public async Task Cut_after_any_byte_of_the_servers_answer_it_tells_each_change_once_and_in_order()
    {
        var (cuts, wrong) = await CutEverywhereAsync(
            (client, cursor) => client.SubscribeAsync(new SubscribeSettings { After = cursor, ControlEvents = true }));
        Assert.Equal(0, wrong);
        Assert.InRange(cuts, 200, 2_000);
    }

    [Fact]
    public async Task A_client_that_begins_again_where_it_began_is_found_out()
    {
        // The control of the test above.
        var (cuts, wrong) = await CutEverywhereAsync(ForgetfulAsync);
        Assert.InRange(wrong, 50, cuts);
    }

    [Fact]
    public async Task Whatever_it_waits_for_it_is_cancelled_at_once()
    {
        // Its clock stands still: what waits for time to pass would wait for ever.
        var time = new FakeTime();
        var client = Client(await world.SignInAsync(), options =>
        {
            options.TimeProvider = time;
            options.BackoffFirst = options.BackoffMax = options.ReconnectMax = TimeSpan.FromHours(1);
        });

        await using (var live = new Subscriber(client))
        {
            await live.NextAsync<SubscriptionEvent.Synced>();
            await CancelsAsync(live, live.Next);
        }

        await using (var unanswered = new Subscriber(client, new SubscribeSettings { ControlEvents = true }))
        {
            world.Proxy.Stall();
            var next = unanswered.Next;
            await time.TimerSetAsync(TimeSpan.FromSeconds(37.5));
            await CancelsAsync(unanswered, next);
        }

        await using (var waiting = new Subscriber(client, new SubscribeSettings { ControlEvents = true }))
        {
            world.Proxy.Refuse();
            await waiting.NextAsync<SubscriptionEvent.Reconnecting>();
            await CancelsAsync(waiting, waiting.Next);
            world.Proxy.Admit();
        }

        var renewing = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var release = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        world.Log.Before("RefreshSession", _ =>
        {
            renewing.TrySetResult();
            return release.Task;
        });
        await using var renews = new Subscriber(client);
        time.Advance(TimeSpan.FromDays(20));
        var refreshed = renews.Next;
        await renewing.Task.WaitAsync(Net.TimeMax);
        await CancelsAsync(renews, refreshed);
        release.SetResult();
    }

    private static async Task CancelsAsync(Subscriber subscriber, Task<SubscriptionEvent> next)
    {
        Assert.False(next.IsCompleted);
        await subscriber.Cancel.CancelAsync();
        var end = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => next.WaitAsync(Net.TimeMax));
        Assert.Equal(subscriber.Cancel.Token, end.CancellationToken);
    }

    /// <summary>
    /// Subscribes again and again, each time cut a little later, counted from the connection's beginning, until the cut
    /// comes after all there is to tell. Each change is made once the one before is told, so that the cut finds the
    /// client at the very place. Gives how many cuts came before the end, and after how many it was not told just that.
    /// </summary>
    private async Task<(int Cuts, int Wrong)> CutEverywhereAsync(
        Func<SquallClient, string, IAsyncEnumerable<SubscriptionEvent>> subscribe)
    {
        var tokens = await world.SignInAsync();
        var writer = Client(tokens, options => options.Endpoint = world.Address);
        var list = await writer.Lists.CreateAsync("a list");
        var (cursor, wrong, unseen) = ("", 0, 0);
        for (var cuts = 1; ; cuts++)
        {
            cursor = (await writer.ListNotifications(after: cursor).AllAsync())[^1].Cursor!;
            world.Proxy.CutNextAfter((cuts * Stride) - (cuts % Stride));
            using var client = Client(tokens);
            var told = new List<string>();
            var (made, lost) = (0, 0);
            await foreach (var next in subscribe(client, cursor))
            {
                lost += next is SubscriptionEvent.Reconnecting ? 1 : 0;
                if (next is SubscriptionEvent.Changed { Notification.TaskCreated.Task.Title: var title })
                {
                    told.Add(title);
                }

                if (told.Count == Expected.Length)
                {
                    break;
                }

                if (next is SubscriptionEvent.Synced or SubscriptionEvent.Changed && made == told.Count)
                {
                    await writer.Tasks.CreateAsync(list.Id, Expected[made++]);
                }
            }

            wrong += told.SequenceEqual(Expected) ? 0 : 1;
            if (world.Proxy.Cuts < cuts)
            {
                Assert.Equal(0, lost);
                Assert.InRange(unseen, 0, cuts / 10);
                return (cuts - 1, wrong);
            }

            // A connection that is cut before the call is sent over it is not missed: the call takes another.
            Assert.InRange(lost, 0, 1);
            unseen += 1 - lost;
        }
    }

    private static async IAsyncEnumerable<SubscriptionEvent> ForgetfulAsync(SquallClient client, string cursor)
    {
        while (true)
        {
            using var call = client.Raw.Notifications.Subscribe(new SubscribeRequest { After = cursor });
            Exception? lost = null;
            while (lost is null)
            {
                lost = await Record.ExceptionAsync(() => call.ResponseStream.MoveNext(CancellationToken.None));
                if (lost is null && call.ResponseStream.Current is { Synced: not null })
                {
                    yield return new SubscriptionEvent.Synced();
                }
                else if (lost is null)
                {
                    yield return new SubscriptionEvent.Changed(call.ResponseStream.Current.Notification);
                }
            }

            yield return new SubscriptionEvent.Reconnecting(1, TimeSpan.Zero, lost);
        }
    }

    private SquallClient Client(SessionTokens tokens, Action<SquallClientOptions>? adjust = null) =>
        world.Client(options =>
        {
            options.TokenStore = new MemoryTokenStore(tokens);
            options.BackoffFirst = options.BackoffMax = options.ReconnectMax = TimeSpan.Zero;
            adjust?.Invoke(options);
        });
}
