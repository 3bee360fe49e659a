using Squall.V1;

namespace Squall.Server.Tests;

/// <summary>Random changes of tasks and of what an account may see, and what it is to have in the end.</summary>
internal sealed class SnapshotChanges(SubscribeWorld world, string account, List<string> lists, Random random)
{
    /// <summary>Half of what retitling makes matches.</summary>
    public string Filter => "NOT title = \"hidden\"";

    public async Task MakeAsync(int changes)
    {
        for (int change = 0; change < changes; change++)
        {
            await MakeAsync();
        }
    }

    /// <summary>The tasks that the account sees and the filter matches, by id.</summary>
    public Task<TaskItem[]> ExpectedAsync() => world.Store.ReadAsync(
        db => (
            from task in db.Tasks
            join member in db.Members on task.ListId equals member.ListId
            where member.AccountId == account && member.EndSeq == null && task.Title != "hidden"
            select task).AsEnumerable().Select(task => task.ToProto()).OrderBy(task => task.Id).ToArray(),
        CancellationToken.None);

    private async Task MakeAsync()
    {
        string task = await AnyTaskAsync();
        switch (random.Next(9))
        {
            case 0 or 1:
                await world.CreateTaskAsync(lists[random.Next(lists.Count)], "new");
                break;
            case 2:
                await world.RetitleAsync(task, "hidden");
                break;
            case 3:
                await world.RetitleAsync(task, "shown");
                break;
            case 4:
                // Its place in the list moves: past what was read, or before it.
                await world.UpdateTaskAsync(task, row => row.Rank = $"{random.Next(400):D12}x{random.Next():x}");
                break;
            case 5:
                await world.MoveTaskAsync(task, lists[random.Next(lists.Count)]);
                break;
            case 6 or 7:
                await world.DeleteTaskAsync(task);
                break;
            default:
                await ShareAsync(lists[random.Next(lists.Count)]);
                break;
        }
    }

    /// <summary>Takes the list from the account, or gives it.</summary>
    private async Task ShareAsync(string list)
    {
        if (world.Memberships.IsMember(account, list))
        {
            await world.RemoveMemberAsync(list, account);
        }
        else
        {
            await world.SetMemberAsync(list, account);
        }
    }

    private Task<string> AnyTaskAsync()
    {
        int at = random.Next(500);
        return world.Store.ReadAsync(
            db => db.Tasks.OrderBy(task => task.Id).Skip(at).Select(task => task.Id).First(), CancellationToken.None);
    }
}
