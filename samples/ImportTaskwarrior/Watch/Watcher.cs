using Squall.Client;
using Squall.V1;

namespace ImportTaskwarrior;

/// <summary>Prints each change that an account may see, once and in order.</summary>
internal sealed class Watcher(ISquallClient client, TextWriter output)
{
    /// <summary>Ends by cancellation, or with what trying again cannot help.</summary>
    /// <param name="log">Where it is noted too, and resumed from; null: nowhere, and from now on.</param>
    public async Task WatchAsync(TellingLog? log, CancellationToken cancellationToken)
    {
        var titles = await TitlesAsync(cancellationToken);
        var settings = new SubscribeSettings { After = log?.Cursor ?? "" };
        await foreach (var told in client.SubscribeAsync(settings, cancellationToken))
        {
            if (ChangeOf(told) is { } change)
            {
                Tell(Told.Of(change, titles), log);
            }
            else if (told is SubscriptionEvent.Synced && settings.After.Length == 0)
            {
                // Noted before the first change comes: a watcher killed until then resumes from here.
                Tell(Told.From(told.Cursor!), log);
            }
        }
    }

    /// <summary>Prints what the account would have been told until now, after a cursor or from the first.</summary>
    public async Task HistoryAsync(string after, CancellationToken cancellationToken)
    {
        var titles = await TitlesAsync(cancellationToken);
        var past = client.ListNotifications(after: after, pageSize: 1_000);
        await foreach (var told in past.WithCancellation(cancellationToken))
        {
            if (ChangeOf(told) is { } change)
            {
                await output.WriteLineAsync(Told.Of(change, titles).ToLogLine());
            }
        }
    }

    private static Notification? ChangeOf(SubscriptionEvent told) => told switch
    {
        SubscriptionEvent.Changed changed => changed.Notification,
        SubscriptionEvent.Left left => left.Notification,
        _ => null,
    };

    private ValueTask<Dictionary<string, string>> TitlesAsync(CancellationToken cancellationToken) =>
        client.Lists.List(pageSize: 1_000).ToDictionaryAsync(
            list => list.Id, list => list.Title, StringComparer.Ordinal, cancellationToken);

    private void Tell(Told told, TellingLog? log)
    {
        log?.Add(told);
        output.WriteLine(told);
    }
}
