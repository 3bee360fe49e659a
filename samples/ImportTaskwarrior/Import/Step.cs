using Squall.Client;
using Squall.V1;

namespace ImportTaskwarrior;

/// <summary>Something that has to be done to Squall because of a line of the backlog.</summary>
internal abstract record Step(SourceLine Line, string Kind)
{
    /// <summary>Names it within the backlog, also in a later run.</summary>
    public string Key => $"{Line.Number} {Kind}";

    /// <summary>The task that must be in Squall before it; null: none.</summary>
    public virtual Guid? Needs => null;

    /// <summary>Does it, and gives the id of what it was done to.</summary>
    public abstract Task<string> DoAsync(Target target, CallSettings settings, CancellationToken cancellationToken);

    /// <summary>
    /// The id, if an earlier run has done it and was killed before it could note so; null: it has to be done. What has
    /// no effect when it is done once more need not be found.
    /// </summary>
    public virtual Task<string?> FindAsync(Target target, CancellationToken cancellationToken) =>
        Task.FromResult<string?>(null);

    /// <summary>Tells the target what later steps need to know of a step that is done.</summary>
    public virtual void Done(Target target, string id)
    {
    }
}

/// <summary>Where steps are done, and the ids that things of the backlog have there.</summary>
internal sealed record Target(ISquallClient Client, ImportRecord Record)
{
    /// <summary>Lists by project.</summary>
    public Dictionary<string, string> Lists { get; } = new(StringComparer.Ordinal);

    /// <summary>Tasks by uuid.</summary>
    public Dictionary<Guid, string> Tasks { get; } = [];
}

/// <summary>The first task of a project needs its list.</summary>
internal sealed record CreateList(SourceLine Line, string Project, string Title) : Step(Line, "list")
{
    public override async Task<string> DoAsync(
        Target target, CallSettings settings, CancellationToken cancellationToken) =>
        (await target.Client.Lists.CreateAsync(Title, settings, cancellationToken)).Id;

    /// <summary>A list of this title that came to be since the import began, and that it knows nothing of.</summary>
    public override async Task<string?> FindAsync(Target target, CancellationToken cancellationToken)
    {
        var lists = target.Client.Lists.List(pageSize: 1_000);
        var own = await lists.FirstOrDefaultAsync(
            list => list.Title == Title && list.Role == Role.Owner && !target.Lists.ContainsValue(list.Id)
                && list.CreateTime.ToDateTimeOffset() >= target.Record.BeginTime,
            cancellationToken);
        return own?.Id;
    }

    public override void Done(Target target, string id) => target.Lists[Project] = id;
}

internal sealed record CreateTask(SourceLine Line, Wanted Task) : Step(Line, "create")
{
    public override async Task<string> DoAsync(
        Target target, CallSettings settings, CancellationToken cancellationToken)
    {
        var task = Task.ToTask(target.Lists[Task.Project]);
        return (await target.Client.Tasks.CreateAsync(task, settings, cancellationToken)).Id;
    }

    public override async Task<string?> FindAsync(Target target, CancellationToken cancellationToken)
    {
        var labelled = target.Client.Tasks.List($"labels:\"{Wanted.LabelOf(Task.Uuid)}\"");
        return (await labelled.FirstOrDefaultAsync(cancellationToken))?.Id;
    }

    public override void Done(Target target, string id) => target.Tasks[Task.Uuid] = id;
}

/// <summary>Changes what the backlog changed, and leaves the rest to whoever edits the task in Squall.</summary>
internal sealed record UpdateTask(SourceLine Line, Wanted Before, Wanted Task)
    : Step(Line, Before.Project == Task.Project ? "update" : "move")
{
    public override Guid? Needs => Task.Uuid;

    public override async Task<string> DoAsync(
        Target target, CallSettings settings, CancellationToken cancellationToken)
    {
        var task = Task.ToTask(target.Lists[Task.Project]);
        task.Id = target.Tasks[Task.Uuid];
        await target.Client.Tasks.UpdateAsync(task, Task.Since(Before), 0, settings, cancellationToken);
        return task.Id;
    }
}

internal sealed record AddComment(SourceLine Line, Guid Uuid, string Text, int Number) : Step(Line, $"comment {Number}")
{
    public override Guid? Needs => Uuid;

    public override async Task<string> DoAsync(
        Target target, CallSettings settings, CancellationToken cancellationToken) =>
        (await target.Client.Tasks.CommentAsync(target.Tasks[Uuid], Text, settings, cancellationToken)).Id;

    /// <summary>A comment of this text that the import knows nothing of.</summary>
    public override async Task<string?> FindAsync(Target target, CancellationToken cancellationToken)
    {
        var comments = target.Client.Tasks.ListComments(target.Tasks[Uuid], pageSize: 1_000);
        var own = await comments.FirstOrDefaultAsync(
            comment => comment.Text == Text && comment.AuthorId == target.Record.AccountId
                && !target.Record.Knows(comment.Id),
            cancellationToken);
        return own?.Id;
    }
}

/// <summary>Takes a task from one state to another.</summary>
internal sealed record ChangeState(SourceLine Line, Guid Uuid, string Kind) : Step(Line, Kind)
{
    public const string Complete = "complete";
    public const string Reopen = "reopen";
    public const string Delete = "delete";

    public override Guid? Needs => Uuid;

    public override async Task<string> DoAsync(
        Target target, CallSettings settings, CancellationToken cancellationToken)
    {
        var id = target.Tasks[Uuid];
        var tasks = target.Client.Tasks;
        await (Kind switch
        {
            Complete => tasks.CompleteAsync(id, 0, settings, cancellationToken),
            Reopen => tasks.ReopenAsync(id, 0, settings, cancellationToken),
            _ => tasks.DeleteAsync(id, 0, settings, cancellationToken),
        });
        return id;
    }
}
