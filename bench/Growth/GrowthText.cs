using System.Globalization;
using Google.Protobuf.WellKnownTypes;
using Squall.V1;

namespace Squall.Bench;

/// <summary>Tasks as people write them, the same each time: the words of one list are those of all others.</summary>
internal static class GrowthText
{
    /// <summary>What is searched for: in one title of eight.</summary>
    public const string Word = "plumber";

    private static readonly DateTime Begin = new(2026, 12, 1, 9, 0, 0, DateTimeKind.Utc);
    private static readonly string[] Verbs =
        ["Call", "Ask", "Pay", "Remind", "Invite", "Thank", "Answer", "Meet", "Visit", "Write to", "Wait for"];
    private static readonly string[] Whom =
        [Word, "landlord", "dentist", "accountant", "neighbours", "new colleague", "printer's shop", "café"];
    private static readonly string[] Matters =
    [
        "leaking tap in the kitchen", "invoice of last month", "birthday on Saturday", "broken heating",
        "tickets to Zürich", "tax return", "garden fence", "contract's second page", "backup of the photos",
        "keys of the cellar", "parcel that never came", "piano lessons", "winter tyres",
    ];

    public static string ListTitle(int number) => string.Create(
        CultureInfo.InvariantCulture, $"{Whom[number % Whom.Length]} and {Matters[number % Matters.Length]}, {number}");

    public static string Title(int number) => string.Create(
        CultureInfo.InvariantCulture,
        $"{Verbs[number % Verbs.Length]} the {Whom[number % Whom.Length]} about the {Matters[number % Matters.Length]}"
        + $" ({number})");

    /// <summary>Every third one has a note, every fourth labels, every second is due, every fifth has a priority.
    /// </summary>
    public static TaskItem Task(int number)
    {
        var task = new TaskItem { Title = Title(number) };
        if (number % 3 == 0)
        {
            task.Note = $"They said it was *not* urgent. See also: {Matters[(number + 5) % Matters.Length]}.";
        }

        if (number % 4 == 0)
        {
            task.Labels.Add(["home", Whom[number / 4 % Whom.Length]]);
        }

        if (number % 2 == 1)
        {
            task.DueTime = Begin.AddMinutes(number * 37L % 500_000).ToTimestamp();
        }

        if (number % 5 == 0)
        {
            task.Priority = (Priority)(1 + (number / 5 % 4));
        }

        return task;
    }
}
