using Grpc.Core;
using Squall.V1;
using Case = Squall.V1.SubscribeResponse.MessageOneofCase;

namespace Squall.Server.Tests;

/// <summary>Subscriptions over the wire, at the limits that a server has of itself.</summary>
public sealed class SubscribeWireTests : IClassFixture<ServerFixture>
{
    private readonly ServerFixture _server;

    public SubscribeWireTests(ServerFixture server) => _server = server;

    [Fact]
    public async Task An_account_has_100_subscriptions_whatever_its_sessions_and_each_is_told()
    {
        using Client ada = await Client.SignInAsync(_server, "ada");
        using Client bob = await Client.SignInAsync(_server, "bob");
        Metadata other = Client.Bearer(await BeginAsync(ada));
        var service = new NotificationService.NotificationServiceClient(_server.Channel);
        var open = new List<Subscriber>();
        for (int at = 0; at < 100; at++)
        {
            open.Add(new Subscriber(service, at % 2 == 0 ? ada.Headers : other));
            Assert.Equal(Case.Synced, (await open[^1].NextAsync()).MessageCase);
        }

        using var refused = new Subscriber(service, ada.Headers);
        await Refusal.AssertAsync(
            StatusCode.ResourceExhausted, "TOO_MANY_SUBSCRIPTIONS", () => refused.NextAsync());
        using var neighbour = new Subscriber(service, bob.Headers);
        await neighbour.NextAsync();

        TaskList list = await ada.CreateListAsync();
        foreach (Subscriber subscriber in open)
        {
            Assert.Equal(list.Id, (await subscriber.NotificationAsync()).TaskListId);
        }

        open.ForEach(subscriber => subscriber.Dispose());
    }

    [Fact]
    public async Task A_member_is_told_of_what_the_service_does_to_its_membership()
    {
        using Client ada = await Client.SignInAsync(_server, "owner");
        using Client bob = await Client.SignInAsync(_server, "member");
        using var stream = new Subscriber(bob);
        await stream.NextAsync();
        TaskList list = await ada.CreateListAsync();
        await ada.ShareAsync(list, bob, Role.Editor);
        MemberSet set = (await stream.NotificationAsync()).MemberSet;
        Assert.Equal((bob.Account.Id, Role.Editor, list.Id), (set.Member.AccountId, set.Member.Role, set.TaskList.Id));
        Assert.Equal(Role.Unspecified, set.TaskList.Role);

        await ada.ShareAsync(list, bob, Role.Viewer);
        Assert.Equal(Role.Viewer, (await stream.NotificationAsync()).MemberSet.Member.Role);
        TaskItem task = (await ada.Tasks.CreateTaskAsync(
            new() { Task = new() { TaskListId = list.Id, Title = "seen" } }, ada.Headers)).Task;
        Notification created = await stream.NotificationAsync();
        Assert.Equal((task, ada.Account.Id), (created.TaskCreated.Task, created.ActorId));

        await ada.Lists.RemoveMemberAsync(
            new() { TaskListId = list.Id, AccountId = bob.Account.Id }, ada.Headers);
        Assert.Equal(bob.Account.Id, (await stream.NotificationAsync()).MemberRemoved.AccountId);
        await ada.Tasks.DeleteTaskAsync(new() { TaskId = task.Id }, ada.Headers);
        await ada.ShareAsync(list, bob, Role.Worker);
        Assert.Equal(Role.Worker, (await stream.NotificationAsync()).MemberSet.Member.Role);
        await ada.Lists.DeleteTaskListAsync(new() { TaskListId = list.Id }, ada.Headers);
        Assert.Equal(list.Id, (await stream.NotificationAsync()).TaskListDeleted.TaskListId);
    }

    private Task<string> BeginAsync(Client client) => _server.Get<Journal>().RunAsync(
        scope => _server.Get<SessionChanges>().Begin(scope, client.Account.Id, "test").AccessToken,
        null, 0, CancellationToken.None);
}
