using ImportTaskwarrior;
using Squall.Client;
using Squall.Server.Tests;

namespace Squall.Samples.Tests;

/// <summary>Someone who imports the fixture, someone who is a member of all its lists, and their files.</summary>
internal sealed class Scene : IDisposable
{
    private Scene(Person importer, Person watcher) => (Importer, Watcher) = (importer, watcher);

    public Person Importer { get; }

    public Person Watcher { get; }

    public Folder Folder { get; } = new();

    public static async Task<Scene> SetAsync(ServerFixture server) =>
        new(await Person.ComeAsync(server), await Person.ComeAsync(server));

    /// <summary>One run of the import, as a process does it.</summary>
    public async Task<Replay> ImportAsync(
        ISquallClient? client = null, IReadOnlyList<Step>? steps = null, CancellationToken cancellationToken = default)
    {
        using var record = ImportRecord.Open(Folder.Record);
        var replay = new Replay(client ?? Importer.Client, record, [Watcher.Username]);
        await replay.RunAsync(steps ?? Fixture.Steps, cancellationToken);
        return replay;
    }

    public IReadOnlyList<Taken> Record() => ImportRecord.Read(Folder.Record);

    /// <summary>All lists and tasks that the importer has, in words that are the same for every scene.</summary>
    public async Task<IReadOnlyList<string>> StateAsync()
    {
        var lists = await Importer.Client.Lists.List().ToListAsync();
        var tasks = await Importer.Client.Tasks.List().ToListAsync();
        return
        [
            .. lists.Select(list => $"list {list.Title}").Order(StringComparer.Ordinal),
            .. tasks.Select(task => $"task {task.Title} in {lists.Single(list => list.Id == task.TaskListId).Title}: "
                + $"{task.State} {task.Priority} due {task.DueTime} [{string.Join(", ", task.Labels)}] "
                + $"note '{task.Note}'").Order(StringComparer.Ordinal),
        ];
    }

    /// <summary>What the watcher was told from the beginning, as the server has it.</summary>
    public async Task<IReadOnlyList<Told>> HistoryAsync()
    {
        var printed = new StringWriter();
        await new Watcher(Watcher.Client, printed).HistoryAsync("", CancellationToken.None);
        return [.. printed.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(Told.Parse)];
    }

    public async Task<(Census Census, IReadOnlyList<string> Differences)> VerifyAsync(
        IReadOnlyList<TaskwarriorState>? states = null)
    {
        var verification = new Verification(Importer.Client, "No project");
        var census = await verification.RunAsync(states ?? Fixture.FinalStates, CancellationToken.None);
        return (census, verification.Differences);
    }

    public void Dispose()
    {
        Importer.Dispose();
        Watcher.Dispose();
        Folder.Dispose();
    }
}
