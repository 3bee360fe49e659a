using System.Runtime.CompilerServices;
using Squall.V1;

namespace Squall.Client.Tests;

/// <summary>A client whose subscriptions leave out what a test says, as one with a fault would; and count.</summary>
internal sealed class AlteredClient(ISquallClient client, Func<SubscriptionEvent, bool>? drops = null) : ISquallClient
{
    private int dropped;
    private int lost;

    /// <summary>How many events were left out.</summary>
    public int Dropped => Volatile.Read(ref dropped);

    /// <summary>How often a stream was lost.</summary>
    public int Lost => Volatile.Read(ref lost);

    public ITaskLists Lists => client.Lists;

    public ITasks Tasks => client.Tasks;

    public IAccess Access => client.Access;

    public async IAsyncEnumerable<SubscriptionEvent> SubscribeAsync(
        SubscribeSettings? settings, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var told in client.SubscribeAsync(settings, cancellationToken))
        {
            if (drops?.Invoke(told) == true)
            {
                Interlocked.Increment(ref dropped);
                continue;
            }

            if (told is SubscriptionEvent.Reconnecting)
            {
                Interlocked.Increment(ref lost);
            }

            yield return told;
        }
    }

    public LiveTasks WatchTasks(string filter, LiveTasksSettings? settings) => new(this, filter, settings);

    public PagedItems<SubscriptionEvent> ListNotifications(
        string filter, string after, int pageSize, CallSettings? settings) =>
        client.ListNotifications(filter, after, pageSize, settings);

    public Task<SayHelloResponse> ConnectAsync(CancellationToken cancellationToken) =>
        client.ConnectAsync(cancellationToken);

    public Task<SayHelloResponse> SayHelloAsync(
        string name, CallSettings? settings, CancellationToken cancellationToken) =>
        client.SayHelloAsync(name, settings, cancellationToken);

    public Task<Account> RegisterAsync(
        string username, string password, string displayName, CallSettings? settings,
        CancellationToken cancellationToken) =>
        client.RegisterAsync(username, password, displayName, settings, cancellationToken);

    public Task<Account> LoginAsync(
        string username, string password, CallSettings? settings, CancellationToken cancellationToken) =>
        client.LoginAsync(username, password, settings, cancellationToken);

    public Task LogoutAsync(CallSettings? settings, CancellationToken cancellationToken) =>
        client.LogoutAsync(settings, cancellationToken);

    public Task<Account> GetAccountAsync(CallSettings? settings, CancellationToken cancellationToken) =>
        client.GetAccountAsync(settings, cancellationToken);

    public ValueTask DisposeAsync() => client.DisposeAsync();
}
