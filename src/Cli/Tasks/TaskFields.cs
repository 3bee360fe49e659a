using System.CommandLine;
using Google.Protobuf.WellKnownTypes;
using Option = System.CommandLine.Option;
using Squall.V1;

namespace Squall.Cli;

/// <summary>The options that say what a task is like, and what they do to one.</summary>
internal static class TaskFields
{
    public const string None = "none";

    private static readonly string[] Priorities = [None, "low", "medium", "high", "urgent"];

    private static readonly Option<string?> Note = new("--note")
    {
        Description = "What there is to say about it; '' for nothing.",
        HelpName = "TEXT",
    };

    private static readonly Option<string?> Due = new("--due")
    {
        Description = $"When it is due: {DueTime.Forms}.",
        HelpName = "TIME",
    };

    private static readonly Option<string?> Priority = new("--priority")
    {
        Description = $"How urgent it is: {string.Join(", ", Priorities)}.",
        HelpName = "PRIORITY",
    };

    private static readonly Option<string[]> Label = new("--label")
    {
        Description = "A label that it gets; may be given several times.",
        HelpName = "LABEL",
        Arity = ArgumentArity.OneOrMore,
    };

    private static readonly Option<string?> Assignee = new("--assignee")
    {
        Description = "The member that should do it, by its name; me for yourself; or none.",
        HelpName = "USERNAME",
    };

    private static readonly Option<string?> Parent = new("--parent")
    {
        Description = "The task that it is a step of; or none.",
        HelpName = "TASK",
    };

    private static readonly Option<string?> Rank = new("--rank")
    {
        Description = "Where it stands in its list: 1 to 64 of 0-9 and a-z, by plain comparison.",
        HelpName = "RANK",
    };

    public static IReadOnlyList<Option> All { get; } = [Note, Due, Priority, Label, Assignee, Parent, Rank];

    static TaskFields()
    {
        Priority.AcceptOnlyFromAmong(StringComparer.OrdinalIgnoreCase, Priorities);
        Due.Validators.Add(result =>
        {
            var text = result.GetValueOrDefault<string?>();
            if (text is not null && !DueTime.TryParse(text, TimeProvider.System, out _))
            {
                result.AddError($"'{text}' is no time: write {DueTime.Forms}.");
            }
        });
    }

    /// <summary>What the given options do to a task, once the names in them are looked up.</summary>
    /// <param name="listOf">The list that the task is in, whose members can be assignees.</param>
    public static async Task<Action<TaskItem>> ChangeAsync(Invocation run, Func<Task<string>> listOf)
    {
        var assigneeId = run.Given(Assignee) switch
        {
            null or None => "",
            var name => (await People.MemberAsync(run, await listOf(), name)).AccountId,
        };
        var parentId = run.Given(Parent) switch
        {
            null or None => "",
            var part => await TaskLookup.IdOfAsync(run, part),
        };
        return task =>
        {
            Set(Note, note => task.Note = note);
            Set(Due, due => task.DueTime = TimeOf(due, run.Time));
            Set(Priority, priority => task.Priority = PriorityOf(priority));
            Set(Assignee, _ => task.AssigneeId = assigneeId);
            Set(Parent, _ => task.ParentId = parentId);
            Set(Rank, rank => task.Rank = rank);
            task.Labels.Add((run.Given(Label) ?? []).Except(task.Labels));
        };

        void Set(Option<string?> option, Action<string> set)
        {
            if (run.Given(option) is { } text)
            {
                set(text);
            }
        }
    }

    private static Timestamp? TimeOf(string text, TimeProvider time) =>
        DueTime.TryParse(text, time, out var due) && due is { } at ? Timestamp.FromDateTimeOffset(at) : null;

    private static Priority PriorityOf(string text) =>
        text.Equals(None, StringComparison.OrdinalIgnoreCase)
            ? V1.Priority.Unspecified
            : System.Enum.Parse<Priority>(text, ignoreCase: true);
}
