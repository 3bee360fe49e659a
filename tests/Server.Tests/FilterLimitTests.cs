using System.Diagnostics;
using SQLitePCL;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Squall.V1;

namespace Squall.Server.Tests;

/// <summary>A filter at its limits costs so much and no more: counted, not timed, where that can be.</summary>
public sealed class FilterLimitTests : IAsyncLifetime
{
    private const int NoteBytes = 64 << 10;

    /// <summary>Nothing here takes a hundredth of it, on a machine that has nothing else to do.</summary>
    private static readonly TimeSpan Net = TimeSpan.FromMinutes(2);
    private static readonly Caller Me = new("me", "session", new Need(Proof.SessionOrKey, Role.Unspecified));
    private readonly string _list = Ids.New(1);
    private Ground _ground = null!;

    /// <summary>Filters of 4 KiB or 50 terms, none of which is found by an index alone.</summary>
    public static TheoryData<string, string> Filters => new()
    {
        { "fifty phrases", Join(" ", 50, at => $"-\"{Words(38, at)}\"") },
        { "one phrase", $"NOT \"{Words(2_040, 0)}\"" },
        { "fifty words, one of them long", $"({Join(" OR ", 49, at => $"z{at}")} OR {new string('b', 3_000)})" },
        { "fifty words, of which half must match", Join(" ", 25, _ => "(a OR x)") },
        { "NOT fifty deep", string.Concat(Enumerable.Repeat("NOT (", 49)) + "NOT a" + new string(')', 49) },
        { "parentheses fifty deep", new string('(', 49) + "-(a)" + new string(')', 49) },
        { "fifty fields", Join(" OR ", 50, at => $"title < t{at}") },
        { "fifty labels", Join(" ", 50, at => $"NOT labels:l{at}") },
        { "labels in one", $"labels:({Join(" OR ", 50, at => $"l{at}")})" },
        { "a long word", $"NOT {new string('я', 2_000)}" },
    };

    public async Task InitializeAsync()
    {
        _ground = await Ground.StartAsync();
        await _ground.RunAsync(scope =>
        {
            scope.Db.Members.Add(new MemberRow { ListId = _list, AccountId = Me.AccountId, Role = (int)Role.Viewer });
            return true;
        });
    }

    public async Task DisposeAsync() => await _ground.DisposeAsync();

    [Theory]
    [MemberData(nameof(Filters))]
    public Task It_takes_steps_in_proportion_to_the_tasks_and_the_terms(string name, string text) =>
        ProportionateAsync(name, Filter.Parse(text, _ground.Limits), timesOf: _ => 1);

    /// <summary>Control: whoever looked at every task once for each hundred is told.</summary>
    [Fact]
    public Task Steps_in_proportion_to_the_square_are_told() => Assert.ThrowsAsync<Xunit.Sdk.TrueException>(
        () => ProportionateAsync("control", Filter.Parse("NOT a", _ground.Limits), tasks => tasks / 100));

    [Theory]
    [MemberData(nameof(Filters))]
    public async Task It_ends_over_the_longest_notes_there_are(string name, string text)
    {
        string[] notes =
        [
            Words(NoteBytes / 2, -1), new('a', NoteBytes), string.Concat(Enumerable.Repeat("a ", NoteBytes / 2)),
            new('\uFDFA', NoteBytes / 3), string.Concat(Enumerable.Repeat("я́ ", NoteBytes / 5)),
            new('\u0301', NoteBytes / 2),
        ];
        TaskItem[] tasks = await StoreAsync(notes.Length, at => notes[at]);
        var time = Stopwatch.StartNew();
        await StepsAsync(Filter.Parse(text, _ground.Limits), tasks);
        Assert.True(time.Elapsed < Net, $"{name}: {time.Elapsed}");
    }

    /// <summary>Counted by what is allocated: cutting a note is nearly all of it.</summary>
    [Fact]
    public void A_note_is_cut_once_for_all_phrases_of_a_filter()
    {
        var task = new TaskItem { Title = "a", Note = Words(NoteBytes / 2, -1) };
        long one = Allocated(Filter.Parse("-x1", new Limits()), task);
        long fifty = Allocated(Filter.Parse(Join(" ", 50, at => $"-x{at}"), new Limits()), task);
        Assert.InRange(one, NoteBytes, long.MaxValue);
        Assert.InRange(fifty, one / 2, one * 3 / 2);
    }

    /// <param name="timesOf">How often it is asked of so many tasks.</param>
    private async Task ProportionateAsync(string name, Filter filter, Func<int, int> timesOf)
    {
        TaskItem[] tasks = [];
        long[] steps = new long[2];
        for (int round = 0; round < steps.Length; round++)
        {
            tasks = [.. tasks, .. await StoreAsync(200, at => at % 2 == 0 ? "a a" : "")];
            for (int time = timesOf(tasks.Length); time > 0; time--)
            {
                steps[round] += await StepsAsync(filter, tasks);
            }
        }

        Assert.True(steps[1] < (steps[0] * 5 / 2) + 1_000, $"{name}: {steps[0]} steps, then {steps[1]}");
        Assert.True(steps[1] < tasks.Length * 50 * 100, $"{name}: {steps[1]} steps");
    }

    private static long Allocated(Filter filter, TaskItem task)
    {
        Assert.True(filter.Matches(task));
        long before = GC.GetAllocatedBytesForCurrentThread();
        filter.Matches(task);
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }

    private static string Words(int count, int last) =>
        Join(" ", count, at => at == count - 1 && last >= 0 ? "b" : "a");

    private static string Join(string between, int count, Func<int, string> of) =>
        string.Join(between, Enumerable.Range(0, count).Select(of));

    /// <summary>The steps of SQLite's machine for a page, which has the tasks that the predicate leaves.</summary>
    private Task<long> StepsAsync(Filter filter, TaskItem[] tasks) => _ground.ReadAsync(db =>
    {
        long steps = 0;
        var connection = (SqliteConnection)db.Database.GetDbConnection();
        raw.sqlite3_progress_handler(connection.Handle, 1, _ => (int)(steps++ & 0), null);
        try
        {
            TaskOrder order = TaskOrder.Parse("", filter.OnlyList is not null);
            var token = new PageToken("");
            var page = new TaskPages(Me, filter, order, null, 1_000).Read(db, token, int.MaxValue);
            Assert.Equal(tasks.Where(filter.Matches).Select(task => task.Id), page.Tasks.Select(task => task.Id));
            return steps;
        }
        finally
        {
            raw.sqlite3_progress_handler(connection.Handle, 0, null, null);
        }
    });

    private Task<TaskItem[]> StoreAsync(int count, Func<int, string> note) => _ground.RunAsync(scope =>
    {
        long last = scope.Db.Tasks.Max(task => (long?)task.Num) ?? 0;
        return Enumerable.Range(0, count).Select(at => Store(scope, last + 1 + at, note(at))).ToArray();
    });

    private TaskItem Store(ChangeScope scope, long num, string note)
    {
        var row = new TaskRow
        {
            Num = num,
            Id = Ids.New(num),
            ListId = _list,
            Title = $"t{num}",
            Note = note.Length > 0 ? note : null,
            Rank = $"{num:D9}",
            CreatorId = "someone",
            Version = 1,
        };
        scope.Db.Tasks.Add(row);
        TaskTerms.Add(scope, row);
        return row.ToProto();
    }
}
