using Squall.V1;

namespace Squall.Faults;

/// <summary>
/// What callers were told of the tasks that each of them asked for, by title; and what a list of them shows of that.
/// </summary>
internal sealed class Claims(int callers)
{
    public const string RefusedStored = "refused tasks stored";
    private readonly Lock _gate = new();
    private readonly Dictionary<string, TaskItem> _acknowledged = [];
    private readonly Dictionary<string, string> _refused = [];
    private readonly int[] _acknowledgedTo = new int[callers];
    private readonly List<(Func<bool> Holds, TaskCompletionSource Reached)> _awaited = [];

    public Verdict Verdict { get; } = new();

    public int Refused
    {
        get
        {
            lock (_gate)
            {
                return _refused.Count;
            }
        }
    }

    public void Acknowledge(int caller, TaskItem task)
    {
        lock (_gate)
        {
            _acknowledged[task.Title] = task;
            _refused.Remove(task.Title);
            _acknowledgedTo[caller]++;
            Verdict.Acknowledged++;
            Tell();
        }
    }

    /// <summary>It was told to be not stored.</summary>
    public void Refuse(string title, string requestId)
    {
        lock (_gate)
        {
            _refused[title] = requestId;
            Tell();
        }
    }

    /// <summary>It was answered otherwise than a change may be.</summary>
    public void Mistake(string fault)
    {
        lock (_gate)
        {
            Verdict.Count(fault, 1);
            Tell();
        }
    }

    public int[] AcknowledgedTo()
    {
        lock (_gate)
        {
            return [.. _acknowledgedTo];
        }
    }

    /// <summary>The tasks that were refused, with their request ids.</summary>
    public (string Title, string RequestId)[] RefusedTasks(int max)
    {
        lock (_gate)
        {
            return [.. _refused.Take(max).Select(of => (of.Key, of.Value))];
        }
    }

    /// <summary>Done when it holds; it is asked at each answer.</summary>
    public Task UntilAsync(Func<bool> holds)
    {
        lock (_gate)
        {
            var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _awaited.Add((holds, reached));
            Tell();
            return reached.Task;
        }
    }

    /// <summary>
    /// Lists the tasks, and compares them with what was told before that: also while more are asked for.
    /// </summary>
    public async Task CompareAsync(Func<Task<List<TaskItem>>> list)
    {
        Dictionary<string, TaskItem> acknowledged;
        HashSet<string> refused;
        lock (_gate)
        {
            acknowledged = new Dictionary<string, TaskItem>(_acknowledged);
            refused = [.. _refused.Keys];
        }

        ILookup<string, TaskItem> found = (await list()).ToLookup(task => task.Title);
        lock (_gate)
        {
            Verdict.Count("tasks there twice", found.Count(tasks => tasks.Count() > 1));
            Verdict.Count(RefusedStored, refused.Count(found.Contains));
            Verdict.Count(Verdict.Lost, acknowledged.Keys.Count(title => !found.Contains(title)));
            Verdict.Count(
                Verdict.Differs,
                acknowledged.Count(of => found[of.Key].FirstOrDefault() is { } task && !task.Equals(of.Value)));
        }
    }

    private void Tell()
    {
        foreach ((_, TaskCompletionSource reached) in _awaited.Where(awaited => awaited.Holds()).ToArray())
        {
            reached.TrySetResult();
        }

        _awaited.RemoveAll(awaited => awaited.Reached.Task.IsCompleted);
    }
}
