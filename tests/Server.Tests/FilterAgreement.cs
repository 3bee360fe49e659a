using FsCheck;
using FsCheck.Fluent;
using Squall.V1;

namespace Squall.Server.Tests;

/// <summary>
/// Asks random filters of random tasks in three ways: as SQL, a page after the other, in all lists or in one, in any
/// order; as a predicate; and by <see cref="FilterAsked"/>'s own reckoning. All but a part of the tasks' ids follows
/// from the seed.
/// </summary>
internal sealed class FilterAgreement(Ground ground, int seed)
{
    private const int TasksMax = 60;
    private const int FiltersOfTasks = 250;
    private static readonly Caller Me = new("me", "session", new Need(Proof.SessionOrKey, Role.Unspecified));
    private readonly string[] _lists = [Ids.New(1), Ids.New(2), Ids.New(3)];
    private ulong _samples;

    /// <summary>What the filter's predicate says; a control puts another in its place.</summary>
    public Func<Filter, TaskItem, bool> Matches { get; init; } = (filter, task) => filter.Matches(task);

    /// <summary>What the test reckons; a control puts another in its place.</summary>
    public Func<FilterAsked, TaskItem, bool> Holds { get; init; } = (asked, task) => asked.Holds(task);

    /// <summary>Done after tasks are stored; a control breaks something here.</summary>
    public Action<SquallDb> AfterStore { get; init; } = _ => { };

    /// <summary>How many filters were asked, and how many of them told some tasks from others.</summary>
    public int Asked { get; private set; }
    public int Hits { get; private set; }
    public int Searches { get; private set; }
    public int SearchHits { get; private set; }

    /// <summary>The first filter, made as simple as it can be, on which not all agree; null: there is none.</summary>
    public async Task<string?> RunAsync(int filters)
    {
        await JoinAsync();
        while (Asked < filters)
        {
            TaskItem[] tasks = await StoreAsync();
            FilterAsked[] asked = [.. Sample(FilterAsked.AnyOf, FiltersOfTasks)];
            TaskSorting[] sortings = [.. Sample(TaskSorting.Any, FiltersOfTasks)];
            string? found = await ground.ReadAsync(db => asked.Zip(sortings)
                .Select(one => Compare(db, tasks, one.First, one.Second)).FirstOrDefault(found => found is not null));
            if (found is not null)
            {
                return found;
            }
        }

        return null;
    }

    private string? Compare(SquallDb db, TaskItem[] tasks, FilterAsked asked, TaskSorting sorting)
    {
        int way = Asked++;
        int meant = tasks.Count(asked.Holds);
        bool hit = meant > 0 && meant < tasks.Length;
        Hits += hit ? 1 : 0;
        Searches += asked.Searches ? 1 : 0;
        SearchHits += hit && asked.Searches ? 1 : 0;
        if (Differ(db, tasks, asked, sorting, way) is not { } difference)
        {
            return null;
        }

        while (asked.Smaller().FirstOrDefault(less => Differ(db, tasks, less, sorting, way) is not null) is { } smaller)
        {
            asked = smaller;
            difference = Differ(db, tasks, asked, sorting, way)!;
        }

        return $"seed {seed}, filter {way}: {difference}";
    }

    private string? Differ(SquallDb db, TaskItem[] tasks, FilterAsked asked, TaskSorting sorting, int way)
    {
        bool oneList = (way & 1) == 0;
        string text = oneList ? $"task_list_id = {_lists[0]} AND ({asked.Written})" : asked.Written;
        Filter filter = Filter.Parse(text, ground.Limits);
        TaskItem[] seen = [.. tasks.Where(task => !oneList || task.TaskListId == _lists[0]).Order(sorting)];
        string[] meant = [.. seen.Where(task => Holds(asked, task)).Select(task => task.Id)];
        string[] matched = [.. tasks.Order(sorting).Where(task => Matches(filter, task)).Select(task => task.Id)];
        string[] listed = [.. List(db, filter, TaskOrder.Parse(sorting.Written, oneList), way).Select(task => task.Id)];
        return meant.SequenceEqual(matched) && meant.SequenceEqual(listed) ? null
            : $"{text} by {sorting.Written}: meant {meant.Length}, matched {matched.Length}, listed {listed.Length}";
    }

    /// <summary>With what a filter can be searched by, or without; in pages, some of them small.</summary>
    private List<TaskItem> List(SquallDb db, Filter filter, TaskOrder order, int way)
    {
        var token = new PageToken("test");
        var listed = new List<TaskItem>();
        int size = (way & 4) == 0 ? 1_000 : 17;
        ListTasksResponse page = new();
        do
        {
            string?[]? after = token.Read(page.NextPageToken, order.KeyCount);
            page = new TaskPages(Me, filter, order, after, size, (way & 2) == 0 ? TaskPages.SearchedMax : 0)
                .Read(db, token, ground.Limits.AnswerBytesMax);
            listed.AddRange(page.Tasks);
        }
        while (page.NextPageToken.Length > 0);
        return listed;
    }

    private Task<bool> JoinAsync() => ground.RunAsync(scope =>
    {
        scope.Db.Members.AddRange(_lists.Select(list => new MemberRow
        {
            ListId = list, AccountId = Me.AccountId, Role = (int)Role.Viewer,
        }));
        scope.Db.Members.Add(new MemberRow { ListId = Ids.New(4), AccountId = "another" });
        return true;
    });

    /// <summary>New tasks in place of those of before, and some in a list that is another's.</summary>
    private async Task<TaskItem[]> StoreAsync()
    {
        await ground.RunAsync(scope =>
        {
            TaskDeletion.Remove(scope, [.. scope.Db.Tasks]);
            return true;
        });
        return await ground.RunAsync(scope =>
        {
            string others = scope.Db.Members.Single(member => member.AccountId == "another").ListId;
            TaskItem[] stored = TaskGen.Store(scope, Sample(TaskGen.Task, TasksMax), [.. _lists, others]);
            scope.Defer(AfterStore);
            return stored.Where(task => task.TaskListId != others).ToArray();
        });
    }

    private IReadOnlyList<T> Sample<T>(Gen<T> of, int count) =>
        [.. of.Sample(60, new Rnd((ulong)seed, (_samples++ * 2) + 1), count)];
}
