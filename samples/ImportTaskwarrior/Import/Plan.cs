namespace ImportTaskwarrior;

/// <summary>
/// What the states of a backlog ask for, in their order. It depends on the backlog alone, so that every run of the
/// import has the same plan, and a longer backlog a longer one.
/// </summary>
internal static class Plan
{
    /// <summary>Tells <paramref name="losses"/> what does not come over.</summary>
    public static IReadOnlyList<Step> Of(
        IEnumerable<TaskwarriorState> states, Losses losses, string noProject = "No project")
    {
        var steps = new List<Step>();
        var lists = new HashSet<string>(StringComparer.Ordinal);
        var tasks = new Dictionary<Guid, Wanted>();
        foreach (var state in states)
        {
            var wanted = Wanted.Of(state, losses);
            var before = tasks.GetValueOrDefault(state.Uuid) is { Standing: not Standing.Gone } known ? known : null;
            if (wanted.Standing != Standing.Gone && lists.Add(wanted.Project))
            {
                steps.Add(new CreateList(state.Line, wanted.Project, ListTitleOf(wanted.Project, noProject)));
            }

            steps.AddRange(Of(state.Line, before, wanted));
            tasks[state.Uuid] = wanted;
            foreach (var gone in before?.Comments.Except(wanted.Comments) ?? [])
            {
                losses.Add(state, "annotation removed", gone.Text, "Squall keeps comments as they are");
            }

            if (Fit.ListTitle(wanted.Project) != wanted.Project)
            {
                losses.Add(state, "project", wanted.Project, "Squall takes no such characters, or not so many");
            }
        }

        return steps;
    }

    /// <summary>The title of a project's list; what has no project stands in a list too.</summary>
    public static string ListTitleOf(string project, string noProject) =>
        project.Length == 0 ? noProject : Fit.ListTitle(project);

    private static IEnumerable<Step> Of(SourceLine line, Wanted? before, Wanted wanted)
    {
        if (wanted.Standing == Standing.Gone)
        {
            if (before is not null)
            {
                yield return new ChangeState(line, wanted.Uuid, ChangeState.Delete);
            }

            yield break;
        }

        if (before is null)
        {
            yield return new CreateTask(line, wanted);
        }
        else if (before.Standing == Standing.Done && wanted.Standing == Standing.Open)
        {
            yield return new ChangeState(line, wanted.Uuid, ChangeState.Reopen);
        }

        if (before is not null && wanted.Since(before).Paths.Count > 0)
        {
            yield return new UpdateTask(line, before, wanted);
        }

        foreach (var (index, comment) in wanted.Comments.Except(before?.Comments ?? []).Index())
        {
            yield return new AddComment(line, wanted.Uuid, comment.Text, index + 1);
        }

        if (wanted.Standing == Standing.Done && before?.Standing != Standing.Done)
        {
            yield return new ChangeState(line, wanted.Uuid, ChangeState.Complete);
        }
    }
}
