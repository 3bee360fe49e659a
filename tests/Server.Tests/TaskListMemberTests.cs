using Google.Rpc;
using Grpc.Core;
using Squall.V1;

namespace Squall.Server.Tests;

/// <summary>Who shares a list, and in which role.</summary>
public sealed class TaskListMemberTests : IClassFixture<ServerFixture>
{
    private readonly ServerFixture _server;

    public TaskListMemberTests(ServerFixture server) => _server = server;

    [Fact]
    public async Task Members_come_by_name_with_their_roles()
    {
        using Client owner = await Client.SignInAsync(_server, "m.owner");
        using Client zoe = await Client.SignInAsync(_server, "zoe");
        using Client abe = await Client.SignInAsync(_server, "abe");
        using Client abe2 = await Client.SignInAsync(_server, "abe.2");
        TaskList list = await owner.CreateListAsync();
        await owner.ShareAsync(list, zoe, Role.Viewer);
        await owner.ShareAsync(list, abe2, Role.Worker);
        Member added = await owner.ShareAsync(list, abe, Role.Editor);

        Member[] members = await zoe.MembersAsync(list);
        Assert.Equal(["abe", "abe.2", "m.owner", "zoe"], members.Select(member => member.Username));
        Assert.Equal([Role.Editor, Role.Worker, Role.Owner, Role.Viewer], members.Select(member => member.Role));
        Assert.Equal(members[0], added);
        Assert.Equal(abe.Account.Id, added.AccountId);
    }

    [Fact]
    public async Task A_member_is_found_by_a_name_in_any_case_and_a_display_name_is_shown()
    {
        using Client owner = await Client.SignInAsync(_server, "case.owner");
        RegisterAccountResponse eve = await owner.Accounts.RegisterAccountAsync(
            new() { Username = "case.eve", Password = Client.Password, DisplayName = "Eve Ö" });
        TaskList list = await owner.CreateListAsync();
        SetMemberResponse set = await owner.Lists.SetMemberAsync(
            new() { TaskListId = list.Id, Username = "CASE.Eve", Role = Role.Viewer }, owner.Headers);
        Assert.Equal(
            new Member
            {
                AccountId = eve.Account.Id, Username = "case.eve", DisplayName = "Eve Ö", Role = Role.Viewer,
            },
            set.Member);
    }

    [Fact]
    public async Task A_member_gets_another_role_and_the_one_that_it_has_is_no_change()
    {
        using Client owner = await Client.SignInAsync(_server, "role.owner");
        using Client bob = await Client.SignInAsync(_server, "role.bob");
        TaskList list = await owner.CreateListAsync();
        await owner.ShareAsync(list, bob, Role.Viewer);
        await Refusal.AssertAsync(StatusCode.PermissionDenied, "ROLE_TOO_LOW", () => bob.AddAsync(list));

        string before = await owner.CursorAsync();
        await owner.ShareAsync(list, bob, Role.Editor);
        await bob.AddAsync(list);
        Assert.Equal(Role.Editor, (await bob.GetAsync(list)).Role);
        await owner.ShareAsync(list, bob, Role.Editor);
        MemberSet told = Assert.Single(await owner.ToldAsync(before), told => told.MemberSet is not null).MemberSet;
        Assert.Equal((bob.Account.Id, Role.Editor), (told.Member.AccountId, told.Member.Role));
        Assert.Equal(list.Title, told.TaskList.Title);
        Assert.Equal(Role.Unspecified, told.TaskList.Role);
        Assert.Equal(2, (await owner.MembersAsync(list)).Length);
    }

    [Fact]
    public async Task The_last_owner_can_neither_go_nor_get_a_lower_role()
    {
        using Client ada = await Client.SignInAsync(_server, "last.ada");
        using Client bob = await Client.SignInAsync(_server, "last.bob");
        TaskList list = await ada.CreateListAsync();
        await ada.ShareAsync(list, bob, Role.Editor);
        await Refusal.AssertAsync(StatusCode.FailedPrecondition, "LAST_OWNER", () =>
            ada.ShareAsync(list, ada, Role.Editor));
        await Refusal.AssertAsync(StatusCode.FailedPrecondition, "LAST_OWNER", () => RemoveAsync(ada, list, ada));
        Assert.Equal(Role.Owner, (await ada.ShareAsync(list, ada, Role.Owner)).Role);

        await ada.ShareAsync(list, bob, Role.Owner);
        await ada.ShareAsync(list, ada, Role.Viewer);
        await Refusal.AssertAsync(StatusCode.FailedPrecondition, "LAST_OWNER", () => RemoveAsync(bob, list, bob));
        await Refusal.AssertAsync(StatusCode.PermissionDenied, "ROLE_TOO_LOW", () => RemoveAsync(ada, list, bob));
        await bob.ShareAsync(list, ada, Role.Owner);
        await RemoveAsync(ada, list, bob);
        await Refusal.AssertAsync(StatusCode.FailedPrecondition, "LAST_OWNER", () => RemoveAsync(ada, list, ada));
        Assert.Equal(["last.ada"], (await ada.MembersAsync(list)).Select(member => member.Username));
    }

    [Fact]
    public async Task An_owner_who_has_left_is_not_counted_as_one()
    {
        using Client ada = await Client.SignInAsync(_server, "left.ada");
        using Client bob = await Client.SignInAsync(_server, "left.bob");
        TaskList list = await ada.CreateListAsync();
        await ada.ShareAsync(list, bob, Role.Owner);
        await RemoveAsync(bob, list, bob);
        await Refusal.AssertAsync(StatusCode.FailedPrecondition, "LAST_OWNER", () => RemoveAsync(ada, list, ada));
    }

    [Theory]
    [InlineData(Role.Viewer)]
    [InlineData(Role.Worker)]
    [InlineData(Role.Editor)]
    [InlineData(Role.Owner)]
    public async Task Whoever_is_a_member_may_leave_and_sees_the_list_no_more(Role role)
    {
        using Client ada = await Client.SignInAsync(_server, $"leave.ada.{(int)role}");
        using Client bob = await Client.SignInAsync(_server, $"leave.bob.{(int)role}");
        TaskList list = await ada.CreateListAsync();
        await ada.ShareAsync(list, bob, role);
        string before = await bob.CursorAsync();
        await RemoveAsync(bob, list, bob);

        await Refusal.AssertAsync(StatusCode.NotFound, "NOT_FOUND", () => bob.GetAsync(list));
        await Refusal.AssertAsync(StatusCode.NotFound, "NOT_FOUND", () => RemoveAsync(bob, list, bob));
        await ada.AddAsync(list);
        Assert.Equal(bob.Account.Id, Assert.Single(await bob.ToldAsync(before)).MemberRemoved.AccountId);
        Assert.Single(await ada.MembersAsync(list));
    }

    [Fact]
    public async Task Only_an_owner_is_told_that_there_is_no_such_account()
    {
        using Client ada = await Client.SignInAsync(_server, "oracle.ada");
        using Client bob = await Client.SignInAsync(_server, "oracle.bob");
        using Client eve = await Client.SignInAsync(_server, "oracle.eve");
        TaskList list = await ada.CreateListAsync();
        await ada.ShareAsync(list, bob, Role.Editor);
        var nobody = new SetMemberRequest { TaskListId = list.Id, Username = "no.such.account", Role = Role.Viewer };

        RpcException owner = await Refusal.AssertAsync(StatusCode.NotFound, "NOT_FOUND", async () =>
            await ada.Lists.SetMemberAsync(nobody, ada.Headers));
        Assert.Equal("account", Refusal.Detail<ResourceInfo>(owner)!.ResourceType);
        await Refusal.AssertAsync(StatusCode.PermissionDenied, "ROLE_TOO_LOW", async () =>
            await bob.Lists.SetMemberAsync(nobody, bob.Headers));
        RpcException stranger = await Refusal.AssertAsync(StatusCode.NotFound, "NOT_FOUND", async () =>
            await eve.Lists.SetMemberAsync(nobody, eve.Headers));
        Assert.Equal("task list", Refusal.Detail<ResourceInfo>(stranger)!.ResourceType);
    }

    [Fact]
    public async Task Removing_one_who_is_no_member_is_refused()
    {
        using Client ada = await Client.SignInAsync(_server, "remove.ada");
        using Client bob = await Client.SignInAsync(_server, "remove.bob");
        TaskList list = await ada.CreateListAsync();
        RpcException refused =
            await Refusal.AssertAsync(StatusCode.NotFound, "NOT_FOUND", () => RemoveAsync(ada, list, bob));
        Assert.Equal("member", Refusal.Detail<ResourceInfo>(refused)!.ResourceType);
    }

    [Fact]
    public async Task Whoever_is_added_again_is_a_member_again()
    {
        using Client ada = await Client.SignInAsync(_server, "again.ada");
        using Client bob = await Client.SignInAsync(_server, "again.bob");
        TaskList list = await ada.CreateListAsync();
        await ada.ShareAsync(list, bob, Role.Editor);
        TaskItem task = await bob.AddAsync(list);
        await RemoveAsync(ada, list, bob);
        Assert.Equal(Role.Viewer, (await ada.ShareAsync(list, bob, Role.Viewer)).Role);
        Assert.Equal(task, await bob.GetAsync(task));
        await Refusal.AssertAsync(StatusCode.PermissionDenied, "ROLE_TOO_LOW", () => bob.AddAsync(list));
        Assert.Equal([list.Id], (await bob.Lists.ListTaskListsAsync(new(), bob.Headers)).TaskLists.Select(it => it.Id));
    }

    private static async Task RemoveAsync(Client who, TaskList list, Client member) =>
        await who.Lists.RemoveMemberAsync(
            new() { TaskListId = list.Id, AccountId = member.Account.Id }, who.Headers);
}
