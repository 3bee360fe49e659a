using System.CommandLine;
using Squall.Client;

namespace Squall.Cli;

/// <summary>squall watch: what happens, as it happens, over breaks of the connection and of the server.</summary>
internal static class WatchVerb
{
    private static readonly Option<string?> From = new("--from")
    {
        Description = "Start right after this cursor, taken from a line of --json; else now.",
        HelpName = "CURSOR",
    };

    private static readonly Option<bool> Snapshot = new("--snapshot")
    {
        Description = "Show the tasks as they are first, then what changes.",
    };

    public static Verb Make()
    {
        var verb = new Verb(
            "watch", "Shows changes as they happen, until Ctrl-C.",
            "squall watch Home --filter 'priority >= HIGH'")
        {
            ListTasksVerb.List, ListTasksVerb.Filter, From, Snapshot,
        };
        verb.Validators.Add(given =>
        {
            if (given.GetValue(From) is not null && given.GetValue(Snapshot))
            {
                given.AddError($"{From.Name} and {Snapshot.Name} exclude each other.");
            }
        });
        return verb.Does(async run =>
        {
            try
            {
                await WatchAsync(run);
            }
            catch (OperationCanceledException) when (run.Cancel.IsCancellationRequested)
            {
                // That is how a watch ends.
            }
        });
    }

    private static async Task WatchAsync(Invocation run)
    {
        var names = new Names(run);
        var listId = run.GivenOrNull(ListTasksVerb.List) is { } list ? await ListLookup.IdOfAsync(run, list) : null;
        // A subscription waits for a server that is away. At the start, whoever watches wants to know.
        await run.Client.GetAccountAsync(cancellationToken: run.Cancel);
        if (!run.Output.IsJson)
        {
            await names.LearnListsAsync();
        }

        var cursors = new Cursors(run.Given(From));
        var lines = new EventLines(run, names);
        var events = run.Client.SubscribeAsync(
            new SubscribeSettings
            {
                Filter = ListTasksVerb.In(run.Given(ListTasksVerb.Filter), listId),
                After = run.Given(From) ?? "",
                Snapshot = run.Given(Snapshot),
                OnGap = run.Given(Snapshot) ? OnGap.Resnapshot : OnGap.Throw,
                ControlEvents = true,
            },
            run.Cancel);
        await foreach (var told in events)
        {
            var cursor = cursors.After(told);
            if (IsElsewhere(told, listId))
            {
                continue;
            }

            if (!run.Output.IsJson)
            {
                await lines.WriteAsync(told);
            }
            else if (EventJson.Of(told, cursor) is { } json)
            {
                run.Output.Raw(json);
            }

            run.Output.Flush();
        }
    }

    /// <summary>A filter does not hold back what happens to other lists themselves and to their members.</summary>
    private static bool IsElsewhere(SubscriptionEvent told, string? listId) =>
        listId is not null && told is SubscriptionEvent.Changed { Notification: var change }
        && change.TaskListId != listId;

    /// <summary>Where to resume after each event: not within a snapshot, whose tasks are of different times.</summary>
    private sealed class Cursors(string? start)
    {
        private string? last = start;

        public string? After(SubscriptionEvent told)
        {
            last = told switch
            {
                SubscriptionEvent.SnapshotRestarted or SubscriptionEvent.Gap => null,
                _ => told.Cursor ?? last,
            };
            return last;
        }
    }
}
