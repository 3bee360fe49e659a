using Google.Protobuf.WellKnownTypes;
using Squall.V1;

namespace Squall.Server.Tests;

/// <summary>What tests of lists and tasks call again and again, in one line each.</summary>
internal static class TaskCalls
{
    public static async Task<TaskItem> AddAsync(
        this Client who, TaskList list, string title = "a task", Action<TaskItem>? set = null)
    {
        var task = new TaskItem { TaskListId = list.Id, Title = title };
        set?.Invoke(task);
        return (await who.Tasks.CreateTaskAsync(new() { Task = task }, who.Headers)).Task;
    }

    public static async Task<TaskItem> GetAsync(this Client who, TaskItem task) =>
        (await who.Tasks.GetTaskAsync(new() { TaskId = task.Id }, who.Headers)).Task;

    public static async Task<TaskList> GetAsync(this Client who, TaskList list) =>
        (await who.Lists.GetTaskListAsync(new() { TaskListId = list.Id }, who.Headers)).TaskList;

    /// <summary>Sets fields of a task, and names each in the mask.</summary>
    public static async Task<TaskItem> UpdateAsync(
        this Client who, TaskItem task, Action<TaskItem> set, params string[] paths) =>
        (await who.Tasks.UpdateTaskAsync(UpdateOf(task, set, paths), who.Headers)).Task;

    public static UpdateTaskRequest UpdateOf(TaskItem task, Action<TaskItem> set, params string[] paths)
    {
        var wanted = new TaskItem { Id = task.Id };
        set(wanted);
        return new UpdateTaskRequest { Task = wanted, UpdateMask = new FieldMask { Paths = { paths } } };
    }

    public static async Task<TaskItem> CompleteAsync(this Client who, TaskItem task) =>
        (await who.Tasks.CompleteTaskAsync(new() { TaskId = task.Id }, who.Headers)).Task;

    public static async Task DeleteAsync(this Client who, TaskItem task) =>
        await who.Tasks.DeleteTaskAsync(new() { TaskId = task.Id }, who.Headers);

    public static async Task DeleteAsync(this Client who, TaskList list) =>
        await who.Lists.DeleteTaskListAsync(new() { TaskListId = list.Id }, who.Headers);

    public static async Task<Comment> CommentAsync(this Client who, TaskItem task, string text) =>
        (await who.Tasks.CreateCommentAsync(
            new() { Comment = new() { TaskId = task.Id, Text = text } }, who.Headers)).Comment;

    /// <summary>All tasks of all pages.</summary>
    public static async Task<List<TaskItem>> ListAsync(
        this Client who, string filter = "", string orderBy = "", int pageSize = 0)
    {
        var request = new ListTasksRequest { Filter = filter, OrderBy = orderBy, PageSize = pageSize };
        return await who.ReadWhileAsync(request, () => Task.CompletedTask);
    }

    /// <summary>All tasks of all pages, while something happens after each.</summary>
    public static async Task<List<TaskItem>> ReadWhileAsync(
        this Client who, ListTasksRequest request, Func<Task> meanwhile)
    {
        var tasks = new List<TaskItem>();
        do
        {
            ListTasksResponse page = await who.Tasks.ListTasksAsync(request, who.Headers);
            tasks.AddRange(page.Tasks);
            request.PageToken = page.NextPageToken;
            await meanwhile();
        }
        while (request.PageToken.Length > 0);

        return tasks;
    }

    public static Task<List<TaskItem>> ListAsync(this Client who, TaskList list, string orderBy = "") =>
        who.ListAsync($"task_list_id = \"{list.Id}\"", orderBy);

    /// <summary>Where the journal stands, as one who sees all that is asked about sees it.</summary>
    public static async Task<string> CursorAsync(this Client who) => (await who.ReadNewsAsync("")).Cursor;

    /// <summary>What one who may see it is told of after a cursor, be it that a task is gone.</summary>
    public static async Task<Notification[]> ToldAsync(this Client who, string after) =>
        [.. (await who.ReadNewsAsync(after)).Messages.Select(message => message.Notification ?? message.Left)];

    public static async Task<Member[]> MembersAsync(this Client who, TaskList list) =>
        [.. (await who.Lists.ListMembersAsync(new() { TaskListId = list.Id }, who.Headers)).Members];

    private static async Task<(List<SubscribeResponse> Messages, string Cursor)> ReadNewsAsync(
        this Client who, string after)
    {
        var messages = new List<SubscribeResponse>();
        while (true)
        {
            ListNotificationsResponse page = await who.Notifications.ListNotificationsAsync(
                new() { After = after, PageSize = 1_000 }, who.Headers);
            messages.AddRange(page.Messages);
            if (page.NextCursor == after)
            {
                return (messages, after);
            }

            after = page.NextCursor;
        }
    }
}
