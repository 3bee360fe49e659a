using Squall.V1;

namespace Squall.Server.Tests;

/// <summary>Changes of lists, members and tasks, each told as the service tells it.</summary>
internal static class SubscribeChanges
{
    public static Task<string> CreateListAsync(this SubscribeWorld world, string owner) => world.ChangeAsync(change =>
    {
        string id = Ids.New(change.NowMicros);
        change.Db.TaskLists.Add(new TaskListRow { Id = id, Title = "list", Version = 1, MemberCount = 1 });
        change.Db.Members.Add(
            new MemberRow { ListId = id, AccountId = owner, Role = (int)Role.Owner, SinceSeq = change.NextSeq });
        change.Tell(owner, id, new Notification
        {
            TaskListCreated = new TaskListCreated { TaskList = new TaskList { Id = id, Title = "list", Version = 1 } },
        });
        return id;
    });

    public static Task<long> DeleteListAsync(this SubscribeWorld world, string list) => world.ChangeAsync(change =>
    {
        foreach (MemberRow member in change.Db.Members.Where(row => row.ListId == list && row.EndSeq == null))
        {
            member.EndSeq = change.NextSeq;
        }

        return change.Tell("", list, new Notification
        {
            TaskListDeleted = new TaskListDeleted { TaskListId = list },
        }).Seq;
    });

    public static Task<long> SetMemberAsync(
        this SubscribeWorld world, string list, string account, Role role = Role.Editor) => world.ChangeAsync(change =>
    {
        MemberRow? member = change.Db.Members.SingleOrDefault(row => row.ListId == list && row.AccountId == account);
        if (member is null)
        {
            member = new MemberRow { ListId = list, AccountId = account, SinceSeq = change.NextSeq };
            change.Db.Members.Add(member);
        }
        else if (member.EndSeq is not null)
        {
            (member.SinceSeq, member.EndSeq) = (change.NextSeq, null);
        }

        member.Role = (int)role;
        return change.Tell(
            "", list,
            new Notification
            {
                MemberSet = new MemberSet
                {
                    Member = new Member { AccountId = account, Role = role },
                    TaskList = new TaskList { Id = list },
                },
            },
            accountId: account).Seq;
    });

    public static Task<long> RemoveMemberAsync(this SubscribeWorld world, string list, string account) =>
        world.ChangeAsync(change =>
        {
            change.Db.Members.Single(row => row.ListId == list && row.AccountId == account).EndSeq = change.NextSeq;
            return change.Tell(
                "", list, new Notification { MemberRemoved = new MemberRemoved { AccountId = account } },
                accountId: account).Seq;
        });

    public static Task<TaskItem> CreateTaskAsync(
        this SubscribeWorld world, string list, string title, string note = "") => world.ChangeAsync(change =>
        {
            var row = new TaskRow
            {
                Num = (change.Db.Tasks.Max(task => (long?)task.Num) ?? 0) + 1,
                Id = Ids.New(change.NowMicros),
                ListId = list,
                Title = title,
                Note = note.Length > 0 ? note : null,
                State = (int)TaskState.Open,
                Rank = $"{change.NextSeq:D12}",
                CreatorId = "someone",
                Version = 1,
            };
            change.Db.Tasks.Add(row);
            TaskItem task = row.ToProto();
            change.Tell("", list, new Notification { TaskCreated = new TaskCreated { Task = task } }, row.Id);
            return task;
        });

    public static Task<TaskItem> UpdateTaskAsync(this SubscribeWorld world, string task, Action<TaskRow> update) =>
        world.ChangeAsync(change =>
        {
            TaskRow row = change.Db.Tasks.Single(row => row.Id == task);
            TaskItem before = row.ToProto();
            update(row);
            row.Version++;
            TaskItem after = row.ToProto();
            change.Tell(
                "", row.ListId, new Notification { TaskUpdated = new TaskUpdated { Task = after } }, row.Id,
                before: TaskBefore.Diff(before, after));
            return after;
        });

    public static Task<TaskItem> RetitleAsync(this SubscribeWorld world, string task, string title) =>
        world.UpdateTaskAsync(task, row => row.Title = title);

    /// <summary>Told as deleted in the old list and created in the new one.</summary>
    public static Task<TaskItem> MoveTaskAsync(this SubscribeWorld world, string task, string list) =>
        world.ChangeAsync(change =>
        {
            TaskRow row = change.Db.Tasks.Single(row => row.Id == task);
            Gone(change, row);
            row.ListId = list;
            row.Version++;
            row.Rank = $"{change.NextSeq:D12}";
            TaskItem after = row.ToProto();
            change.Tell("", list, new Notification { TaskCreated = new TaskCreated { Task = after } }, row.Id);
            return after;
        });

    public static Task<bool> DeleteTaskAsync(this SubscribeWorld world, string task) => world.ChangeAsync(change =>
    {
        TaskRow row = change.Db.Tasks.Single(row => row.Id == task);
        Gone(change, row);
        change.Db.Tasks.Remove(row);
        return true;
    });

    public static Task<long> CommentAsync(this SubscribeWorld world, string task, string text) =>
        world.ChangeAsync(change =>
        {
            TaskRow row = change.Db.Tasks.Single(row => row.Id == task);
            return change.Tell(
                "", row.ListId,
                new Notification
                {
                    CommentCreated = new CommentCreated { Comment = new Comment { TaskId = task, Text = text } },
                },
                task, before: TaskBefore.Diff(row.ToProto(), null)).Seq;
        });

    private static void Gone(ChangeScope change, TaskRow row) => change.Tell(
        "", row.ListId, new Notification { TaskDeleted = new TaskDeleted { TaskId = row.Id } }, row.Id,
        before: TaskBefore.Diff(row.ToProto(), null));
}
