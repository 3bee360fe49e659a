using Squall.Server;
using Squall.Server.Tests;
using Squall.V1;

namespace Squall.Client.Tests;

/// <summary>
/// Reckons from the server's own journal, row by row, what a view has to show at each place, and says where one showed
/// anything else. It knows nothing of subscriptions.
/// </summary>
/// <param name="accountId">Whose view it is.</param>
/// <param name="matches">The view's filter, written once more.</param>
internal sealed class LiveLedger(string accountId, Func<TaskItem, bool> matches)
{
    private readonly List<string> faults = [];
    private readonly List<Row> rows = [];
    private readonly Dictionary<string, int> places = [];
    private readonly Dictionary<string, int> lastLoss = [];
    private readonly Dictionary<string, TaskItem> tasks = [];
    private readonly HashSet<(string Id, long Version)> past = [];
    private readonly HashSet<string> lists = [];
    private readonly HashSet<string> gained = [];

    /// <summary>How often lists were gained and lost.</summary>
    public (int Gains, int Losses) Memberships { get; private set; }

    public async Task<IReadOnlyList<string>> FaultsOfAsync(ServerFixture server, IEnumerable<LiveTasksChange> steps)
    {
        await ReadAsync(server);
        Dictionary<string, TaskItem> before = [];
        var at = -1;
        foreach (var (number, step) in steps.Index())
        {
            var shown = step.View.Tasks.ToDictionary(task => task.Id);
            CheckChanges(number, before, step, shown);
            before = shown;
            if (step.View.Cursor.Length == 0)
            {
                continue;
            }

            if (!places.TryGetValue(step.View.Cursor, out var place) || place < at)
            {
                faults.Add($"step {number}: its place is none, or before the last");
                continue;
            }

            while (at < place)
            {
                Apply(++at);
            }

            CheckTasks($"step {number} at {at}", step.View, at);
        }

        return faults;
    }

    /// <summary>What was there before, with what is told to differ, is what is there now.</summary>
    private void CheckChanges(
        int number, Dictionary<string, TaskItem> before, LiveTasksChange step, Dictionary<string, TaskItem> shown)
    {
        var expected = new Dictionary<string, TaskItem>(before);
        foreach (var (old, now) in step.Changes)
        {
            var id = (now ?? old)!.Id;
            if (!Equals(expected.GetValueOrDefault(id), old) || Equals(old, now))
            {
                faults.Add($"step {number}: {id} was not as it is told to have been");
            }

            expected.Remove(id);
            if (now is not null)
            {
                expected[id] = now;
            }
        }

        if (expected.Count != shown.Count || expected.Any(one => !one.Value.Equals(shown.GetValueOrDefault(one.Key))))
        {
            faults.Add($"step {number}: the changes that are told do not lead to what is shown");
        }
    }

    private void CheckTasks(string step, LiveView view, int at)
    {
        var expected = tasks.Values.Where(task => lists.Contains(task.TaskListId) && matches(task))
            .ToLookup(task => task.TaskListId);
        var shown = view.Tasks.ToLookup(task => task.TaskListId);
        foreach (var list in expected.Select(group => group.Key).Union(shown.Select(group => group.Key)))
        {
            if (shown[list].ToHashSet().SetEquals(expected[list]))
            {
                gained.Remove(list);
                continue;
            }

            // What was lost by the time it would have been told is not told: it stays as it was told last.
            var isLeftBehind = at < lastLoss.GetValueOrDefault(list, -1)
                && shown[list].All(task => past.Contains((task.Id, task.Version)));
            var isStillRead = !view.IsLive && gained.Contains(list) && !shown[list].Any();
            if (!isLeftBehind && !isStillRead)
            {
                faults.Add($"{step}: {shown[list].Count()} tasks of a list with {expected[list].Count()}, or others");
            }
        }
    }

    private void Apply(int at)
    {
        switch (rows[at].Told)
        {
            case { TaskListCreated: not null, ActorId: var actor } made when actor == accountId:
                lists.Add(made.TaskListId);
                break;
            case { MemberSet.Member.AccountId: var account } set when account == accountId:
                if (lists.Add(set.TaskListId))
                {
                    gained.Add(set.TaskListId);
                    Memberships = (Memberships.Gains + 1, Memberships.Losses);
                }

                break;
            case { } lost when IsLoss(lost):
                if (lists.Remove(lost.TaskListId))
                {
                    Memberships = (Memberships.Gains, Memberships.Losses + 1);
                }

                gained.Remove(lost.TaskListId);
                break;
            case { TaskDeleted.TaskId: var id, TaskListId: var list }
                when tasks.GetValueOrDefault(id)?.TaskListId == list:
                tasks.Remove(id);
                break;
            case { } change when TaskOf(change) is { } task:
                tasks[task.Id] = task;
                past.Add((task.Id, task.Version));
                break;
        }
    }

    private bool IsLoss(Notification told) =>
        told.TaskListDeleted is not null || told.MemberRemoved?.AccountId == accountId;

    private static TaskItem? TaskOf(Notification change) => change.TaskCreated?.Task ?? change.TaskUpdated?.Task
        ?? change.TaskCompleted?.Task ?? change.TaskReopened?.Task ?? change.TaskCancelled?.Task;

    private async Task ReadAsync(ServerFixture server)
    {
        rows.AddRange(await server.Get<Store>().ReadAsync(
            db =>
            {
                var epoch = db.Journals.Single().Epoch;
                return db.Changes.OrderBy(row => row.Seq).AsEnumerable().Select(row => new Row(
                    new Cursor(epoch, row.Seq, (uint)row.Mark).ToString(),
                    row.Notification.Length == 0 ? null : Notification.Parser.ParseFrom(row.Notification))).ToList();
            },
            CancellationToken.None));
        foreach (var (at, row) in rows.Index())
        {
            places[row.Cursor] = at;
            if (row.Told is { } told && IsLoss(told))
            {
                lastLoss[told.TaskListId] = at;
            }
        }
    }

    private sealed record Row(string Cursor, Notification? Told);
}
