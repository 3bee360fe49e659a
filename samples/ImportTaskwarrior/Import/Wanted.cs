using Google.Protobuf.WellKnownTypes;
using Squall.V1;

namespace ImportTaskwarrior;

internal enum Standing
{
    Open,
    Done,

    /// <summary>Deleted, so that Squall has nothing of it.</summary>
    Gone,
}

/// <summary>How a task of Taskwarrior is to stand in Squall.</summary>
internal sealed record Wanted(Guid Uuid, Standing Standing, string Project, string Title, string Note)
{
    /// <summary>A task is found by its label, which begins so and ends with its uuid.</summary>
    private const string LabelPrefix = "taskwarrior:";

    private const int TagsMax = 49;

    public Priority Priority { get; private init; }

    public IReadOnlyList<string> Labels { get; private init; } = [];

    public DateTimeOffset? Due { get; private init; }

    public IReadOnlyList<Annotation> Comments { get; private init; } = [];

    /// <summary>Tells <paramref name="losses"/> what of the state does not come over.</summary>
    public static Wanted Of(TaskwarriorState state, Losses losses)
    {
        losses.AddOthers(state);
        if (state.Status is Status.Waiting or Status.Recurring)
        {
            losses.Add(state, "status", state.Status.ToString().ToLowerInvariant(), "is open in Squall");
        }

        return new Wanted(
            state.Uuid, StandingOf(state.Status), state.Project, Fit.Title(state.Description), NoteOf(state, losses))
        {
            Priority = PriorityOf(state, losses),
            Labels = [LabelOf(state.Uuid), .. Tags(state, losses)],
            Due = state.Due,
            Comments = [.. state.Annotations.Select(annotation => CommentOf(state, annotation, losses))],
        };
    }

    /// <summary>The label that a task of Squall is found by.</summary>
    public static string LabelOf(Guid uuid) => $"{LabelPrefix}{uuid}";

    /// <summary>Which task of Taskwarrior a task of Squall came from; null: none.</summary>
    public static Guid? UuidOf(TaskItem task) => task.Labels
        .Where(label => label.StartsWith(LabelPrefix, StringComparison.Ordinal))
        .Select(label => Guid.TryParseExact(label[LabelPrefix.Length..], "D", out var uuid) ? uuid : (Guid?)null)
        .FirstOrDefault(uuid => uuid is not null);

    /// <summary>All that a task of Squall is given.</summary>
    public TaskItem ToTask(string taskListId) => new()
    {
        TaskListId = taskListId,
        Title = Title,
        Note = Note,
        Priority = Priority,
        Labels = { Labels },
        DueTime = Due is { } due ? Timestamp.FromDateTimeOffset(due) : null,
    };

    /// <summary>What differs, as an update's mask names it.</summary>
    public FieldMask Since(Wanted before)
    {
        var mask = new FieldMask();
        AddIf(Project != before.Project, "task_list_id");
        AddIf(Title != before.Title, "title");
        AddIf(Note != before.Note, "note");
        AddIf(Priority != before.Priority, "priority");
        AddIf(!Labels.SequenceEqual(before.Labels), "labels");
        AddIf(Due != before.Due, "due_time");
        return mask;

        void AddIf(bool differs, string path)
        {
            if (differs)
            {
                mask.Paths.Add(path);
            }
        }
    }

    private static Standing StandingOf(Status status) => status switch
    {
        Status.Completed => Standing.Done,
        Status.Deleted => Standing.Gone,
        _ => Standing.Open,
    };

    /// <summary>A description that is no title, by its length or its lines, stands in the note as it is.</summary>
    private static string NoteOf(TaskwarriorState state, Losses losses)
    {
        if (Fit.Title(state.Description) == state.Description)
        {
            return "";
        }

        var note = Fit.Note(state.Description);
        if (note != state.Description)
        {
            losses.Add(state, "description", state.Description, "Squall takes no such characters, or not so many");
        }

        return note;
    }

    private static Priority PriorityOf(TaskwarriorState state, Losses losses)
    {
        switch (state.Priority)
        {
            case "":
                return Priority.Unspecified;
            case "H":
                return Priority.High;
            case "M":
                return Priority.Medium;
            case "L":
                return Priority.Low;
            default:
                losses.Add(state, "priority", state.Priority, "is none of H, M and L");
                return Priority.Unspecified;
        }
    }

    private static IEnumerable<string> Tags(TaskwarriorState state, Losses losses)
    {
        foreach (var (index, tag) in state.Tags.Where(tag => Fit.Label(tag) == tag).Index())
        {
            if (index < TagsMax)
            {
                yield return tag;
            }
            else
            {
                losses.Add(state, "tags", tag, $"Squall has no more than {TagsMax + 1} labels");
            }
        }

        foreach (var tag in state.Tags.Where(tag => Fit.Label(tag) != tag))
        {
            losses.Add(state, "tags", tag, "is no label of Squall: too long, or a control character");
        }
    }

    private static Annotation CommentOf(TaskwarriorState state, Annotation annotation, Losses losses)
    {
        losses.Add(
            state, "annotation time", annotation.Time.UtcDateTime.ToString("u"), "Squall sets a comment's create_time");
        var text = Fit.Comment(annotation.Text);
        if (text != annotation.Text)
        {
            losses.Add(state, "annotation", annotation.Text, "Squall takes no such characters, or not so many");
        }

        return annotation with { Text = text };
    }
}
