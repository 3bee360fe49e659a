using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Squall.V1;

namespace Squall.Faults;

/// <summary>
/// One caller: makes, changes, moves, ends and deletes tasks of its own, one call at a time, each under a request id,
/// and books what is acknowledged.
/// </summary>
internal sealed class TaskWriter(Book book, Connection connection, string[] listIds, Random random)
{
    private const int KeptOfBatchMax = 5;
    private const int FillBatch = 250;
    private readonly List<TaskItem> _own = [];

    /// <summary>How many tasks are made at once, at most.</summary>
    public int BatchMax { get; init; } = 5;

    /// <summary>From here on it deletes one in place of making another.</summary>
    public int TasksMax { get; init; } = int.MaxValue;

    /// <summary>Makes as many tasks as it may have.</summary>
    public async Task FillAsync()
    {
        while (_own.Count < TasksMax)
        {
            int count = Math.Min(FillBatch, TasksMax - _own.Count);
            await CreateBatchAsync(count, count);
        }
    }

    public async Task RunAsync(CancellationToken end)
    {
        while (!end.IsCancellationRequested)
        {
            try
            {
                await NextAsync();
            }
            catch (RpcException refusal)
            {
                book.Refuse(refusal.Status);
            }
        }
    }

    public async Task CreateAsync()
    {
        TaskItem asked = NewTask();
        TaskItem made = await connection.CallAsync(async (tasks, id, options) =>
            (await tasks.CreateTaskAsync(new CreateTaskRequest { Task = asked, RequestId = id }, options)).Task);
        book.Created(asked, made);
        _own.Add(made);
    }

    private Task NextAsync()
    {
        if (_own.Count == 0)
        {
            return CreateAsync();
        }

        bool isFull = _own.Count >= TasksMax;

        // Taken off meanwhile: what is refused, or deleted, is not asked for again.
        int at = random.Next(_own.Count);
        TaskItem task = _own[at];
        return random.Next(100) switch
        {
            < 40 when isFull => DeleteAsync(Take(at)),
            < 35 => CreateAsync(),
            < 40 => CreateBatchAsync(random.Next(2, BatchMax + 1), KeptOfBatchMax),
            < 55 => UpdateAsync(Take(at)),
            < 65 => MoveAsync(Take(at)),
            < 80 => EndAsync(Take(at)),
            < 90 => CommentAsync(task),
            _ => DeleteAsync(Take(at)),
        };
    }

    private TaskItem Take(int at)
    {
        TaskItem task = _own[at];
        _own.RemoveAt(at);
        return task;
    }

    private TaskItem NewTask()
    {
        var task = new TaskItem
        {
            TaskListId = listIds[random.Next(listIds.Length)],
            Title = book.NewTitle(),
            Priority = (Priority)random.Next(5),
        };
        if (random.Next(4) == 0)
        {
            task.Labels.AddRange(["first", "second"]);
        }

        return task;
    }

    /// <summary>Only some are changed later: what a writer goes on with is bounded.</summary>
    private async Task CreateBatchAsync(int count, int kept)
    {
        TaskItem[] asked = [.. Enumerable.Range(0, count).Select(_ => NewTask())];
        Array.ForEach(asked, task => task.TaskListId = asked[0].TaskListId);
        IList<TaskItem> made = await connection.CallAsync(async (tasks, id, options) =>
        {
            var request = new BatchCreateTasksRequest
            {
                TaskListId = asked[0].TaskListId,
                Tasks = { asked },
                RequestId = id,
            };
            return (await tasks.BatchCreateTasksAsync(request, options)).Tasks;
        });
        foreach ((TaskItem task, TaskItem answer) in asked.Zip(made))
        {
            book.Created(task, answer);
        }

        _own.AddRange(made.Take(kept));
    }

    private async Task UpdateAsync(TaskItem before)
    {
        TaskItem asked = before.Clone();
        asked.Title = book.NewTitle();
        asked.Note = $"It was {before.Title}.";
        asked.Labels.Clear();
        asked.Labels.Add(asked.Title);
        await ChangeAsync(before, asked, async (tasks, id, options) => (await tasks.UpdateTaskAsync(
            new UpdateTaskRequest
            {
                Task = asked,
                UpdateMask = new FieldMask { Paths = { "title", "note", "labels" } },
                ExpectedVersion = before.Version,
                RequestId = id,
            },
            options)).Task);
    }

    private async Task MoveAsync(TaskItem before)
    {
        TaskItem asked = before.Clone();
        asked.TaskListId = listIds.First(id => id != before.TaskListId);
        await ChangeAsync(before, asked, async (tasks, id, options) => (await tasks.UpdateTaskAsync(
            new UpdateTaskRequest
            {
                Task = asked,
                UpdateMask = new FieldMask { Paths = { "task_list_id" } },
                RequestId = id,
            },
            options)).Task);
    }

    private async Task EndAsync(TaskItem before)
    {
        TaskItem asked = before.Clone();
        if (before.State == TaskState.Open)
        {
            asked.State = TaskState.Done;
            await ChangeAsync(before, asked, async (tasks, id, options) => (await tasks.CompleteTaskAsync(
                new CompleteTaskRequest { TaskId = before.Id, RequestId = id }, options)).Task);
            return;
        }

        asked.State = TaskState.Open;
        await ChangeAsync(before, asked, async (tasks, id, options) => (await tasks.ReopenTaskAsync(
            new ReopenTaskRequest { TaskId = before.Id, RequestId = id }, options)).Task);
    }

    private async Task ChangeAsync(
        TaskItem before, TaskItem asked,
        Func<TaskService.TaskServiceClient, string, CallOptions, Task<TaskItem>> call)
    {
        TaskItem answer = await connection.CallAsync(call);
        book.Changed(before, asked, answer);
        _own.Add(answer);
    }

    private async Task CommentAsync(TaskItem task)
    {
        string text = book.NewTitle();
        Comment made = await connection.CallAsync(async (tasks, id, options) => (await tasks.CreateCommentAsync(
            new CreateCommentRequest
            {
                Comment = new Comment { TaskId = task.Id, Text = text },
                RequestId = id,
            },
            options)).Comment);
        book.Commented(task, text, made);
    }

    private async Task DeleteAsync(TaskItem before)
    {
        await connection.CallAsync(async (tasks, id, options) =>
            await tasks.DeleteTaskAsync(new DeleteTaskRequest { TaskId = before.Id, RequestId = id }, options));
        book.Deleted(before);
    }
}
