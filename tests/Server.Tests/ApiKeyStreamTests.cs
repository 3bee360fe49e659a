using Grpc.Core;
using Squall.V1;
using Case = Squall.V1.SubscribeResponse.MessageOneofCase;
using Event = Squall.V1.Notification.EventOneofCase;

namespace Squall.Server.Tests;

/// <summary>What a key that names lists is told: of those, and of nothing else of its account.</summary>
public sealed class ApiKeyStreamTests : IClassFixture<ServerFixture>
{
    private readonly ServerFixture _server;

    public ApiKeyStreamTests(ServerFixture server) => _server = server;

    [Fact]
    public async Task Only_what_happens_in_its_lists_is_delivered_live_resumed_and_in_pages()
    {
        using Client ada = await Client.SignInAsync(_server, "stream.ada");
        using Client bob = await Client.SignInAsync(_server, "stream.bob");
        TaskList named = await ada.CreateListAsync();
        TaskList other = await ada.CreateListAsync();
        TaskList gained = await bob.CreateListAsync();
        TaskItem old = await ada.AddAsync(named, "old");
        await ada.AddAsync(other, "unseen");
        (_, Metadata key) = await ada.AddKeyAsync(Role.Viewer, null, named);
        using var live = new Subscriber(ada.Notifications, key, new() { Snapshot = true });
        using var all = new Subscriber(ada, new() { Snapshot = true });
        Assert.Equal([old.Id], (await live.ThroughAsync(Case.Synced)).SkipLast(1).Select(message => message.Task.Id));
        await all.ThroughAsync(Case.Synced);
        string start = live.Cursor;

        await ada.AddAsync(other, "unseen");
        await bob.ShareAsync(gained, ada, Role.Editor);
        await bob.AddAsync(gained, "unseen");
        await ada.CreateListAsync("unseen");
        await ada.UpdateAsync(old, it => it.TaskListId = other.Id, "task_list_id");
        await ada.ShareAsync(other, bob, Role.Viewer);
        await ada.DeleteAsync(other);
        await ada.AddAsync(named, "last");

        var told = new List<Notification>();
        while (told.Count == 0 || told[^1].TaskCreated?.Task.Title != "last")
        {
            told.Add(await live.NotificationAsync());
        }

        Assert.All(told, notification => Assert.Equal(named.Id, notification.TaskListId));
        Assert.Equal([Event.TaskDeleted, Event.TaskCreated], told.Select(notification => notification.EventCase));
        using var resumed = new Subscriber(ada.Notifications, key, new() { After = start });
        Assert.Equal(
            told,
            (await resumed.ThroughAsync(Case.Synced)).SkipLast(1)
                .Select(message => message.Notification ?? message.Left));
        ListNotificationsResponse page = await ada.Notifications.ListNotificationsAsync(new() { After = start }, key);
        Assert.Equal(told, page.Messages.Select(message => message.Notification ?? message.Left));

        // Its account by a session is told of all of it.
        var whole = new List<Notification>();
        while (whole.Count == 0 || whole[^1].TaskCreated?.Task.Title != "last")
        {
            whole.Add(await all.NotificationAsync());
        }

        Assert.Equal(4, whole.Select(notification => notification.TaskListId).Distinct().Count());
    }

    [Fact]
    public async Task A_list_of_its_own_that_is_lost_and_gained_again_is_told_as_to_anyone()
    {
        using Client ada = await Client.SignInAsync(_server, "again.ada");
        using Client bob = await Client.SignInAsync(_server, "again.bob");
        TaskList list = await ada.CreateListAsync();
        await ada.ShareAsync(list, bob, Role.Viewer);
        (_, Metadata key) = await bob.AddKeyAsync(Role.Viewer, null, list);
        using var stream = new Subscriber(bob.Notifications, key);
        await stream.NextAsync();
        await ada.Lists.RemoveMemberAsync(new() { TaskListId = list.Id, AccountId = bob.Account.Id }, ada.Headers);
        await ada.AddAsync(list, "unseen");
        await ada.ShareAsync(list, bob, Role.Viewer);
        await ada.AddAsync(list, "seen");
        Event[] told =
        [
            (await stream.NotificationAsync()).EventCase, (await stream.NotificationAsync()).EventCase,
            (await stream.NotificationAsync()).EventCase,
        ];
        Assert.Equal([Event.MemberRemoved, Event.MemberSet, Event.TaskCreated], told);
    }
}
