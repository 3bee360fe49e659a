using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.Extensions.Logging.Abstractions;
using Squall.V1;

namespace Squall.Server.Tests;

/// <summary>A database of before there were words and numbers of tasks.</summary>
public sealed class TaskSearchMigrationTests : HostingPlace
{
    private const string Before = "20261124154604_Initial";
    private const int Tasks = 700;
    private static readonly Caller Me = new("me", "session", new Need(Proof.SessionOrKey, Role.Unspecified));
    private readonly string[] _lists = [Ids.New(1), Ids.New(2)];

    private string Database => Path.Combine(Place, "squall.db");

    [Fact]
    public async Task Its_tasks_are_kept_and_found_by_their_words_and_labels()
    {
        using var store = new Store(Database);
        TaskItem[] old = Fill(store);
        using var journal = new Journal(store, new Limits(), TimeProvider.System, NullLogger<Journal>.Instance);
        journal.Start();
        string[] filters =
        [
            "", "printer", "\"no 78\"", "labels:x", "labels:x même", "\"a note\" OR labels:y",
            $"task_list_id = {_lists[1]} a",
        ];
        foreach (string text in filters)
        {
            Filter filter = Filter.Parse(text, new Limits());
            TaskItem[] expected = [.. old.Where(filter.Matches).OrderBy(task => task.Id, StringComparer.Ordinal)];
            Assert.NotEmpty(expected);
            TaskOrder order = TaskOrder.Parse("create_time", filter.OnlyList is not null);
            var pages = new TaskPages(Me, filter, order, null, 1_000);
            Assert.Equal(expected, await store.ReadAsync(
                db => pages.Read(db, new PageToken(""), 3 << 20).Tasks, CancellationToken.None));
        }

        Assert.Equal(
            Enumerable.Range(1, Tasks).Select(num => (long)num),
            await store.ReadAsync(
                db => db.Tasks.OrderBy(task => task.Id).Select(task => task.Num).ToArray(), CancellationToken.None));
        await journal.RunAsync(
            scope => scope.Db.Execute("INSERT INTO task_words (task_words) VALUES ('integrity-check')"),
            null, 0, CancellationToken.None);
        await journal.StopAsync();
    }

    private TaskItem[] Fill(Store store)
    {
        using SquallDb db = store.OpenWriter();
        db.Database.AutoTransactionBehavior = AutoTransactionBehavior.WhenNeeded;
        db.GetService<IMigrator>().Migrate(Before);
        foreach (string list in _lists)
        {
            db.Members.Add(new MemberRow { ListId = list, AccountId = Me.AccountId, Role = (int)Role.Viewer });
        }

        db.SaveChanges();
        return [.. Enumerable.Range(0, Tasks).Reverse().Select(at => Insert(db, at))];
    }

    private TaskItem Insert(SquallDb db, int at)
    {
        string[] labels = at % 5 == 0 ? ["x", "y"] : [];
        var row = new TaskRow
        {
            Num = 0,
            Id = Ids.New(1_000_000 + at),
            ListId = _lists[at % 2],
            Title = at % 3 == 0 ? $"A printer, no. {at}" : $"Même chose {at}",
            Note = at % 7 == 0 ? "a NOTE" : null,
            State = (int)TaskState.Open,
            Labels = labels,
            Rank = $"{at:D6}",
            CreatorId = "someone",
            CreateTimeMicros = 1_000_000 + at,
            UpdateTimeMicros = 5,
            DueTimeMicros = at % 2 == 0 ? at : null,
            Version = 3,
        };
        db.Execute(
            """
            INSERT INTO tasks ("Id", "ListId", "Title", "Note", "State", "Priority", "Labels", "Rank", "CreatorId",
                "CreateTimeMicros", "UpdateTimeMicros", "DueTimeMicros", "Version", "StepCount", "CommentCount")
            VALUES (@id, @list, @title, @note, @state, 0, @labels, @rank, @creator, @create, @update, @due, 3, 0, 0)
            """,
            ("@id", row.Id), ("@list", row.ListId), ("@title", row.Title), ("@note", row.Note), ("@state", row.State),
            ("@labels", labels.Length == 0 ? "[]" : """["x","y"]"""), ("@rank", row.Rank), ("@creator", row.CreatorId),
            ("@create", row.CreateTimeMicros), ("@update", row.UpdateTimeMicros), ("@due", row.DueTimeMicros));
        foreach (string label in labels)
        {
            db.Execute("INSERT INTO task_labels VALUES (@id, @label)", ("@id", row.Id), ("@label", label));
        }

        return row.ToProto();
    }
}
