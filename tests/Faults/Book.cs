using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Google.Protobuf;
using Grpc.Core;
using Squall.V1;

namespace Squall.Faults;

/// <summary>What one writer was acknowledged: its tasks as they are now, and what is to be told of them.</summary>
internal sealed class Book(int writer)
{
    private readonly Dictionary<string, UInt128> _tasks = [];
    private readonly Dictionary<string, List<Comment>> _comments = [];
    private readonly List<UInt128> _told = [];
    private readonly List<string> _refusals = [];
    private int _titles;

    public int Writer => writer;
    public int Acknowledged { get; private set; }
    public int WrongAnswers { get; private set; }
    public IReadOnlyList<string> Refusals => _refusals;

    /// <summary>The prints of the tasks that are there, by id.</summary>
    public IReadOnlyDictionary<string, UInt128> Tasks => _tasks;

    /// <summary>By task, of those that are there.</summary>
    public IReadOnlyDictionary<string, List<Comment>> Comments => _comments;

    /// <summary>How many changes are to be told, so far.</summary>
    public int ToldCount
    {
        get
        {
            lock (_told)
            {
                return _told.Count;
            }
        }
    }

    /// <summary>One that says whose it is, and that no other task has.</summary>
    public string NewTitle() => string.Create(CultureInfo.InvariantCulture, $"{writer}-{_titles++}");

    public static int WriterOf(string title) =>
        int.Parse(title.AsSpan(0, title.IndexOf('-', StringComparison.Ordinal)), CultureInfo.InvariantCulture);

    /// <summary>A task was made as <paramref name="asked"/>.</summary>
    public void Created(TaskItem asked, TaskItem answer)
    {
        TaskItem expected = asked.Clone();
        expected.Id = answer.Id;
        expected.CreatorId = answer.CreatorId;
        expected.CreateTime = answer.CreateTime;
        expected.State = TaskState.Open;
        Take(expected, answer);
        Appeared(answer);
    }

    /// <summary>A task of <paramref name="before"/> is now as <paramref name="asked"/>.</summary>
    public void Changed(TaskItem before, TaskItem asked, TaskItem answer)
    {
        Take(asked, answer);
        if (before.TaskListId != answer.TaskListId)
        {
            Disappeared(before);
            Appeared(answer);
            return;
        }

        var told = new Notification { TaskListId = answer.TaskListId };
        switch (before.State, answer.State)
        {
            case (_, TaskState.Done) when before.State != TaskState.Done:
                told.TaskCompleted = new TaskCompleted { Task = answer };
                break;
            case (TaskState.Done, TaskState.Open):
                told.TaskReopened = new TaskReopened { Task = answer };
                break;
            default:
                told.TaskUpdated = new TaskUpdated { Task = answer };
                break;
        }

        Tell(told);
    }

    public void Deleted(TaskItem before)
    {
        Acknowledged++;
        _tasks.Remove(before.Id);
        _comments.Remove(before.Id);
        Disappeared(before);
    }

    public void Commented(TaskItem task, string text, Comment answer)
    {
        Acknowledged++;
        WrongAnswers += answer.TaskId == task.Id && answer.Text == text ? 0 : 1;
        if (!_comments.TryGetValue(task.Id, out List<Comment>? conversation))
        {
            _comments[task.Id] = conversation = [];
        }

        conversation.Add(answer);
        Tell(new Notification
        {
            TaskListId = task.TaskListId,
            CommentCreated = new CommentCreated { Comment = answer },
        });
    }

    /// <summary>The prints of what is to be told, so far.</summary>
    public UInt128[] Told()
    {
        lock (_told)
        {
            return [.. _told];
        }
    }

    /// <summary>
    /// How many of <paramref name="told"/>, from its first on, are what is to be told from a place on.
    /// </summary>
    public int Agreement(int place, List<UInt128> told)
    {
        lock (_told)
        {
            int same = 0;
            while (same < told.Count && place + same < _told.Count && _told[place + same] == told[same])
            {
                same++;
            }

            return same;
        }
    }

    /// <summary>The server refused what it had no ground to refuse.</summary>
    public void Refuse(Status status) => _refusals.Add(status.StatusCode.ToString());

    /// <summary>The task as it is after a change; null: it is gone, or the change is another.</summary>
    public static TaskItem? TaskOf(Notification change) => change.EventCase switch
    {
        Notification.EventOneofCase.TaskCreated => change.TaskCreated.Task,
        Notification.EventOneofCase.TaskUpdated => change.TaskUpdated.Task,
        Notification.EventOneofCase.TaskCompleted => change.TaskCompleted.Task,
        Notification.EventOneofCase.TaskReopened => change.TaskReopened.Task,
        _ => null,
    };

    /// <summary>The id of the task that a notification is about; empty: of none.</summary>
    public static string SubjectOf(Notification notification) => TaskOf(notification)?.Id
        ?? notification.TaskDeleted?.TaskId ?? notification.CommentCreated?.Comment.TaskId ?? "";

    /// <summary>Without what a caller cannot know of its own change.</summary>
    public static Notification Plain(Notification notification)
    {
        Notification plain = notification.Clone();
        plain.Cursor = "";
        plain.Time = null;
        plain.ActorId = "";
        if (plain.TaskUpdated is { } updated)
        {
            updated.Changed = null;
        }

        return plain;
    }

    /// <summary>Two that differ in anything have different ones.</summary>
    public static UInt128 Print(IMessage message) =>
        MemoryMarshal.Read<UInt128>(SHA256.HashData(message.ToByteArray()));

    private void Tell(Notification told)
    {
        UInt128 print = Print(told);
        lock (_told)
        {
            _told.Add(print);
        }
    }

    /// <summary>An answer must be what was asked for, one version on; the rest is the server's to set.</summary>
    private void Take(TaskItem asked, TaskItem answer)
    {
        TaskItem expected = asked.Clone();
        expected.Version = asked.Version + 1;
        expected.Rank = answer.Rank;
        expected.UpdateTime = answer.UpdateTime;
        expected.CompleteTime = answer.State == TaskState.Done ? answer.CompleteTime : null;
        WrongAnswers += expected.Equals(answer) ? 0 : 1;
        Acknowledged++;
        _tasks[answer.Id] = Print(answer);
    }

    private void Appeared(TaskItem task) =>
        Tell(new Notification { TaskListId = task.TaskListId, TaskCreated = new TaskCreated { Task = task } });

    private void Disappeared(TaskItem task)
    {
        var deleted = new TaskDeleted { TaskId = task.Id };
        Tell(new Notification { TaskListId = task.TaskListId, TaskDeleted = deleted });
    }
}
